// Writes what follows from the tables of src/config/schema.ts: the types of the options with their
// docstrings (src/config/options.ts) and docs/CONFIGURATION.md. A test fails when either is behind.
//
//   node scripts/generate-config-docs.ts

import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as schema from '../src/config/schema.ts'
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
    title: '`files(root, options)`',
    typeName: 'FilesOptions',
    about: 'Options of files().',
    prefix: '',
    options: schema.files as Chapter['options'],
  },
  {
    title: '`respond(status, body, options)`',
    typeName: 'RespondOptions',
    about: 'Options of respond().',
    prefix: '',
    options: schema.respond as Chapter['options'],
  },
  {
    title: '`redirect(status, location, options)`',
    typeName: 'RedirectOptions',
    about: 'Options of redirect().',
    prefix: '',
    options: schema.redirect as Chapter['options'],
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
  const head = `// The options that people write, with units and defaults for their editors. Written from the tables of
// config/schema.ts by scripts/generate-config-docs.ts: change those, then run it.

import type { Duration, Size } from './units.ts'
`
  return [head, ...chapters.map(interfaceText)].join('\n')
}

function interfaceText(chapter: Chapter): string {
  const members = Object.entries(chapter.options).map(([key, option]) => {
    const isSection = JSON.stringify(option.default) === '{}'
    const sentence = isSection ? '' : ` Default: ${defaultOf(option, (text) => `\`${text}\``)}.`
    return `${comment(`${option.doc}${sentence}`)}\n  ${key}?: ${option.kind.typescript}`
  })
  return `/** ${chapter.about} */\nexport interface ${chapter.typeName} {\n${members.join('\n')}\n}\n`
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
  return [introduction, ...chapters.map(tableText)].join('\n')
}

function tableText(chapter: Chapter): string {
  const rows = Object.entries(chapter.options).map(([key, option]) => {
    const value = option.kind.expected.replaceAll('|', '\\|')
    const byDefault = defaultOf(option, (text) => `\`${text}\``)
    const shown = JSON.stringify(option.default) === '{}' ? '' : byDefault
    return `| \`${chapter.prefix}${key}\` | ${value} | ${shown} | ${option.doc} |`
  })
  const head = ['| option | value | default | meaning |', '|---|---|---|---|']
  return [`## ${chapter.title}`, '', chapter.about, '', ...head, ...rows, ''].join('\n')
}

const introduction = `<!-- Written by scripts/generate-config-docs.ts from src/config/schema.ts: change that, then run it. -->

# Configuration

Sluice reads \`gateway.config.ts\` (or \`.mts\`, \`.js\`, \`.mjs\`) in the working directory, or the file that
\`--config FILE\` names. It is a module whose default export is a configuration:

\`\`\`ts
import { defineGateway, files, redirect, respond } from 'sluice'

export default defineGateway({
  listen: 8080,
  routes: {
    '/*': files('public'),
    'GET /healthz': respond(200, 'ok'),
    'old.example.com/*': redirect(308, 'https://example.com$path'),
  },
})
\`\`\`

- \`'sluice'\` can be imported wherever the file lies; everything else is resolved from where it lies.
- Node strips the types, so only erasable syntax works (no \`enum\`, no parameter properties).
- The file is evaluated once, apart from the gateway, and must finish within ten seconds
  (\`--config-timeout\`). What it exports is plain data.
- Durations are milliseconds or \`'250ms'\`, \`'5s'\`, \`'2m'\`, \`'1h'\`, \`'1d'\`. Sizes are bytes or \`'512b'\`, \`'64kb'\`,
  \`'1mb'\`, \`'2gb'\`; 1 kb is 1024 bytes.
- Relative paths start at the directory of the file.
- \`sluice check\` reports everything that is wrong at once, \`sluice print\` shows what was understood, and
  \`sluice explain URL\` says which route takes a request.

## Routes

A key of \`routes\` is \`[METHOD ][host]/path\`, for example \`'GET *.example.com/users/:name/*'\`.

| part | meaning |
|---|---|
| method | Upper case. Without one the route takes every method; \`GET\` also takes \`HEAD\`. |
| host | Without port. \`*.example.com\` is any name below it. Without one the route takes every host. |
| literal segment | Compared after percent-decoding, exactly. |
| \`:name\` | One segment, whatever it is. |
| final \`*\` | The rest of the path: \`/docs/*\` takes \`/docs\`, \`/docs/\` and \`/docs/a/b\`, never \`/docsearch\`. |

The most specific key wins, whatever the order: an exact host before \`*.\` before none, then segment by segment a
literal before \`:name\` before \`*\`, then a method before none. Two keys that take the same requests are an error.

| value | meaning |
|---|---|
| \`files(root, options)\` | Serves the files beneath a directory: what the final \`*\` matched is looked up there. |
| \`respond(status, body, options)\` | A fixed answer; a string, bytes, or a value that is sent as JSON. |
| \`redirect(status, location, options)\` | 301, 302, 303, 307 or 308 to a URL or a path. |

Variables in a location: \`$path\` and \`$query\` (with its \`?\`) of the request, \`$host\` (without port), \`$rest\` (what the
final \`*\` matched, with its leading \`/\`) and \`$name\` for a parameter \`:name\`; \`$$\` is a dollar sign. A visitor can never
choose the host that he is sent to: a location begins with \`/\`, \`$path\`, \`$rest\` or a host that is written out.
`

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
