// Every option, once (those of routes in schema-routes.ts): its kind, range, default and meaning.
// Validation and defaults are read from these tables at load; config/options.ts (the types with
// their docstrings) and docs/CONFIGURATION.md are written from them by
// scripts/generate-config-docs.ts.

import { resolve } from 'node:path'
import { usableCpus } from '../native/cpus.ts'
import { accessLogOrNot } from './access-log.ts'
import { adminOrNot } from './admin.ts'
import { address, path } from './endpoint-kinds.ts'
import { fieldValue } from './fields.ts'
import {
  boolean,
  choice,
  count,
  duration,
  type Kind,
  oneOrMany,
  orNone,
  refined,
  size,
  text,
} from './kinds.ts'
import { completeListeners } from './listeners.ts'
import { network } from './networks.ts'
import { pathStatus, wrongStatus } from './path-status.ts'
import { gatewayHooks } from './read-hooks.ts'
import type {
  ResolvedCache,
  ResolvedConfig,
  ResolvedLimits,
  ResolvedListener,
  ResolvedTimeouts,
  ResolvedTransfer,
} from './resolved.ts'
import { tls } from './schema-tls.ts'
import { upstreams } from './schema-upstreams.ts'
import { type Section, section, shorthand } from './section.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const kb = 1024
const mb = 1024 * kb
const gb = 1024 * mb

const mostWorkers = 256

export const listener: Section<Omit<ResolvedListener, 'redirectsTo'>> = {
  port: {
    kind: count(0, 65_535),
    default: undefined,
    doc: 'TCP port. 0: the system chooses a free one.',
  },
  host: {
    kind: address,
    default: undefined,
    defaultText: "'127.0.0.1'",
    doc: `Address to listen on. The default takes connections from this machine only; '0.0.0.0' is
every IPv4 address, '::' every address.`,
  },
  path: {
    kind: path,
    default: undefined,
    doc: `Unix socket to listen on instead of a port, relative to the configuration file; at most
107 bytes.`,
  },
  proxyProtocol: {
    kind: boolean(),
    default: false,
    doc: `Whether connections begin with a header of the PROXY protocol (v1 or v2), which only
'trustedProxies' may send; connections of others are closed.`,
  },
  tcp: {
    kind: text('the name of an upstream', () => undefined),
    default: undefined,
    doc: `The upstream that gets the connections as they are, whatever is spoken on them. Without
it, HTTP.`,
  },
  tls: {
    kind: section(tls, 'TlsOptions'),
    default: undefined,
    doc: 'Certificates and more: connections are encrypted. See docs/TLS.md.',
  },
}

export const limits: Section<ResolvedLimits> = {
  connectionsPerWorker: {
    kind: count(1, 1_000_000),
    default: 20_000,
    doc: 'Client connections that one worker keeps open.',
  },
  connectionsPerAddress: {
    kind: count(0, 1_000_000),
    default: 0,
    doc: 'Connections from one client address over all workers. 0: no limit.',
  },
  keepAliveRequests: {
    kind: count(0, 1_000_000_000),
    default: 0,
    doc: 'Requests on one connection before it is closed. 0: no limit.',
  },
  headBytes: {
    kind: size(1 * kb, 1 * mb),
    default: '32kb',
    doc: 'Request line and header fields together; more is answered with 431.',
  },
  responseHeadBytes: {
    kind: size(1 * kb, 1 * mb),
    default: '64kb',
    doc: `Status line and header fields of what a target answers, interim answers together; more is
502.`,
  },
  targetBytes: {
    kind: size(256, 256 * kb),
    default: '8kb',
    doc: 'The request target (path and query); more is answered with 414.',
  },
  headers: {
    kind: count(8, 256),
    default: 100,
    doc: 'Header fields of a request; more is answered with 431.',
  },
  bodyBytes: {
    kind: size(0, 1024 * gb),
    default: '10mb',
    doc: `Body of a request; more is answered with 413. proxy() routes, which pass bodies on, have a
limit only when one is set here or at the route.`,
  },
  handshakes: {
    kind: count(1, 1_000_000),
    default: 4_096,
    doc: `TLS handshakes that are under way in one worker at once; connections beyond it are closed.
Each takes 20 to 50 KB until it is done, 150 KB when the client sends that much, at most for
'timeouts.head'.`,
  },
  mirrors: {
    kind: count(0, 1_000_000),
    default: 1_000,
    doc: `Copies of requests that are under way to mirrors, over all workers; requests beyond it are
not mirrored.`,
  },
  mirrorBytes: {
    kind: size(0, 1024 * gb),
    default: '256mb',
    doc: `Bytes that mirrors have not taken yet, over all workers; beyond it copies are given up.`,
  },
}

export const timeouts: Section<ResolvedTimeouts> = {
  head: {
    kind: duration(100, hour),
    default: '10s',
    doc: `From the first byte of a request to the end of its head; then 408. A connection whose
first request does not begin in this time is closed.`,
  },
  body: {
    kind: duration(100, hour),
    default: '30s',
    doc: 'Between two arrivals of a request body; then 408.',
  },
  idle: {
    kind: duration(100, 24 * hour),
    default: '60s',
    doc: 'After an answer, a connection without another request is closed after this.',
  },
  write: {
    kind: duration(100, hour),
    default: '30s',
    doc: `A client that acknowledges no byte of its answer for this long is closed, within half of
it more.`,
  },
  minimumRate: {
    kind: size(0, 1 * gb),
    default: 100,
    doc: `Bytes per second of a body that a client takes (counted over each 'write') or sends (over
each 'body') at least; slower ones are closed, after one and a half such periods of grace. 0: any.`,
  },
  drain: {
    kind: duration(0, 24 * hour),
    default: '30s',
    doc: 'At shutdown, requests that still run after this are cut off.',
  },
  drainDelay: {
    kind: duration(0, hour),
    default: 0,
    doc: `At shutdown, how long /readyz says 503 while everything is still served, for load
balancers to notice; then 'drain' begins.`,
  },
  handler: {
    kind: duration(0, day),
    default: '60s',
    doc: `From the end of a request to the head of the answer of its handler or mounted server; then
504. 0: no limit.`,
  },
  appStart: {
    kind: duration(100, hour),
    default: '30s',
    doc: 'The process of handlers and mounted servers has to be ready within this.',
  },
  appHang: {
    kind: duration(100, day),
    default: '10s',
    doc: `That process is killed and started anew when it waits for nothing and yet does not react
for this long while it has requests: an endless loop, a blocking call.`,
  },
}

export const transfer: Section<ResolvedTransfer> = {
  mode: {
    kind: choice('auto', 'copy'),
    default: 'auto',
    doc: "'auto': the kernel moves bytes where that is cheaper; 'copy': read and write, always.",
  },
  memoryBytes: {
    kind: size(0, 1 * mb),
    default: '16kb',
    doc: 'Files up to this size are held in memory and sent with one system call.',
  },
  spliceBytes: {
    kind: size(0, 1024 * gb),
    default: '16kb',
    doc: `Proxied bodies of which so much is left are spliced; of less, reading and sending it is
cheaper. Chunks are spliced from 128kb on, or from here on if this is more.`,
  },
  pipeBytes: {
    kind: size(64 * kb, 1 * mb),
    default: '1mb',
    doc: 'Room of the pipes that bodies are spliced through (fs.pipe-user-pages-soft bounds it).',
  },
  copyBytes: {
    kind: size(64 * kb, 1 * mb),
    default: '256kb',
    doc: 'So much of a file is read at once where it is copied.',
  },
}

const directory: Kind<string> = {
  expected: 'the path of a directory',
  typescript: 'string',
  read(value, place) {
    if (value === '') return ''
    if (typeof value !== 'string' || value.includes('\0')) {
      return place.mismatch(this.expected, value)
    }
    const path = resolve(place.directory, value)
    const status = pathStatus(path)
    return status === 'directory'
      ? path
      : place.report(`${wrongStatus('directory', status)}: ${path}`)
  },
}

export const cache: Section<ResolvedCache> = {
  files: {
    kind: count(1, 1_000_000),
    default: 4_096,
    doc: 'Files remembered, each an open descriptor or its bytes in memory; encodings are files.',
  },
  bytes: {
    kind: size(0, 64 * gb),
    default: '64mb',
    doc: 'Bytes of small files held in memory, and of the encodings that were made.',
  },
  answers: {
    kind: count(1, 10_000_000),
    default: 32_768,
    doc: `Answers remembered, those for missing files included. A list of a directory counts as one
more for each 1kb of it, a path for each 256 bytes.`,
  },
  directory: {
    kind: directory,
    default: '',
    doc: `A directory in which encodings of large files are kept, without a name: they are gone when
the gateway ends. '': in memory. Either way they count as bytes.`,
  },
}

/** The top level without the routes, whose keys the user invents. */
export const gateway: Section<Omit<ResolvedConfig, 'file' | 'routes'>> = {
  listen: {
    kind: refined(oneOrMany(shorthand(listener, 'ListenerOptions', 'port'), 1), completeListeners),
    default: 8080,
    doc: 'Where to accept connections: a port, or an object, or a list of them.',
  },
  workers: {
    kind: count(1, mostWorkers),
    default: () => Math.min(usableCpus(), mostWorkers),
    defaultText: 'the CPUs that this process may use, quotas included',
    doc: 'Native threads that serve requests.',
  },
  limits: {
    kind: section(limits, 'LimitsOptions'),
    default: {},
    doc: 'What one client may ask for at most.',
  },
  timeouts: {
    kind: section(timeouts, 'TimeoutsOptions'),
    default: {},
    doc: 'How long a client may take.',
  },
  transfer: {
    kind: shorthand(transfer, 'TransferOptions', 'mode'),
    default: {},
    doc: "How bytes are moved; 'auto' and 'copy' stand for { mode }.",
  },
  cache: {
    kind: section(cache, 'CacheOptions'),
    default: {},
    doc: 'Bounds of what is remembered about files.',
  },
  accessLog: {
    kind: accessLogOrNot,
    default: false,
    doc: 'One line for every request; true: JSON on stdout. See docs/ACCESS_LOG.md.',
  },
  admin: {
    kind: adminOrNot,
    default: false,
    doc: `Where operators ask: /livez, /readyz, /metrics, and with a token what docs/ADMIN.md lists.
Not for clients.`,
  },
  serverName: {
    kind: fieldValue,
    default: '',
    doc: "The Server field of every answer. '': none is sent.",
  },
  trustedProxies: {
    kind: orNone(oneOrMany(network, 1)),
    default: false,
    doc: `Networks of the proxies before this one, whose X-Forwarded-For,
Forwarded, X-Request-Id and PROXY protocol are believed: '10.0.0.0/8', an address, or 'unix' for
whoever connects to a unix socket. false: nobody's.`,
  },
  hooks: {
    kind: gatewayHooks,
    default: [],
    doc: `What every request of every route passes before the hooks of its route, in this order. See
docs/HOOKS.md.`,
  },
  upstreams: {
    kind: upstreams,
    default: {},
    doc: 'Where proxy() routes forward to, by name.',
  },
}
