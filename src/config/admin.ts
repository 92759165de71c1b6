// The options of the admin listener. Main thread or the thread that evaluates a configuration;
// looks at the file system (the token's file must exist).

import { dirname, resolve } from 'node:path'
import { address, longestSocketPath, path } from './endpoint-kinds.ts'
import { count, type Kind, oneOrMany, orNone, refined, text } from './kinds.ts'
import { pathStatus, wrongStatus } from './path-status.ts'
import { isPlainObject, type Place } from './place.ts'
import type { ResolvedAdmin } from './resolved-admin.ts'
import { readSection, type Section } from './section.ts'

const hostName = text('the name of a host', (name) =>
  /^[\w.-]{1,253}$/.test(name) ? undefined : 'no request can name that',
)

const socketPath: Kind<string> = refined(path, (given, place) => {
  const absolute = resolve(place.directory, given)
  const folder = pathStatus(dirname(absolute))
  if (folder !== 'directory') {
    return place.report(`${dirname(absolute)}: ${wrongStatus('directory', folder)}`)
  }
  if (Buffer.byteLength(absolute) <= longestSocketPath) return absolute
  return place.report(`${absolute} is longer than the ${longestSocketPath} bytes of a socket`)
})

const tokenFile: Kind<string> = refined(path, (given, place) => {
  const absolute = resolve(place.directory, given)
  const status = pathStatus(absolute)
  if (status === 'file') return absolute
  return place.report(`${absolute}: ${wrongStatus('file', status)}`)
})

export const admin: Section<ResolvedAdmin> = {
  port: {
    kind: count(0, 65_535),
    default: undefined,
    doc: 'TCP port. 0: the system chooses a free one.',
  },
  host: {
    kind: address,
    default: undefined,
    defaultText: "'127.0.0.1'",
    doc: 'Address to listen on; for this machine only unless it says otherwise.',
  },
  path: {
    kind: socketPath,
    default: undefined,
    doc: 'Unix socket to listen on, instead of a port or beside it.',
  },
  tokenFile: {
    kind: tokenFile,
    default: undefined,
    doc: `A file that holds the token for everything but /livez, /readyz and /metrics, at least 16
characters; read anew when it is used. Without it the environment's SLUICE_ADMIN_TOKEN counts;
without either those requests are refused.`,
  },
  hosts: {
    kind: orNone(oneOrMany(hostName, 1)),
    default: false,
    doc: `Names that requests may have in their Host field, beside addresses, names without a dot
and the name of this machine.`,
  },
}

/** `false`: there is none. */
export const adminOrNot: Kind<ResolvedAdmin | false> = {
  expected: 'an object, or false',
  typescript: 'AdminOptions | false',
  read(value, place) {
    if (value === false) return false
    if (!isPlainObject(value)) return place.mismatch(this.expected, value)
    return whole.read(value, place)
  },
}

const whole: Kind<ResolvedAdmin> = refined(
  {
    expected: 'an object',
    typescript: 'AdminOptions',
    read: (value: unknown, place: Place) => readSection(admin, value, place),
  },
  (options, place) => {
    const { port, host = '127.0.0.1', path } = options
    if (port === undefined && path === undefined) return place.report('expected a port or a path')
    if (port === undefined && options.host !== undefined) {
      return place.at('host').report('without a port it is of no use')
    }
    if (port === undefined) return options
    return { ...options, host: host === 'localhost' ? '127.0.0.1' : host }
  },
)
