// sluice print: the configuration as it was understood.

import type { Command } from './command.ts'
import { configOptions, loadNamedConfig } from './configuration.ts'

export const print: Command = {
  name: 'print',
  usage: '',
  summary: 'show the configuration with every default filled in, as JSON',
  details:
    'Durations are milliseconds, sizes bytes, paths absolute. Of long bodies the size is shown.',
  options: configOptions,
  words: [0, 0],
  async run(invocation) {
    console.log(JSON.stringify(await loadNamedConfig(invocation), readable, 2))
    return 0
  },
}

// Longer bodies would bury the rest.
const longestText = 1_000

function readable(_key: string, value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value
  if (value.length > longestText) return { bytes: value.length }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(value)
  } catch {
    return { bytes: value.length }
  }
}
