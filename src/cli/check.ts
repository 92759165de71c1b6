// sluice check: whether the configuration can be used.

import type { ResolvedConfig } from '../config/resolved.ts'
import type { Command } from './command.ts'
import { configOptions, loadNamedConfig } from './configuration.ts'

export const check: Command = {
  name: 'check',
  usage: '',
  summary: 'say whether the configuration is fine, or everything that is wrong',
  details: 'Exits with 0 when it is fine, with 2 when it is not.',
  options: configOptions,
  words: [0, 0],
  async run(invocation) {
    const resolved = await loadNamedConfig(invocation)
    console.log(`configuration is fine: ${counted(resolved)} (${resolved.file})`)
    return 0
  },
}

function counted({ routes, listen, workers }: ResolvedConfig): string {
  const parts = [
    [routes.length, 'route'],
    [listen.length, 'listener'],
    [workers, 'worker'],
  ] as const
  return parts.map(([count, noun]) => `${count} ${noun}${count === 1 ? '' : 's'}`).join(', ')
}
