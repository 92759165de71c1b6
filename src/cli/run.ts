// sluice run: serves what the configuration says.

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
SIGUSR1 opens the access log's file anew.`,
  options: {
    ...configOptions,
    watch: { help: 'read the configuration again when it, or what it imports, changes' },
  },
  words: [0, 0],
  run: async (invocation) => {
    const watch = invocation.options.watch !== undefined
    return serveUntilSignal(await loadNamedConfig(invocation), { watch })
  },
}
