// sluice run: serves what the configuration says.

import { resolve } from 'node:path'
import type { Command } from './command.ts'
import { configOptions, loadNamedConfig } from './configuration.ts'
import { serveUntilSignal } from './serving.ts'

export const run: Command = {
  name: 'run',
  usage: '',
  summary: 'serve what the configuration says (the default command)',
  details: `Prints one line for every listener when it is ready: listening on http://127.0.0.1:8080
SIGTERM and SIGINT finish running requests and exit; a second one ends them at once.
SIGHUP reads the configuration again, as \`sluice reload\` and --watch do (docs/RELOAD.md).
SIGUSR1 opens the access log's file anew. With --handover a process that is started while
another serves takes its listening sockets over; that one then finishes and exits.`,
  options: {
    ...configOptions,
    watch: { help: 'read the configuration again when it, or what it imports, changes' },
    handover: { value: 'PATH', help: 'unix socket by which a successor takes over' },
  },
  words: [0, 0],
  run: async (invocation) => {
    const { watch, handover } = invocation.options
    return serveUntilSignal(() => loadNamedConfig(invocation), {
      watch: watch !== undefined,
      handover: handover === undefined ? undefined : resolve(handover),
    })
  },
}
