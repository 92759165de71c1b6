// Patterns of file names, as options of files() take them: '*.html' fits a name wherever it is,
// '/assets/*' whatever is beneath a directory of the root. Pure. Never sees more than one path at a
// time; patterns are few and written by the operator, so compiled ones are kept for good.

import { text } from './kinds.ts'

/**
 * What stands between two separators and looks like a hash: letters and digits, at least one of
 * each, 8 or more. A word, a date or a version number is none.
 */
const hash = '(?<=[-._])(?=[A-Za-z]*\\d)(?=\\d*[A-Za-z])[A-Za-z\\d]{8,}(?=\\.)'

/** Nothing on disk has a longer name. */
const longestName = 255

/** What is between two stars, one after the other; each is looked for once, from left to right. */
type Pieces = RegExp[]

/** For each segment of a pattern the ways in which a name can fit it. */
interface Compiled {
  segments: Pieces[][]
  /** Whatever is beneath them fits. */
  beneath: boolean
}

const compiled = new Map<string, Compiled>()

/** '{a,b}' */
const braces = /\{[^{}/]*\}/g

/** What is wrong with a pattern, or undefined. */
export function wrongGlob(glob: string): string | undefined {
  if (glob === '') return 'it fits nothing'
  if (glob.includes('**')) return "'*' at the end of a path takes everything beneath"
  if (glob.includes('/') && !glob.startsWith('/')) return "a path begins with '/', at the root"
  if (/\[(?!hash\])/.test(glob)) return "the only thing in brackets is '[hash]'"
  if (/[{}]/.test(glob.replace(braces, ''))) return 'braces come in pairs and do not nest'
  if ((glob.match(braces) ?? []).length > 2) return 'at most two pairs of braces'
  return undefined
}

/** The kind of a pattern. */
export const globPattern = text("a pattern such as '*.html' or '/assets/*'", wrongGlob)

/**
 * Whether `glob` fits `path`, which is relative to the root ('docs/a.html'). Upper and lower case
 * are the same: a file that is hidden stays so on any file system.
 */
export function fits(glob: string, path: string): boolean {
  const { segments, beneath } = compiled.get(glob) ?? compile(glob)
  const names = glob.startsWith('/') ? path.split('/') : [path.slice(path.lastIndexOf('/') + 1)]
  if (beneath ? names.length <= segments.length : names.length !== segments.length) return false
  return segments.every((ways, index) => nameFits(ways, names[index] ?? ''))
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

function nameFits(ways: Pieces[], name: string): boolean {
  return name.length <= longestName && ways.some((pieces) => piecesFit(pieces, name))
}

/**
 * Not one regular expression for the whole: several stars in it would try every way to divide a
 * name that a client has chosen. Each piece at its first place is enough, since none of them can
 * reach further than what the next star takes.
 */
function piecesFit(pieces: Pieces, name: string): boolean {
  let position = 0
  for (const piece of pieces) {
    piece.lastIndex = position
    const found = piece.exec(name)
    if (found === null) return false
    position = found.index + found[0].length
  }
  return true
}

function compile(glob: string): Compiled {
  const beneath = glob.startsWith('/') && glob.endsWith('/*')
  const parts = glob.startsWith('/') ? glob.slice(1).split('/') : [glob]
  if (beneath) parts.pop()
  const segments = parts.map((part) => waysOf(part).map(piecesOf))
  compiled.set(glob, { segments, beneath })
  return { segments, beneath }
}

/** 'a.{b,c}' → 'a.b', 'a.c' */
function waysOf(part: string): string[] {
  const group = part.match(braces)?.[0]
  if (group === undefined) return [part]
  const words = group.slice(1, -1).split(',')
  return words.flatMap((word) => waysOf(part.replace(group, () => word)))
}

function piecesOf(way: string): Pieces {
  const texts = way.split('*')
  return texts.map((text, index) => {
    const source = text
      .split('[hash]')
      .map((plain) => plain.replace(/[\\^$.+()|[\]{}]/g, '\\$&').replaceAll('?', '[^]'))
      .join(hash)
    const start = index === 0 ? '^' : ''
    return new RegExp(`${start}(?:${source})${index === texts.length - 1 ? '$' : ''}`, 'gi')
  })
}
