// relay() routes: what they are given, how they are read, and what the core makes of them: a
// channel with a feed. (In the core and in src/proxy a relay is a process that adds TLS.)

import { isDeepStrictEqual } from 'node:util'
import type { NativeChannel, NativeFeed } from '../native/intake.ts'
import { formats } from './channels.ts'
import { compileProxy, type ProxyReferences } from './compile-proxy.ts'
import { fieldLines } from './fields.ts'
import type { PathParams } from './path-params.ts'
import type { Pattern } from './patterns.ts'
import type { Place } from './place.ts'
import { readForwarding } from './proxies.ts'
import type { RelayRouteOptions, TargetOptions, UpstreamOptions } from './proxy-options.ts'
import type { ResolvedConfig, ResolvedRelay, ResolvedRoute } from './resolved.ts'
import { relay as options, type RelaySettings, usualHeartbeat } from './schema-relay.ts'
import type { TargetUrl } from './target-url.ts'
import type { Size } from './units.ts'

type Chosen = 'as' | 'marker' | 'heartbeat' | 'history' | 'historyBytes'

/** What the stream is, with what can be said of that. */
export type RelayForm =
  | { as?: 'sse'; heartbeat?: RelayRouteOptions['heartbeat']; marker?: never }
  | { as: 'ndjson'; heartbeat?: never; marker?: never }
  | { as: 'raw'; heartbeat?: never; marker?: string | Uint8Array }

/** What newcomers get first: so many pieces, or so many bytes. */
export type RelayHistory =
  | { history?: number; historyBytes?: never }
  | { history?: never; historyBytes?: Size }

/** Options of relay(). */
export type RelayOptions<Params = PathParams> = Omit<RelayRouteOptions<Params>, Chosen> &
  RelayForm &
  RelayHistory

/** Options of relay() to targets of its own: those of an upstream stand beside the route's. */
export type InlineRelayOptions<Params = PathParams> = RelayOptions<Params> &
  Omit<UpstreamOptions, 'targets'>

/** A route that sends many clients one stream of an upstream; made by relay(). */
export interface RelayAction<Params = PathParams> {
  readonly kind: 'relay'
  readonly to: string | TargetOptions | readonly (string | TargetOptions)[]
  readonly options: InlineRelayOptions<Params>
}

/**
 * One stream of an upstream, read once and sent to everybody who asks for this route: events,
 * lines, or audio and video. To one of `upstreams`, by its name, or to targets that stand here, as
 * for proxy(). `'GET /radio': relay('http://studio:8000', { path: '/live.mp3', as: 'raw' })`.
 */
export function relay<Params = PathParams>(
  targets: TargetUrl | TargetOptions | readonly (TargetUrl | TargetOptions)[],
  options?: InlineRelayOptions<Params>,
): RelayAction<Params>
export function relay<Params = PathParams>(
  upstream: string,
  options?: RelayOptions<Params>,
): RelayAction<Params>
export function relay<Params>(
  to: RelayAction['to'],
  options: InlineRelayOptions<Params> = {},
): RelayAction<Params> {
  return { kind: 'relay', to, options }
}

/** `value` is what relay() made. */
export function readRelay(
  value: Record<string, unknown>,
  key: string,
  pattern: Pattern,
  place: Place,
): ResolvedRelay | undefined {
  const read = readForwarding(options, value.to, value.options ?? {}, place)
  if (!['', 'GET', 'HEAD'].includes(pattern.method)) {
    return place.report(`a relay answers GET and HEAD, and this key says ${pattern.method}`)
  }
  if (read === undefined || !isConsistent(read.settings, place)) return undefined
  const { path: written, name = key, heartbeat, ...settings } = read.settings
  const path = written ?? ownPath(pattern, place)
  if (path === undefined) return undefined
  const byDefault = settings.as === 'sse' ? usualHeartbeat : 0
  const upstream = read.name
  return { kind: 'relay', upstream, name, path, heartbeat: heartbeat ?? byDefault, ...settings }
}

function isConsistent(settings: RelaySettings, place: Place): boolean {
  const { as, marker, heartbeat, history, historyBytes, buffer } = settings
  const before = place.problems.length
  if (marker !== undefined && as !== 'raw') {
    place.at('marker').report(`only as: 'raw' has markers, and this is '${as}'`)
  }
  if (heartbeat !== undefined && as !== 'sse') {
    place.at('heartbeat').report(`only as: 'sse' has comments, and this is '${as}'`)
  }
  if (history > 0 && historyBytes > 0) {
    place.at('historyBytes').report("'history' says it in pieces: use one or the other")
  }
  if (historyBytes > buffer) place.at('historyBytes').report("more than 'buffer' keeps")
  return place.problems.length === before
}

/** What the target is asked for where nothing says so. */
function ownPath({ path, parameters, rest }: Pattern, place: Place): string | undefined {
  if (parameters.length === 0 && !rest) return encodeURI(path)
  return place
    .at('path')
    .report('this key takes many paths, and the target is asked for one: say which')
}

/** Routes with one name have one stream. */
export function checkRelays(routes: readonly ResolvedRoute[], place: Place): void {
  const known = new Map<string, ResolvedRelay>()
  for (const { key, action } of routes) {
    if (action.kind !== 'relay') continue
    const first = known.get(action.name)
    if (first === undefined) {
      known.set(action.name, action)
      continue
    }
    const other = sharedOf(first)
    const differs = Object.entries(sharedOf(action)).find(
      ([name, value]) => !isDeepStrictEqual(value, other[name as keyof typeof other]),
    )
    if (differs === undefined) continue
    const at = place.at(key).at('relay').at(differs[0])
    at.report(`another route has a relay named '${action.name}' that says something else`)
  }
}

function sharedOf(action: ResolvedRelay) {
  const { slow: _slow, history: _history, historyBytes: _bytes, heartbeat: _beat, ...rest } = action
  return rest
}

/** One of each name, in the order of the routes. */
export function relaysOf({ routes }: Pick<ResolvedConfig, 'routes'>): ResolvedRelay[] {
  const relays = routes.flatMap(({ action }) => (action.kind === 'relay' ? action : []))
  return relays.filter(({ name }, at) => relays.findIndex((one) => one.name === name) === at)
}

/** No channel() is called so. */
const prefix = 'relay '

/** The name of the route's relay, from that of the core's channel; undefined: it is none. */
export function relayOf(channel: string): string | undefined {
  return channel.startsWith(prefix) ? channel.slice(prefix.length) : undefined
}

/** Pieces go out as they came. */
const raw = formats.indexOf('raw')
const cuts = { sse: 0, ndjson: 1, marker: 2, raw: 3 } as const
const accepted = { sse: 'text/event-stream', ndjson: 'application/x-ndjson, */*;q=0.5', raw: '*/*' }
const types = { sse: 'text/event-stream', ndjson: 'application/x-ndjson', raw: '' }
/** The buffer's bytes are the bound; every piece counts for more than its own. */
const manyPieces = 1_000_000
/** What of an answer would be wrong for another client, or at another time. */
const removed = [
  'accept-ranges',
  'age',
  'alt-svc',
  'content-range',
  'date',
  'etag',
  'expires',
  'last-modified',
  'server',
  'set-cookie',
  'strict-transport-security',
]

/** The channels that the core keeps for relays. */
export function compileFeeds(
  config: ResolvedConfig,
  referencesOf: (upstream: string) => ProxyReferences,
): NativeChannel[] {
  return relaysOf(config).map((action) => ({
    name: prefix + action.name,
    formats: [raw],
    bufferBytes: action.buffer,
    bufferMessages: manyPieces,
    feed: compileFeed(action, referencesOf(action.upstream)),
  }))
}

function compileFeed(action: ResolvedRelay, references: ProxyReferences): NativeFeed {
  const { upstream, host, headers, timeout, retry, path, as, linger, outage } = action
  const proxy = compileProxy(
    {
      kind: 'proxy',
      upstream,
      stripPrefix: '',
      rewrite: [],
      host,
      headers,
      forwarded: false,
      via: true,
      requestId: true,
      timeout: { ...timeout, total: 0, tunnel: 0 },
      retry,
      bodyBytes: 0,
      halfClose: false,
      mirror: [],
      transfer: 'copy',
    },
    references,
  )
  const { response } = proxy
  const marker = action.marker ?? new Uint8Array()
  return {
    proxy: { ...proxy, response: { ...response, remove: [...response.remove, ...removed] } },
    path,
    accept: accepted[as],
    cut: action.marker === undefined ? cuts[as] : cuts.marker,
    marker,
    linger,
    outage,
  }
}

/** A route as the core takes it. `first`: the place of the first relay among the channels. */
export function compileRelay(
  action: ResolvedRelay,
  config: ResolvedConfig,
  { first, numbers }: { first: number; numbers: readonly number[] | undefined },
) {
  const { name, as, slow, history, historyBytes, heartbeat } = action
  const index = first + relaysOf(config).findIndex((one) => one.name === name)
  const type = types[as]
  return {
    kind: 'channel' as const,
    channel: numbers?.[index] ?? index,
    format: raw,
    skips: slow === 'skip',
    fields: fieldLines({
      ...(type === '' ? {} : { 'Content-Type': type }),
      'Cache-Control': 'no-store',
    }),
    history,
    heartbeat,
    token: '',
    messageBytes: 0,
    strict: as !== 'raw',
    historyBytes,
  }
}
