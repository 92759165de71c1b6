// Which files the tidy tests look at: what git tracks or would track, never what it ignores, and
// not a file that is deleted in the working tree. Paths are relative to the root.

import { execFileSync } from 'node:child_process'
import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = new URL('../..', import.meta.url).pathname

export interface SourceFile {
  path: string
  text: string
  lines: string[]
}

export function sourceFiles(pattern: RegExp): SourceFile[] {
  const listing = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
  const paths = execFileSync('git', listing, { cwd: root, encoding: 'utf8' }).split('\0')
  return paths
    .filter((path) => pattern.test(path))
    .filter((path) => lstatSync(join(root, path), { throwIfNoEntry: false })?.isFile())
    .map((path) => {
      const text = readFileSync(join(root, path), 'utf8')
      return { path, text, lines: text.replace(/\n$/, '').split('\n') }
    })
}

/** Without comments and the contents of strings, so that prose is not taken for code. */
export function codeOf(text: string): string {
  const token = /\/\*[\s\S]*?\*\/|\/\/.*|"(?:\\.|[^"\\\n])*"/g
  return text.replace(token, (match) => (match[0] === '"' ? '""' : match.replace(/[^\n]/g, '')))
}
