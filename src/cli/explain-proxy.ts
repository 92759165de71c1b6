// The part of `sluice explain` about proxy() routes: which upstream, which of its targets could
// have the request and why others could not, what a target would be sent, what moves the bytes.
// Asks DNS as a running gateway would; sends no request and checks nobody's health.

import { isTransformed } from '../config/compile-app.ts'
import type {
  ResolvedConfig,
  ResolvedMirror,
  ResolvedProxy,
  ResolvedRelay,
  ResolvedUpstream,
} from '../config/resolved.ts'
import { showDuration, showSize } from '../config/units.ts'
import type { NativeAddon } from '../native/interface.ts'
import { type Member, type UpstreamState, Upstreams } from '../proxy/upstreams.ts'
import { createLogger } from '../telemetry/log.ts'
import type { NamedRequest } from './request.ts'

type Row = [topic: string, text: string]

/** How long names may take. */
const patienceMs = 5_000

export async function proxyRows(
  addon: NativeAddon,
  config: ResolvedConfig,
  action: ResolvedProxy,
  request: NamedRequest,
): Promise<Row[]> {
  const upstream = config.upstreams.find(({ name }) => name === action.upstream)
  if (upstream === undefined) return []
  const state = await stateOf(upstream)
  return [
    ['upstream', `'${upstream.name}': ${balanceOf(upstream)}`],
    ...targetRows(upstream, state),
    ['sends', sentOf(action, upstream, request)],
    ...transportRows(upstream),
    ['engine', engineOf(addon, config, action)],
    ...action.mirror.map(mirrorRow),
  ]
}

function mirrorRow({ target, percent, timeout, maxBehind }: ResolvedMirror): Row {
  const share = percent === 100 ? 'every request' : `${percent} % of the requests, by their ids`
  const bounds = `within ${showDuration(timeout)} and ${showSize(maxBehind)} behind`
  return ['mirror', `'${target}': ${share}, ${bounds}`]
}

/** A relay asks one target, once for all clients. */
export async function relayRows(
  config: ResolvedConfig,
  action: ResolvedRelay,
  { method }: NamedRequest,
): Promise<Row[]> {
  const upstream = config.upstreams.find(({ name }) => name === action.upstream)
  if (upstream === undefined) return []
  if (method !== 'GET' && method !== 'HEAD') return [['answer', '405: a relay is for GET']]
  const starts = { sse: 'the next event', ndjson: 'the next line', raw: 'what comes next' }
  const start = action.marker === undefined ? starts[action.as] : 'the next marker'
  const { history, historyBytes } = action
  const amount = historyBytes > 0 ? showSize(historyBytes) : `${history} pieces`
  const from = history + historyBytes > 0 ? `the newest ${amount}` : start
  return [
    ['upstream', `'${upstream.name}': ${balanceOf(upstream)}`],
    ...targetRows(upstream, await stateOf(upstream)),
    ['sends', `GET ${action.path}, once for all clients of '${action.name}'`],
    ...transportRows(upstream),
    ['answer', `200 as the target answers, from ${from} on`],
    ['engine', 'memory for small pieces, sendfile for large ones'],
  ]
}

/** The addresses of its targets now; nobody is checked. */
async function stateOf(upstream: ResolvedUpstream): Promise<UpstreamState> {
  const upstreams = new Upstreams({
    upstreams: [{ ...upstream, health: false }],
    directory: process.cwd(),
    logger: createLogger('silent'),
  })
  const patience = Promise.withResolvers<void>()
  const timer = setTimeout(patience.resolve, patienceMs)
  await Promise.race([upstreams.start(() => {}), patience.promise])
  clearTimeout(timer)
  const [state] = upstreams.states()
  upstreams.stop()
  return state ?? { name: upstream.name, members: [], unresolved: [] }
}

function balanceOf({ balance, key }: ResolvedUpstream): string {
  const looked = key.name === '' ? `the client's ${key.kind}` : `the ${key.kind} ${key.name}`
  if (balance === 'hash') return `hash of ${key.kind === 'path' ? 'the path' : looked}`
  return balance === 'sticky' ? `sticky by ${looked}` : balance
}

function targetRows(upstream: ResolvedUpstream, { members, unresolved }: UpstreamState): Row[] {
  const rows = [
    ...members.map((member): Row => ['target', `${shownMember(member)}: ${whether(member)}`]),
    ...unresolved.map(
      ({ url, reason }): Row => ['target', `${url}: not eligible, does not resolve (${reason})`],
    ),
  ]
  if (members.length === 0) rows.push(['answer', '503: no target can take it'])
  if (upstream.health !== false) {
    const { interval, path, tcp } = upstream.health
    const how = tcp ? 'by a connection' : `by ${path}`
    const text = `${how} every ${showDuration(interval)} while a gateway runs; none is checked now`
    rows.push(['checks', text])
  }
  return rows
}

function shownMember({ url, address, weight }: Member): string {
  const share = weight === 1 ? '' : `, weight ${weight}`
  const isSame = url.endsWith(address)
  return isSame ? `${url}${share}` : `${url} at ${address}${share}`
}

function whether({ backup }: Member): string {
  return backup ? 'a backup, eligible while no other can take requests' : 'eligible'
}

/** Nothing where the workers speak with every target themselves. */
function transportRows({ targets, transport, allowH2, tls }: ResolvedUpstream): Row[] {
  const isSecure = targets.some(({ secure }) => secure)
  const isUndici = transport === 'undici' || (transport === 'auto' && allowH2)
  if (!isSecure && !isUndici) return []
  const speaker = isUndici
    ? `undici, in ${allowH2 ? 'HTTP/2 where the target can' : 'HTTP/1.1'}`
    : 'the workers'
  const checked = tls.dangerouslyAcceptAnyCertificate ? 'certificates not verified' : 'verified'
  const secure = isSecure ? `, TLS in the process of the relays (${checked})` : ''
  return [['transport', `${speaker}${secure}`]]
}

function sentOf(
  action: ResolvedProxy,
  { targets }: ResolvedUpstream,
  { method, target }: NamedRequest,
): string {
  const automatic = targets.some(({ secure }) => secure) ? 'target' : 'preserve'
  const hosts: Record<string, string> = {
    preserve: 'the Host of the client',
    target: "the target's own Host",
  }
  const own = action.host === 'auto' ? automatic : action.host
  const host = hosts[own] ?? `Host: ${own}`
  return `${method} ${pathOf(action, target)}, with ${host}`
}

/** A template is shown as it stands: the core fills it in. */
function pathOf({ stripPrefix, rewrite }: ResolvedProxy, target: string): string {
  if (rewrite.length > 0) {
    const shown = rewrite.map((part) =>
      'literal' in part ? part.literal : `$${part.variable.replace(':', '')}`,
    )
    return `${shown.join('')} (rewrite)`
  }
  const [path = '', ...query] = target.split('?')
  const isBeneath = path === stripPrefix || path.startsWith(`${stripPrefix}/`)
  if (stripPrefix === '' || !isBeneath) return target
  const stripped = path.slice(stripPrefix.length) || '/'
  return `${[stripped, ...query].join('?')} (without ${stripPrefix})`
}

// The rule of native/transfer/flow.cc, in words.
function engineOf(addon: NativeAddon, config: ResolvedConfig, action: ResolvedProxy): string {
  const route = config.routes.find((one) => one.action === action)
  if (route && isTransformed(route)) return 'copy: hooks read bodies, in the app, by undici'
  if (config.transfer.mode === 'copy') return "copy: the configuration says transfer: 'copy'"
  if (action.transfer === 'copy') return "copy: the route says transfer: 'copy'"
  const splice = addon.capabilities().find(({ name }) => name === 'splice')
  if (splice?.available === false) return `copy: splice is refused here (${splice.error})`
  return 'splice for large bodies and chunks, copy for small ones, where that is cheaper'
}
