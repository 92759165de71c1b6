// Writes what follows from the tables of src/config/schema.ts: the types of the options with their
// docstrings (src/config/options.ts) and docs/CONFIGURATION.md. A test fails when either is behind.
//
//   node scripts/generate-config-docs.ts

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Option } from '../src/config/section.ts'
import { type Chapter, chapters } from './config-chapters.ts'

/** `'30s'`, `8080`, or the words that describe a default which depends. */
function defaultOf(option: Option<unknown>, code: (text: string) => string): string {
  if (option.defaultText !== undefined) {
    return option.defaultText.startsWith("'") ? code(option.defaultText) : option.defaultText
  }
  if (option.required) return 'required'
  if (option.default === undefined) return 'none'
  return code(JSON.stringify(option.default).replaceAll('"', "'"))
}

const notice = `Written from the tables of
// schema*.ts: change those, then run scripts/generate-config-docs.ts.`

/** The text of src/config/options.ts. */
export function optionTypes(): string {
  const head = `\
// The options that people write, with units and defaults for their editors; others are in
// files of their own (*-options.ts). ${notice}

import type { LogField } from '../native/access-log.ts'
import type { ContentCoding } from '../native/interface.ts'
import type { Hooks } from './hooks.ts'
import type { UploadOptions } from './intake-options.ts'
import type { ListenerOptions } from './listener-options.ts'
import type { OtherAction } from './other-action.ts'
import type { PathParams } from './path-params.ts'
import type { UpstreamOptions } from './proxy-options.ts'
import type { Duration, Size } from './units.ts'
`
  const own = chapters.filter(({ file }) => file === undefined)
  return [head, ...own.map(interfaceText)].join('\n')
}

/** The text of src/config/hook-options.ts. */
export function hookOptionTypes(): string {
  const head = `\
// The options of ready-made hooks, as in options.ts. ${notice}

import type { JwtAlgorithm } from './schema-hooks.ts'
import type { Duration } from './units.ts'
`
  const own = chapters.filter(({ file }) => file === 'hook-options')
  return [head, ...own.map(interfaceText)].join('\n')
}

/** The text of src/config/proxy-options.ts. */
export function proxyOptionTypes(): string {
  const head = `\
// The options of upstreams and of proxy(), as in options.ts. ${notice}

import type { FilesRoot } from './files-root.ts'
import type { Hooks } from './hooks.ts'
import type { PathParams } from './path-params.ts'
import type { StatusPattern } from './status-pattern.ts'
import type { Duration, Size } from './units.ts'
`
  const own = chapters.filter(({ file }) => file === 'proxy-options')
  return [head, ...own.map(interfaceText)].join('\n')
}

/** The text of src/config/listener-options.ts. */
export function listenerOptionTypes(): string {
  const head = `\
// The options of listeners and their TLS, as in options.ts. ${notice}

import type { Duration } from './units.ts'
`
  const own = chapters.filter(({ file }) => file === 'listener-options')
  return [head, ...own.map(interfaceText)].join('\n')
}

/** The text of src/config/intake-options.ts. */
export function intakeOptionTypes(): string {
  const head = `\
// The options of what clients give, files and messages. ${notice}

import type { Hooks } from './hooks.ts'
import type { PathParams } from './path-params.ts'
import type { Duration, Size } from './units.ts'
`
  const own = chapters.filter(({ file }) => file === 'intake-options')
  return [head, ...own.map(interfaceText)].join('\n')
}

/** The text of src/config/function-options.ts. */
export function functionOptionTypes(): string {
  const head = `\
// The options of handler() and mount(), as in options.ts. ${notice}

import type { FilesRoot } from './files-root.ts'
import type { Hooks } from './hooks.ts'
import type { PathParams } from './path-params.ts'
import type { Duration, Size } from './units.ts'
`
  const own = chapters.filter(({ file }) => file === 'function-options')
  return [head, ...own.map(interfaceText)].join('\n')
}

function interfaceText(chapter: Chapter): string {
  const members = Object.entries(chapter.options).map(([key, option]) => {
    const isSection = JSON.stringify(option.default) === '{}'
    const doc = oneLine(option.doc)
    const byDefault = defaultOf(option, (text) => `\`${text}\``)
    const sentence = isSection || option.required ? '' : ` Default: ${byDefault}.`
    const name = option.required ? key : `${key}?`
    return `${comment(`${doc}${sentence}`)}\n  ${name}: ${option.kind.typescript}`
  })
  const parameters = chapter.isOfRoute ? '<Params = PathParams>' : ''
  const head = `/** ${chapter.about} */\nexport interface ${chapter.typeName}${parameters} {`
  return [head, ...members, '}', ''].join('\n')
}

// Long texts are wrapped in the table.
function oneLine(text: string): string {
  return text.replaceAll('\n', ' ')
}

function comment(text: string): string {
  if (text.length <= 91) return `  /** ${text} */`
  return ['  /**', ...wrap(text, 94).map((line) => `   * ${line}`), '   */'].join('\n')
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line === '') lines[lines.length - 1] = word
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines
}

/** The text of docs/CONFIGURATION.md. */
export function documentation(): string {
  const introduction = readFileSync(new URL('config-docs-introduction.md', import.meta.url), 'utf8')
  const notice = '<!-- Written by scripts/generate-config-docs.ts from src/config/schema*.ts. -->\n'
  return [notice, introduction, ...chapters.map(tableText)].join('\n')
}

function tableText(chapter: Chapter): string {
  const rows = Object.entries(chapter.options).map(([key, option]) => {
    const value = option.kind.expected.replaceAll('|', '\\|')
    const byDefault = defaultOf(option, (text) => `\`${text}\``)
    const shown = JSON.stringify(option.default) === '{}' ? '' : byDefault
    return `| \`${chapter.prefix}${key}\` | ${value} | ${shown} | ${oneLine(option.doc)} |`
  })
  const head = ['| option | value | default | meaning |', '|---|---|---|---|']
  return [`## ${chapter.title}`, '', chapter.about, '', ...head, ...rows, ''].join('\n')
}

/** The generated files: their path in the repository and their text. */
export function generatedFiles(): { path: string; text: string }[] {
  return [
    { path: 'src/config/options.ts', text: optionTypes() },
    { path: 'src/config/proxy-options.ts', text: proxyOptionTypes() },
    { path: 'src/config/listener-options.ts', text: listenerOptionTypes() },
    { path: 'src/config/intake-options.ts', text: intakeOptionTypes() },
    { path: 'src/config/function-options.ts', text: functionOptionTypes() },
    { path: 'src/config/hook-options.ts', text: hookOptionTypes() },
    { path: 'docs/CONFIGURATION.md', text: documentation() },
  ]
}

if (import.meta.main) {
  const root = new URL('../', import.meta.url)
  mkdirSync(fileURLToPath(new URL('docs', root)), { recursive: true })
  for (const { path, text } of generatedFiles()) writeFileSync(new URL(path, root), text)
}
