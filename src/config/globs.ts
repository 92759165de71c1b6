// Patterns of file names, as options of files() take them: '*.html' fits a name wherever it is,
// '/assets/*' whatever is beneath a directory of the root. Pure. Never sees more than one path at a
// time; patterns are few and written by the operator, so compiled ones are kept for good.

import { text } from './kinds.ts'

/**
 * What stands between two separators and looks like a hash: letters and digits, at least one of
 * each, 8 or more. A word, a date or a version number is none.
 */
const hash = '(?<=[-._])(?=[A-Za-z]*\\d)(?=\\d*[A-Za-z])[A-Za-z\\d]{8,}(?=\\.)'

const special: Record<string, string> = {
  '*': '[^/]*',
  '?': '[^/]',
  '{': '(?:',
  '}': ')',
  ',': '|',
  '[hash]': hash,
}

/** One token of a pattern: something special, or a character that stands for itself. */
const tokens = /\[hash\]|[\s\S]/g

const compiled = new Map<string, RegExp>()

/** What is wrong with a pattern, or undefined. */
export function wrongGlob(glob: string): string | undefined {
  if (glob === '') return 'it fits nothing'
  if (glob.includes('**')) return "'*' at the end of a path takes everything beneath"
  if (glob.includes('/') && !glob.startsWith('/')) return "a path begins with '/', at the root"
  if (/\[(?!hash\])/.test(glob)) return "the only thing in brackets is '[hash]'"
  let open = false
  for (const character of glob) {
    if (character === (open ? '{' : '}')) return 'braces do not nest, and each is closed'
    if (character === '{' || character === '}') open = character === '{'
  }
  return open ? 'a brace is not closed' : undefined
}

/** The kind of a pattern. */
export const globPattern = text("a pattern such as '*.html' or '/assets/*'", wrongGlob)

/**
 * Whether `glob` fits `path`, which is relative to the root ('docs/a.html'). Upper and lower case
 * are the same: a file that is hidden stays so on any file system.
 */
export function fits(glob: string, path: string): boolean {
  const regexp = compiled.get(glob) ?? compile(glob)
  return regexp.test(glob.startsWith('/') ? `/${path}` : path.slice(path.lastIndexOf('/') + 1))
}

/** Whether one of `globs` fits `path` or a directory that it is in. */
export function fitsAlong(globs: readonly string[], path: string): boolean {
  if (globs.length === 0) return false
  for (let end = path.indexOf('/'); ; end = path.indexOf('/', end + 1)) {
    const part = end < 0 ? path : path.slice(0, end)
    if (globs.some((glob) => fits(glob, part))) return true
    if (end < 0) return false
  }
}

function compile(glob: string): RegExp {
  const beneath = glob.startsWith('/') && glob.endsWith('/*')
  let open = false
  const source = (beneath ? glob.slice(0, -1) : glob).replace(tokens, (token) => {
    if (token === '{' || token === '}') open = token === '{'
    if (token === ',' && !open) return ','
    return special[token] ?? token.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&')
  })
  const regexp = new RegExp(`^${source}${beneath ? '[\\s\\S]+' : ''}$`, 'i')
  compiled.set(glob, regexp)
  return regexp
}
