// Writes src/native/errors.ts and docs/ERRORS.md from native/core/errors.def, the one list of
// errors. Run after the list has changed: node scripts/generate-error-docs.ts A test fails when the
// written files differ from what this would write.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** One row of errors.def. */
export interface ErrorRow {
  name: string
  status: number
  source: string
  retry: string
  meaning: string
}

const root = new URL('../', import.meta.url)
const rowPattern = new RegExp(
  '^SLUICE_ERROR\\(\\w+, (?<status>\\d+), (?<source>\\w+), (?<retry>\\w+), ' +
    '"(?<name>[^"]+)", "(?<meaning>[^"]+)"\\)$',
)

/** The rows of the list without 'none'. Throws on a row that it cannot read. */
export function readErrors(): ErrorRow[] {
  const list = readFileSync(new URL('native/core/errors.def', root), 'utf8')
  const lines = list.split('\n').filter((line) => line.startsWith('SLUICE_ERROR'))
  return lines.map(readRow).filter((row) => row.name !== 'none')
}

function readRow(line: string): ErrorRow {
  const { status, source, retry, name, meaning } = rowPattern.exec(line)?.groups ?? {}
  if (!status || !source || !retry || !name || !meaning) {
    throw new Error(`native/core/errors.def: cannot read ${line}`)
  }
  return { name, status: Number(status), source, retry, meaning }
}

/** Text of each generated file by its path in the repository. */
export function generateErrorFiles(): Record<string, string> {
  const rows = readErrors()
  return { 'src/native/errors.ts': typescript(rows), 'docs/ERRORS.md': markdown(rows) }
}

function typescript(rows: ErrorRow[]): string {
  const entries = rows.flatMap(({ name, status, source, meaning }) => {
    const key = /^[a-z]+$/.test(name) ? name : quoted(name)
    const facts = `status: ${status}, source: '${source}'`
    const line = `  ${key}: { ${facts}, meaning: ${quoted(meaning)} },`
    if (line.length <= 100) return [line]
    return [
      `  ${key}: {`,
      `    status: ${status},`,
      `    source: '${source}',`,
      ...property('meaning', meaning),
      '  },',
    ]
  })
  return `// The errors of the core by their names in logs and stats. Pure data, any thread.
// Written by scripts/generate-error-docs.ts from native/core/errors.def; do not edit.

/** What is known of one error; status 0: no answer is sent, the connection just closes. */
export interface ErrorInfo {
  readonly status: number
  readonly source: 'downstream' | 'upstream' | 'internal' | 'config'
  readonly meaning: string
}

/** Every error of the core. */
export const errors = {
${entries.join('\n')}
} as const satisfies Record<string, ErrorInfo>

/** Name of an error, as in logs and stats. */
export type ErrorName = keyof typeof errors

/** What is known of \`name\`; undefined when it is not of the core, such as an errno name. */
export function errorInfo(name: string): ErrorInfo | undefined {
  return Object.hasOwn(errors, name) ? errors[name as ErrorName] : undefined
}
`
}

// Broken where the formatter would break it: at 100 columns.
function property(key: string, text: string): string[] {
  const line = `    ${key}: ${quoted(text)},`
  return line.length <= 100 ? [line] : [`    ${key}:`, `      ${quoted(text)},`]
}

function quoted(text: string): string {
  return text.includes("'") ? JSON.stringify(text) : `'${text}'`
}

function markdown(rows: ErrorRow[]): string {
  const lines = rows.map(({ name, status, source, retry, meaning }) => {
    const cells = [`\`${name}\``, status === 0 ? 'closes' : status, source, retry, meaning]
    return `| ${cells.join(' | ')} |`
  })
  return `# Errors

<!-- Written by scripts/generate-error-docs.ts from native/core/errors.def; do not edit. -->

Every error that the core tells apart: its name in the log and in \`stats()\`, the status that a
client gets (*closes*: none, the connection is closed), whose fault it is, and whether a proxied
request may be tried again.

| name | status | source | retry | meaning |
|---|---|---|---|---|
${lines.join('\n')}
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(generateErrorFiles())) {
    writeFileSync(new URL(path, root), text)
  }
}
