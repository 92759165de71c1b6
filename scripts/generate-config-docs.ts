// Writes what follows from the tables of src/config/schema.ts: the types of the options with their
// docstrings (src/config/options.ts) and docs/CONFIGURATION.md. A test fails when either is behind.
//
//   node scripts/generate-config-docs.ts

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { accessLog } from '../src/config/access-log.ts'
import * as schema from '../src/config/schema.ts'
import * as routes from '../src/config/schema-routes.ts'
import type { Option } from '../src/config/section.ts'

interface Chapter {
  /** Heading in the documentation. */
  title: string
  typeName: string
  /** One sentence for the type and under the heading. */
  about: string
  /** Precedes each key in the documentation. */
  prefix: string
  options: Record<string, Option<unknown>>
}

const chapters: Chapter[] = [
  {
    title: 'Top level',
    typeName: 'GatewayOptions',
    about: 'The top level of a configuration, beside its routes.',
    prefix: '',
    options: schema.gateway as Chapter['options'],
  },
  {
    title: '`listen`',
    typeName: 'ListenerOptions',
    about: 'One place to accept connections: a port or a path.',
    prefix: 'listen.',
    options: schema.listener as Chapter['options'],
  },
  {
    title: '`limits`',
    typeName: 'LimitsOptions',
    about: 'What one client may ask for at most.',
    prefix: 'limits.',
    options: schema.limits as Chapter['options'],
  },
  {
    title: '`timeouts`',
    typeName: 'TimeoutsOptions',
    about: 'How long a client may take.',
    prefix: 'timeouts.',
    options: schema.timeouts as Chapter['options'],
  },
  {
    title: '`transfer`',
    typeName: 'TransferOptions',
    about: 'How bytes are moved.',
    prefix: 'transfer.',
    options: schema.transfer as Chapter['options'],
  },
  {
    title: '`cache`',
    typeName: 'CacheOptions',
    about: 'Bounds of what is remembered about files.',
    prefix: 'cache.',
    options: schema.cache as Chapter['options'],
  },
  {
    title: '`accessLog`',
    typeName: 'AccessLogOptions',
    about: 'One line for every request.',
    prefix: 'accessLog.',
    options: accessLog as Chapter['options'],
  },
  {
    title: '`files(root, options)`',
    typeName: 'FilesOptions',
    about: 'Options of files().',
    prefix: '',
    options: routes.files as Chapter['options'],
  },
  {
    title: '`respond(status, body, options)`',
    typeName: 'RespondOptions',
    about: 'Options of respond().',
    prefix: '',
    options: routes.respond as Chapter['options'],
  },
  {
    title: '`redirect(status, location, options)`',
    typeName: 'RedirectOptions',
    about: 'Options of redirect().',
    prefix: '',
    options: routes.redirect as Chapter['options'],
  },
]

/** `'30s'`, `8080`, or the words that describe a default which depends. */
function defaultOf(option: Option<unknown>, code: (text: string) => string): string {
  if (option.defaultText !== undefined) {
    return option.defaultText.startsWith("'") ? code(option.defaultText) : option.defaultText
  }
  if (option.default === undefined) return 'none'
  return code(JSON.stringify(option.default).replaceAll('"', "'"))
}

/** The text of src/config/options.ts. */
export function optionTypes(): string {
  const head = `\
// The options that people write, with units and defaults for their editors. Written from the
// tables of schema.ts and schema-routes.ts: change those, then run scripts/generate-config-docs.ts.

import type { LogField } from '../native/access-log.ts'
import type { OtherAction } from './other-action.ts'
import type { Duration, Size } from './units.ts'
`
  return [head, ...chapters.map(interfaceText)].join('\n')
}

function interfaceText(chapter: Chapter): string {
  const members = Object.entries(chapter.options).map(([key, option]) => {
    const isSection = JSON.stringify(option.default) === '{}'
    const doc = oneLine(option.doc)
    const sentence = isSection ? '' : ` Default: ${defaultOf(option, (text) => `\`${text}\``)}.`
    return `${comment(`${doc}${sentence}`)}\n  ${key}?: ${option.kind.typescript}`
  })
  const head = `/** ${chapter.about} */\nexport interface ${chapter.typeName} {`
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
    { path: 'docs/CONFIGURATION.md', text: documentation() },
  ]
}

if (import.meta.main) {
  const root = new URL('../', import.meta.url)
  mkdirSync(fileURLToPath(new URL('docs', root)), { recursive: true })
  for (const { path, text } of generatedFiles()) writeFileSync(new URL(path, root), text)
}
