// sluice serve: the files of a directory, without a configuration file.

import { files } from '../config/actions.ts'
import { ConfigError, type Problem, problemLine } from '../config/errors.ts'
import type { ResolvedConfig } from '../config/resolved.ts'
import { resolveConfig } from '../config/validate.ts'
import { type Command, type Invocation, UsageError } from './command.ts'
import { serveUntilSignal } from './serving.ts'

export const serve: Command = {
  name: 'serve',
  usage: '[DIR]',
  summary: 'serve the files of a directory, without a configuration',
  details: 'DIR is the working directory unless named. No listings, no dotfiles.',
  options: {
    port: { value: 'N', help: 'TCP port (default: 8080; 0: any free one)' },
    host: { value: 'ADDRESS', help: "IP address (default: 127.0.0.1; '::' for every address)" },
  },
  words: [0, 1],
  run: async (invocation) => serveUntilSignal(() => configuration(invocation)),
}

// What the configuration calls these, and what the command line does.
const ownNames: Record<string, string> = {
  'listen.port': '--port',
  'listen.host': '--host',
  'routes["/*"].files.root': 'DIR',
}

function configuration({ words, options }: Invocation): ResolvedConfig {
  const { port = '8080', host } = options
  const listen = { port: /^\d+$/.test(port) ? Number(port) : port, ...(host && { host }) }
  const config = { listen, routes: { '/*': files(words[0] ?? '.') } }
  try {
    return resolveConfig(config, { file: '', directory: process.cwd() })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new UsageError(error.problems.map(renamed).join('; '))
  }
}

function renamed({ path, message }: Problem): string {
  return problemLine({ path: ownNames[path] ?? path, message })
}
