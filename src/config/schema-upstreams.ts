// The options of an upstream: its targets, how requests are spread over them, when one is believed
// to be well. As config/schema.ts has those of the gateway.

import { fieldName } from './fields.ts'
import { hostValue } from './host-value.ts'
import {
  boolean,
  choice,
  count,
  duration,
  falseFor,
  type Kind,
  oneOrMany,
  orNothing,
  refined,
  text,
} from './kinds.ts'
import { isPlainObject, type Place, shown } from './place.ts'
import type { ResolvedHealth, ResolvedTarget, ResolvedUpstream } from './resolved.ts'
import { checkTransport, targetTls } from './schema-target-tls.ts'
import { readSection, type Section, section, shorthand } from './section.ts'
import { isStatusPattern, type StatusPattern } from './status-pattern.ts'
import { type NamedAddress, readTargetUrl } from './targets.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

const targetUrl: Kind<NamedAddress> = {
  expected: "a URL such as 'http://10.0.0.1:3000' or 'unix:/run/app.sock'",
  typescript: 'string',
  read: readTargetUrl,
}

type TargetSettings = Pick<ResolvedTarget, 'weight' | 'maxConnections' | 'backup'> & {
  url: NamedAddress
}

export const target: Section<TargetSettings> = {
  url: {
    kind: targetUrl,
    default: undefined,
    required: true,
    doc: `Where it is: 'http://host:port' or 'https://host:port', with a name or an address, 'unix:'
and the path of a socket, relative to the configuration file, or 'srv:' and the name of a service,
whose SRV records say host, port, weight and who is a backup.`,
  },
  weight: {
    kind: count(1, 1_000),
    default: 1,
    doc: 'Its share of the requests, beside the weights of the others.',
  },
  maxConnections: {
    kind: count(0, 1_000_000),
    default: 0,
    doc: `Requests that it gets at once, over all workers and for each of its addresses; more wait
in the queue. 0: any number.`,
  },
  backup: {
    kind: boolean(),
    default: false,
    doc: 'Whether it gets requests only while no other target can take them.',
  },
}

const targetOrUrl = shorthand(target, 'TargetOptions', 'url')

/** One target or a list; the same address twice is a slip. */
const targets: Kind<ResolvedTarget[]> = {
  ...oneOrMany(targetOrUrl, 1),
  read(value, place) {
    const read = oneOrMany(targetOrUrl, 1).read(value, place)
    const flat = read?.map(({ url: named, ...settings }) => ({ ...named, ...settings }))
    const twin = flat?.find(({ url }, at) => flat.findIndex((other) => other.url === url) < at)
    if (twin) return place.report(`${shown(twin.url)} is there twice: use 'weight'`)
    const service = flat?.find((one) => 'service' in one.address && (one.weight > 1 || one.backup))
    if (service) {
      return place.report(`${shown(service.url)}: its records say 'weight' and who is a backup`)
    }
    return flat
  },
}

type Key = ResolvedUpstream['key']

const cookieName = fieldName.read

const key: Kind<Key> = {
  expected: "'address', 'path', { header: NAME } or { cookie: NAME }",
  typescript: "'address' | 'path' | { readonly header: string } | { readonly cookie: string }",
  read(value, place) {
    if (value === 'address' || value === 'path') return { kind: value, name: '' }
    const entries = isPlainObject(value) ? Object.entries(value) : []
    const [kind, name] = entries[0] ?? []
    if (entries.length !== 1 || (kind !== 'header' && kind !== 'cookie')) {
      return place.mismatch(this.expected, value)
    }
    const read = cookieName(name, place.at(kind))
    if (read === undefined) return undefined
    return { kind, name: kind === 'header' ? read.toLowerCase() : read }
  },
}

export const keepAlive: Section<ResolvedUpstream['keepAlive']> = {
  connections: {
    kind: count(0, 100_000),
    default: 64,
    doc: 'Idle connections that each worker keeps to each target. 0: none.',
  },
  idle: {
    kind: duration(100, hour),
    default: '4s',
    doc: `How long one is kept; less when the target's Keep-Alive field says so. Shorter than what
the target allows, or requests meet connections that it is just closing.`,
  },
}

export const queue: Section<ResolvedUpstream['queue']> = {
  length: {
    kind: count(0, 1_000_000),
    default: 1_024,
    doc: `Requests of one worker that may wait while every target has its maxConnections; then
503.`,
  },
  timeout: {
    kind: duration(1, 10 * minute),
    default: '5s',
    doc: 'How long one may wait; then 503.',
  },
}

export const ejection: Section<ResolvedUpstream['ejection']> = {
  failures: {
    kind: count(0, 1_000_000),
    default: 5,
    doc: `Requests in a row that a target fails (refused, reset, silent, nonsense) before it gets
none for a while. 0: any number.`,
  },
  percent: {
    kind: count(0, 100),
    default: 0,
    doc: `The same when this percentage of its requests fails, of at least 20 within ten seconds.
0: never.`,
  },
  time: {
    kind: duration(100, hour),
    default: '10s',
    doc: 'For how long; then one request at a time tries it, until one is answered.',
  },
  failFast: {
    kind: boolean(),
    default: false,
    doc: `Whether requests get 503 at once while every target is ejected, so that what is overloaded
can recover. false: to try one is better than to answer 503.`,
  },
}

const status: Kind<StatusPattern> = {
  expected: "a status such as 200, or a class such as '2xx'",
  typescript: 'StatusPattern',
  read: (value, place) => (isStatusPattern(value) ? value : place.mismatch(status.expected, value)),
}

const checkedPath = text("a path such as '/healthz'", (path) => {
  if (!path.startsWith('/')) return "it begins with '/'"
  return /^[!"$-~]+$/.test(path) ? undefined : 'that is not how a path is sent'
})

const bodyPart = text('a text', (part) => {
  return Buffer.byteLength(part) <= 1_024 ? undefined : 'at most 1024 bytes'
})

export const health: Section<ResolvedHealth> = {
  path: {
    kind: checkedPath,
    default: '/',
    doc: 'What is asked for, with a query if there is one.',
  },
  method: {
    kind: choice('GET', 'HEAD', 'OPTIONS'),
    default: 'GET',
    doc: 'How it is asked.',
  },
  status: {
    kind: oneOrMany(status, 1),
    default: '2xx',
    doc: 'Answers of a target that is well: statuses, or classes of them.',
  },
  body: {
    kind: bodyPart,
    default: '',
    doc: "A text that the answer's first 64 KiB contain. '': any answer will do.",
  },
  host: {
    kind: orNothing(hostValue),
    default: false,
    doc: "The Host field of a check. false: the target's own.",
  },
  tcp: {
    kind: boolean(),
    default: false,
    doc: 'Whether a connection is enough, and nothing is asked.',
  },
  interval: {
    kind: duration(100, 24 * hour),
    default: '5s',
    doc: 'From one check of a target to the next, give or take a tenth.',
  },
  timeout: {
    kind: duration(10, 10 * minute),
    default: '2s',
    doc: 'For the whole check; later is failed.',
  },
  rise: {
    kind: count(1, 1_000),
    default: 2,
    doc: 'Checks in a row that pass before a target that is down is up.',
  },
  fall: {
    kind: count(1, 1_000),
    default: 3,
    doc: `Checks in a row that fail before a target that is up is down. Its first check decides
alone.`,
  },
}

const healthKind = refined(shorthand(health, 'HealthOptions', 'path'), checkHealth)

function checkHealth(read: ResolvedHealth, place: Place): ResolvedHealth | undefined {
  if (read.method === 'HEAD' && read.body !== '') {
    return place.at('body').report('an answer to HEAD has no body')
  }
  return read
}

const noEjection: ResolvedUpstream['ejection'] = {
  failures: 0,
  percent: 0,
  time: 10 * second,
  failFast: false,
}

type UpstreamSettings = Omit<ResolvedUpstream, 'name' | 'key'> & { key?: Key }

export const upstream: Section<UpstreamSettings> = {
  targets: {
    kind: targets,
    default: undefined,
    required: true,
    doc: `Where requests go. A name is resolved again as its time to live says; every address of it
is a target of its own.`,
  },
  balance: {
    kind: choice('random-two', 'round-robin', 'least-connections', 'hash', 'sticky'),
    default: 'random-two',
    doc: `Who gets a request: the less busy of two that chance picks; each in turn; the least busy
of all; the one that 'key' leads to, as long as it is there and not overloaded; the one that a
cookie names, which the first answer sets.`,
  },
  key: {
    kind: key,
    default: undefined,
    defaultText: "'address'; for sticky { cookie: 'sluice-target' }",
    doc: "What 'hash' looks at, or the cookie of 'sticky'.",
  },
  keepAlive: {
    kind: section(keepAlive, 'KeepAliveOptions'),
    default: {},
    doc: 'Connections that wait for their next request.',
  },
  queue: {
    kind: section(queue, 'QueueOptions'),
    default: {},
    doc: 'Requests that wait for a target.',
  },
  ejection: {
    kind: falseFor(section(ejection, 'EjectionOptions'), noEjection),
    default: {},
    doc: 'When a target that fails requests gets none for a while. false: never.',
  },
  slowStart: {
    kind: duration(0, hour),
    default: 0,
    doc: 'A target that joins or comes back gets its full share only after this. 0: at once.',
  },
  transport: {
    kind: choice('auto', 'splice', 'undici'),
    default: 'auto',
    doc: `Who speaks HTTP with the targets. 'splice': the workers, in HTTP/1.1, through a process
that adds TLS for https: targets. 'undici': that process, by undici. 'auto': 'undici' with allowH2,
else 'splice'.`,
  },
  allowH2: {
    kind: boolean(),
    default: false,
    doc: 'Whether https: targets that can are spoken to in HTTP/2, as ALPN finds.',
  },
  tls: {
    kind: section(targetTls, 'TargetTlsOptions'),
    default: {},
    doc: `How TLS is spoken with https: targets. Certificates are verified unless this says not
to.`,
  },
  proxyProtocol: {
    kind: choice(false, 'v1', 'v2'),
    default: false,
    doc: `Whether a connection begins with a header of the PROXY protocol, for targets that ask for
it. Such connections are not shared by clients.`,
  },
  health: {
    kind: falseFor(healthKind, false),
    default: false,
    doc: "Checks of every target: a path, or an object. false: none, only 'ejection' watches.",
  },
}

export type InlineUpstream = Omit<UpstreamSettings, 'targets'>

/** Those that proxy() takes beside inline targets. */
const { targets: _targets, ...inline } = upstream
export const inlineUpstream: Section<InlineUpstream> = inline

/** Completes what `readSection` gave: the key that the balance needs. Reports. */
export function completeUpstream(
  { key: given, ...settings }: UpstreamSettings,
  place: Place,
): Omit<ResolvedUpstream, 'name'> | undefined {
  const { balance } = settings
  const at = place.at('key')
  if (given !== undefined && balance !== 'hash' && balance !== 'sticky') {
    return at.report(`only balance: 'hash' and 'sticky' look at a key, and it is '${balance}'`)
  }
  if (balance === 'sticky' && given !== undefined && given.kind !== 'cookie') {
    return at.report("balance: 'sticky' needs { cookie: NAME }")
  }
  if (!checkTransport(settings, place)) return undefined
  const fallback: Key =
    balance === 'sticky' ? { kind: 'cookie', name: 'sluice-target' } : { kind: 'address', name: '' }
  return { ...settings, key: given ?? fallback }
}

const namePattern = /^[A-Za-z][\w.-]*$/

/** The option `upstreams`: an object whose keys the user invents. */
export const upstreams: Kind<ResolvedUpstream[]> = {
  expected: 'an object of names and upstreams',
  typescript: '{ readonly [name: string]: UpstreamOptions }',
  read(value, place) {
    if (!isPlainObject(value)) return place.mismatch(this.expected, value)
    const before = place.problems.length
    const read = Object.entries(value).map(([name, options]) => {
      const at = place.at(name)
      if (!namePattern.test(name)) at.report("a name is letters, digits, '-', '_' and '.'")
      const settings = readSection(upstream, options, at)
      const complete = settings && completeUpstream(settings, at)
      return complete && { name, ...complete }
    })
    if (place.problems.length > before) return undefined
    return read.filter((one) => one !== undefined)
  },
}
