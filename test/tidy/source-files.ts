// Which files the tidy tests look at: all but those that git ignores. Found without git, which a
// machine that only builds need not have. Paths are relative to the root.

import { readdirSync, readFileSync } from 'node:fs'
import { join, matchesGlob } from 'node:path'

export const root = new URL('../..', import.meta.url).pathname

export interface SourceFile {
  path: string
  text: string
  lines: string[]
}

export function sourceFiles(pattern: RegExp): SourceFile[] {
  return filesBeneath('', ignoredGlobs())
    .filter((path) => pattern.test(path))
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8')
      return { path, text, lines: text.replace(/\n$/, '').split('\n') }
    })
}

/** A pattern with a slash inside means one place, any other a name wherever it is. */
function ignoredGlobs(): string[] {
  const lines = readFileSync(join(root, '.gitignore'), 'utf8').split('\n')
  const patterns = lines.filter((line) => line !== '' && !line.startsWith('#'))
  const globs = patterns.map((line) => line.replace(/^\/|\/$/g, ''))
  return ['.git', ...globs.map((glob) => (glob.includes('/') ? glob : `**/${glob}`))]
}

function filesBeneath(folder: string, ignored: string[]): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true })
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name)
    if (ignored.some((glob) => matchesGlob(path, glob))) return []
    if (entry.isDirectory()) return filesBeneath(path, ignored)
    return entry.isFile() ? [path] : []
  })
}

/** Without comments and the contents of strings, so that prose is not taken for code. */
export function codeOf(text: string): string {
  const token = /\/\*[\s\S]*?\*\/|\/\/.*|"(?:\\.|[^"\\\n])*"/g
  return text.replace(token, (match) => (match[0] === '"' ? '""' : match.replace(/[^\n]/g, '')))
}
