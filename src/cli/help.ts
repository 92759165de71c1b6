// The help texts, made from the table of commands.

import type { Command } from './command.ts'

/** What `sluice --help` prints. */
export function generalHelp(commands: readonly Command[]): string {
  const rows = commands.map(({ name, usage, summary }) => [`${name} ${usage}`.trim(), summary])
  return `Sluice, a reverse proxy and file-serving gateway.

Usage: sluice [COMMAND] [OPTIONS]

Commands:
${columns(rows)}

Options:
${columns([
  ['--help', 'show this, or the help of a command'],
  ['--version', 'show the version'],
])}

sluice help COMMAND tells more. Exit codes: 0 fine, 1 failed at run time, 2 bad usage or bad
configuration.`
}

/** What `sluice help COMMAND` prints. */
export function commandHelp({ name, usage, summary, details, options }: Command): string {
  const rows = Object.entries(options).map(([key, { value, help }]) => {
    return [value === undefined ? `--${key}` : `--${key} ${value}`, help]
  })
  const words = ['Usage: sluice', name, usage, rows.length > 0 ? '[OPTIONS]' : '']
  const head = words.filter((word) => word !== '').join(' ')
  const list = rows.length > 0 ? `\n\nOptions:\n${columns(rows)}` : ''
  return `${head}\n\n${sentence(summary)}\n\n${details}${list}`
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

/** Two columns, indented. */
export function columns(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([left = '']) => left.length))
  return rows.map(([left = '', right]) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}
