// The options of relay() that are the route's own, as config/schema-proxy.ts has those of proxy();
// those of an upstream may stand beside them.

import { hostValue } from './host-value.ts'
import { choice, count, duration, falseFor, type Kind, orNoLimit, size, text } from './kinds.ts'
import type { ResolvedRelay } from './resolved-relay.ts'
import { headers, timeout as proxyTimeout, retry } from './schema-proxy.ts'
import { type Section, section, shorthand } from './section.ts'

const mb = 1024 * 1024
const second = 1_000
const hour = 3_600_000

const path = text("a path such as '/live' or '/live?quality=high'", (given) => {
  if (!/^\/[\x21\x24-\x7e]*$/.test(given)) return "it begins with '/', without spaces or '#'"
  return /\/\.{1,2}(\/|\?|$)/.test(given) ? "it has no '.' and '..' segments" : undefined
})

const relayName = text("a name of letters, digits, '-', '_', '.' or ':'", (name) =>
  /^[\w.:-]{1,100}$/.test(name) ? undefined : 'other characters, or more than 100',
)

const marker: Kind<Uint8Array> = {
  expected: 'a text or bytes, 1 to 1024 of them',
  typescript: 'string | Uint8Array',
  read(value, place) {
    const isFit = typeof value === 'string' || value instanceof Uint8Array
    const bytes = isFit ? Uint8Array.from(Buffer.from(value as string)) : new Uint8Array()
    const fits = bytes.length > 0 && bytes.length <= 1024
    return fits ? bytes : place.mismatch(this.expected, value)
  },
}

const host: Kind<string> = {
  expected: `'target', or ${hostValue.expected}`,
  typescript: 'string',
  read: (value, place) => hostValue.read(value, place),
}

const { connect, firstByte } = proxyTimeout

export const relayTimeout: Section<ResolvedRelay['timeout']> = {
  connect,
  firstByte,
  between: {
    kind: orNoLimit(duration(1, 24 * hour)),
    default: '60s',
    doc: `Between two arrivals of the stream; then it is opened again. Streams that are silent for
longer want more, or false.`,
  },
}

export type RelaySettings = Omit<
  ResolvedRelay,
  'kind' | 'upstream' | 'name' | 'path' | 'heartbeat'
> & { name?: string; path?: string; heartbeat?: number }

export const relay: Section<RelaySettings> = {
  path: {
    kind: path,
    default: undefined,
    defaultText: 'the path of the route',
    doc: `What the target is asked for, with a query if it needs one. Of clients nothing is passed
on.`,
  },
  name: {
    kind: relayName,
    default: undefined,
    defaultText: 'the key of the route',
    doc: `Routes with relays of one name share one stream of the upstream; what concerns that has to
be the same in each.`,
  },
  as: {
    kind: choice('sse', 'ndjson', 'raw'),
    default: 'sse',
    doc: `What the stream is, and so where a client can begin: an event of server-sent events, a
line, or bytes: then at a 'marker', or anywhere.`,
  },
  marker: {
    kind: marker,
    default: undefined,
    doc: `Bytes that every piece of a raw stream begins with: clients begin there, and go on there
when they have fallen behind.`,
  },
  slow: {
    kind: choice('skip', 'disconnect'),
    default: 'skip',
    doc: `What happens to a client that is further behind than the buffer reaches: it goes on with
the newest piece, or its connection ends.`,
  },
  history: {
    kind: count(0, 100_000),
    default: 0,
    doc: `How many of the newest pieces a client gets first, as far as they are still in the buffer.
One that says Last-Event-ID gets what came after that.`,
  },
  historyBytes: {
    kind: size(0, 1024 * mb),
    default: 0,
    doc: "The same in bytes, from the first boundary within them on. Instead of 'history'.",
  },
  buffer: {
    kind: size(mb / 4, 1024 * mb),
    default: '4mb',
    doc: 'Bytes of the newest pieces that are kept for slow clients and history.',
  },
  heartbeat: {
    kind: duration(0, hour),
    default: undefined,
    defaultText: "'15s' for 'sse', else none",
    doc: 'After so long without an event a comment is sent, for server-sent events. 0: never.',
  },
  linger: {
    kind: duration(0, hour),
    default: '2s',
    doc: 'How long the upstream stays open when the last client has left.',
  },
  outage: {
    kind: duration(0, 24 * hour),
    default: '30s',
    doc: `How long clients keep their connections while the upstream is away and is tried again;
then they are disconnected. 0: at once.`,
  },
  host: {
    kind: host,
    default: 'target',
    doc: "The Host field: 'target' is the target's own, else that value.",
  },
  headers: {
    kind: section(headers, 'ProxyHeadersOptions'),
    default: {},
    doc: 'Header fields that are set, added and removed.',
  },
  timeout: {
    kind: section(relayTimeout, 'RelayTimeoutOptions'),
    default: {},
    doc: 'How long a target may take.',
  },
  retry: {
    kind: falseFor(shorthand(retry, 'RetryOptions', 'tries'), { tries: 0, unsafe: false }),
    default: {},
    doc: 'How many other targets are tried after the first has failed without an answer.',
  },
}

/** For relays of server-sent events that say nothing else. */
export const usualHeartbeat = 15 * second
