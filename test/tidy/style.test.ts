// The limits of style that a formatter does not know: sizes, opening comments, words.
// They are where a reader gets lost, not where a file should be: see docs/CONTRIBUTING.md for the
// sizes to aim at.

import test from 'ava'
import { type SourceFile, sourceFiles } from './source-files.ts'

const maxColumns = 100
const maxFunctionLines = 70
const maxFileLines: Record<string, number> = { cc: 600, h: 400, ts: 400, mjs: 400 }
/** One line is enough for a test and for a file that fits two screens: more would be padding. */
const openingCommentLines = { least: 2, most: 8 }
const shortFileLines = 100

function code(): SourceFile[] {
  return sourceFiles(/^(native|src|test|bench|scripts|examples)\/.*\.(cc|h|ts|mjs)$|^[^/]+\.ts$/)
}

function kindOf(file: SourceFile): string {
  return file.path.slice(file.path.lastIndexOf('.') + 1)
}

/** A line that opens the body of a function, in formatted C++ or TypeScript. */
function opensFunction(line: string, kind: string): boolean {
  if (!line.endsWith('{') || /^\s*(\}|if|for|while|switch|do|else|try|catch)\b/.test(line)) {
    return false
  }
  if (/^\s*\}/.test(line)) return false
  if (kind === 'ts' || kind === 'mjs') return /=> \{$|\)(: [^=]+)? \{$/.test(line)
  if (/^\s*(namespace|class|struct|enum|union|extern|using)\b/.test(line)) return false
  return /\)[\w\s&>:<*,()-]*\{$/.test(line)
}

/** Where the head of a constructor begins whose body is opened behind its initialisers. */
function headLine(lines: string[], opening: number): number {
  if (!/^\s+(: )?\w+_[({]/.test(lines[opening] ?? '')) return opening
  let at = opening
  while (at > 0 && !/^$|[;{}:]$|^\s*\/\//.test(lines[at - 1] ?? '')) at--
  return at
}

/** From the line that opens a body to the line with the same indentation that closes it. */
function longFunctions(file: SourceFile): string[] {
  return file.lines.flatMap((line, start) => {
    if (!opensFunction(line, kindOf(file))) return []
    const head = file.lines[headLine(file.lines, start)] ?? ''
    const indent = /^\s*/.exec(head)?.[0] ?? ''
    const end = file.lines.findIndex((other, at) => at > start && other.startsWith(`${indent}}`))
    if (end - start <= maxFunctionLines) return []
    return [`${file.path}:${start + 1}: ${end - start} lines: ${line.trim()}`]
  })
}

/** How long the comment is that opens a file, and its first paragraph: a diagram may follow. */
function openingComment(file: SourceFile): { length: number; firstParagraph: number } {
  const lines = file.lines[0]?.startsWith('#!') ? file.lines.slice(1) : file.lines
  const until = (ends: (line: string) => boolean) => {
    const length = lines.findIndex(ends)
    return length < 0 ? lines.length : length
  }
  const length = until((line) => !/^(\/\/|\/\*| \*)/.test(line))
  return {
    length,
    firstParagraph: Math.min(
      length,
      until((line) => /^(\/\/| \*)$/.test(line)),
    ),
  }
}

// What a program wrote from a table is as long as the table.
function isGenerated(file: SourceFile): boolean {
  return file.lines
    .slice(0, 3)
    .some((line) => /\bWritten (by|from) .*scripts\/|Written from the tables/.test(line))
}

test('files are short enough to be read', (t) => {
  const wrong = code()
    .filter((file) => !isGenerated(file))
    .filter((file) => file.lines.length > (maxFileLines[kindOf(file)] ?? 0))
    .map((file) => `${file.path}: ${file.lines.length} lines`)
  t.deepEqual(wrong, [])
})

test('functions are short enough to be read', (t) => {
  t.deepEqual(code().flatMap(longFunctions), [])
})

test('every file opens with a comment that says what it owns', (t) => {
  const wrong = code().flatMap((file) => {
    const small = file.path.startsWith('test/') || file.lines.length <= shortFileLines
    const least = small ? 1 : openingCommentLines.least
    const { length, firstParagraph } = openingComment(file)
    if (length < least) return [`${file.path}: ${length} lines, not ${least}`]
    if (firstParagraph <= openingCommentLines.most) return []
    return [`${file.path}: ${firstParagraph} lines before a break`]
  })
  t.deepEqual(wrong, [])
})

test('lines fit the screen', (t) => {
  const wrong = code().flatMap((file) =>
    file.lines
      .map((line, index) => ({ length: [...line].length, where: `${file.path}:${index + 1}` }))
      .filter(({ length }) => length > maxColumns)
      .map(({ length, where }) => `${where}: ${length} columns`),
  )
  t.deepEqual(wrong, [])
})

test('exports have names', (t) => {
  const wrong = code()
    .filter((file) => file.path.startsWith('src/') && /^export default\b/m.test(file.text))
    .map((file) => file.path)
  t.deepEqual(wrong, [])
})

test('nothing names a machine, a registry or an unsaid task', (t) => {
  // Put together here, so that this file is not its own finding.
  const banned = [
    new RegExp(['registry', 'npmjs'].join('\\.')),
    new RegExp(['deb', 'debian', 'org'].join('\\.')),
    new RegExp(['', 'work', ''].join('/')),
    new RegExp(['', 'root', '\\.'].join('/')),
    new RegExp(`\\b${'TO'}DO\\b(?!: \\w+ \\w+)`),
    new RegExp(`\\b${'FIX'}ME\\b|\\b${'X'}XX\\b`),
  ]
  const text = /\.(cc|h|def|gyp|ts|mjs|json|md|sh|yml|yaml|html|css)$|(^|\/)[^.]+$/
  const wrong = sourceFiles(text)
    .filter((file) => !file.path.startsWith('test/fuzz/corpus/'))
    .flatMap((file) =>
      file.lines
        .map((line, index) => ({ line, where: `${file.path}:${index + 1}` }))
        .filter(({ line }) => banned.some((pattern) => pattern.test(line)))
        .map(({ line, where }) => `${where}: ${line.trim().slice(0, 100)}`),
    )
  t.deepEqual(wrong, [])
})
