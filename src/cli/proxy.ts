// sluice proxy: one listener, one upstream, without a configuration file.

import { type InlineProxyOptions, proxy as proxyAction } from '../config/actions.ts'
import { ConfigError, type Problem, problemLine } from '../config/errors.ts'
import type { ResolvedConfig } from '../config/resolved.ts'
import { resolveConfig } from '../config/validate.ts'
import { type Command, type Invocation, UsageError } from './command.ts'
import { serveUntilSignal } from './serving.ts'

/** More targets than this want a configuration. */
const mostWords = 33

export const proxy: Command = {
  name: 'proxy',
  usage: 'FROM TO…',
  summary: 'forward what arrives at FROM to TO, without a configuration',
  details: `FROM is where to listen: 8080, 0.0.0.0:8080, [::]:8080 or unix:/run/front.sock.
TO is a target: http://10.0.0.1:3000, app:3000, 3000 (on this machine) or unix:/run/app.sock.
Several of them share the requests.`,
  options: {
    host: { value: 'HOST', help: "the Host field: 'preserve' (default), 'target' or a value" },
    health: { value: 'PATH', help: 'check each target by this path (default: no checks)' },
    'strip-prefix': { value: 'PATH', help: 'take these segments off, for what is beneath them' },
  },
  words: [2, mostWords],
  run: async (invocation) => serveUntilSignal(() => configuration(invocation)),
}

function configuration({ words: [from = '', ...to], options }: Invocation): ResolvedConfig {
  const prefix = options['strip-prefix']
  const chosen: InlineProxyOptions = {
    ...(options.host !== undefined && { host: options.host }),
    ...(options.health !== undefined && { health: options.health }),
    ...(prefix !== undefined && { stripPrefix: prefix }),
  }
  const key = prefix === undefined ? '/*' : `${prefix}/*`
  const action = { ...proxyAction([], chosen), to: to.map(completeTarget) }
  const config = { listen: listenerOf(from), routes: { [key]: action } }
  try {
    return resolveConfig(config, { file: '', directory: process.cwd() })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new UsageError(error.problems.map(renamed).join('; '))
  }
}

/** `8080`, `host:8080`, `http://host:8080`, `unix:path` as an option `listen`. */
function listenerOf(from: string): object {
  if (from.startsWith('unix:')) return { path: from.slice('unix:'.length) }
  const place = from.replace(/^http:\/\//, '').replace(/\/$/, '')
  const [, host, port] = /^(?:(.*):)?(\d+)$/.exec(place) ?? []
  if (port === undefined) {
    throw new UsageError(`FROM is a port, an address and a port, or unix:PATH, not '${from}'`)
  }
  const address = host?.replace(/^\[(.*)\]$/, '$1')
  return { port: Number(port), ...(address && { host: address }) }
}

/** What people type for a target: `3000`, `:3000`, `app:3000`. */
function completeTarget(to: string): string {
  if (/^:?\d+$/.test(to)) return `http://127.0.0.1:${to.replace(':', '')}`
  return to.startsWith('unix:') || to.includes('://') ? to : `http://${to}`
}

function renamed({ path, message }: Problem): string {
  const names: [RegExp, string][] = [
    [/^listen/, 'FROM'],
    [/\.proxy\.to/, 'TO'],
    [/\.proxy\.host/, '--host'],
    [/\.proxy\.health/, '--health'],
    [/\.proxy\.stripPrefix/, '--strip-prefix'],
    [/^routes/, '--strip-prefix'],
  ]
  const name = names.find(([pattern]) => pattern.test(path))?.[1] ?? path
  return problemLine({ path: name, message })
}
