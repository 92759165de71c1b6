// From the resolved configuration to the one that the core takes; the part about forwarding is in
// compile-proxy.ts, that about functions in compile-app.ts. Pure.

import { type NativeAccessLog, usualLogFields } from '../native/access-log.ts'
import type { NativeHooks } from '../native/hooks.ts'
import type {
  NativeAction,
  NativeChannel,
  NativeConfig,
  NativeListener,
  NativeRoute,
  NativeTarget,
  NativeUpload,
  NativeUpstream,
} from '../native/interface.ts'
import { channelsOf, compileChannel, compileChannels } from './channels.ts'
import {
  appUpstreams,
  bodiesOf,
  compileAppRoute,
  compileAppUpstream,
  functionOf,
  isTransformed,
} from './compile-app.ts'
import { type CompiledPlan, compileHooks, withBits } from './compile-hooks.ts'
import { compileInnerListener, compileInnerRoutes, hasInnerRoutes } from './compile-inner.ts'
import { compileProxy, compileUpstream, filesMode, type ProxyReferences } from './compile-proxy.ts'
import { compileTls } from './compile-tls.ts'
import { fieldLines, routeFields } from './fields.ts'
import { rootNumbering } from './file-roots.ts'
import { compileFeeds, compileRelay } from './relays.ts'
import type {
  ResolvedAccessLog,
  ResolvedAction,
  ResolvedConfig,
  ResolvedFileSet,
  ResolvedFiles,
  ResolvedHandler,
  ResolvedListener,
  ResolvedMount,
  ResolvedRoute,
} from './resolved.ts'

/** Where each upstream is in NativeConfig.upstreams, by name. */
type UpstreamIndex = (name: string) => number

/** What an action is compiled with. */
interface Surroundings {
  config: ResolvedConfig
  indexOf: UpstreamIndex
  numberOf: (index: number) => number
  filesOf: (root: ResolvedFileSet) => number
  referencesOf: (upstream: string) => ProxyReferences
  channels: readonly number[] | undefined
  /** Index of the route that it belongs to. */
  route: number
  secret: string
}

/** What the gateway and its app know of each other. */
export interface AppDoor {
  /** What the app knows requests of the gateway by. */
  secret: string
  /** The socket on which workers listen for the app; '': they do not. */
  door: string
}

/**
 * What routes refer to: upstreams by position, roots by their place in fileRoots(), channels by
 * theirs in channelsOf(), behind which come those of relaysOf().
 */
export interface ReferenceNumbers {
  upstreams: readonly number[]
  roots: readonly number[]
  channels: readonly number[]
}

/** A configuration in which nothing has left yet. */
export interface CompiledConfig extends NativeConfig {
  listeners: NativeListener[]
  upstreams: NativeUpstream[]
  channels: NativeChannel[]
  routes: NativeRoute[]
}

/**
 * The index of a route or an upstream is the same in both; upstreams of the app (compile-app.ts)
 * follow, and so do the routes and the listener for the app (compile-inner.ts). `targetsOf` says
 * which targets an upstream begins with, by its index. Routes and listeners name upstreams, roots
 * of files and channels by `numbers`; default: by their place.
 */
export function compileConfig(
  config: ResolvedConfig,
  targetsOf: (upstream: number) => NativeTarget[] = () => [],
  { secret, door }: AppDoor = { secret: '', door: '' },
  numbers: Partial<ReferenceNumbers> = {},
): CompiledConfig {
  const numberOf = (index: number) => numbers.upstreams?.[index] ?? index
  const filesOf = rootNumbering(config, numbers.roots)
  const indexOf: UpstreamIndex = (name) =>
    numberOf(config.upstreams.findIndex((upstream) => upstream.name === name))
  const mirrorOf = (upstream: string) => ({
    upstream: indexOf(upstream),
    isSecure: isSecure(config, upstream),
  })
  const referencesOf = (upstream: string) => ({ ...mirrorOf(upstream), filesOf, mirrorOf })
  const { routes: hooks, version } = compileHooks(config)
  const { channels } = numbers
  const references = { indexOf, numberOf, filesOf, referencesOf, channels }
  const hasDoor = door !== '' && hasInnerRoutes(config)
  const places = config.upstreams.map((_, index) => numberOf(index))
  return {
    generation: 1,
    workers: config.workers,
    listeners: [
      ...config.listen.map((listener) => compileListener(listener, indexOf)),
      ...(hasDoor ? [compileInnerListener(door)] : []),
    ],
    limits: config.limits,
    timeouts: config.timeouts,
    // A file that the cache has no room for in memory is held by descriptor, so that it can be
    // kept.
    transfer: {
      ...config.transfer,
      memoryBytes: Math.min(config.transfer.memoryBytes, config.cache.bytes),
    },
    accessLog: config.accessLog ? compileAccessLog(config.accessLog) : null,
    trustedProxies: config.trustedProxies.map(withBits),
    serverName: config.serverName,
    upstreams: [
      ...config.upstreams.map((upstream, index) => compileUpstream(upstream, targetsOf(index))),
      ...appUpstreams(config).map(compileAppUpstream),
    ],
    channels: [...compileChannels(config), ...compileFeeds(config, referencesOf)],
    routes: [
      ...config.routes.map((route, index) => {
        const plan = hooks[index] ?? null
        return {
          ...compileRoute(route, { ...references, config, route: index, secret }),
          hooks: plan && {
            ...plan,
            version,
            upstreams: places,
            handler: handlerOf(plan, route, config),
          },
        }
      }),
      ...(hasDoor ? compileInnerRoutes(config, secret, referencesOf) : []),
    ],
  }
}

/** It has the time that it would have over its socket. */
function handlerOf(
  { handler: group }: CompiledPlan,
  route: ResolvedRoute,
  { timeouts }: ResolvedConfig,
): NativeHooks['handler'] {
  if (group === null) return null
  return { group, patience: functionOf(route)?.timeout ?? timeouts.handler }
}

function compileAccessLog(log: ResolvedAccessLog): NativeAccessLog {
  const { format, fields = usualLogFields, sample, to, redact } = log
  const shares = [sample.none, 1, sample['2xx'], sample['3xx'], sample['4xx'], sample['5xx']]
  return {
    format,
    fields,
    sample: shares as unknown as NativeAccessLog['sample'],
    to,
    redact: redact.map((name) => name.toLowerCase()),
  }
}

function compileListener(listener: ResolvedListener, indexOf: UpstreamIndex): NativeListener {
  const { host = '127.0.0.1', port = 0, path, proxyProtocol, tcp, tls, redirectsTo } = listener
  const rules = {
    proxyProtocol,
    tcp: tcp === undefined ? null : indexOf(tcp),
    tls: tls === undefined ? null : compileTls(tls),
    inner: false,
    secureTwin: redirectsTo === undefined ? 0 : redirectsTo + 1,
  }
  if (path === undefined) return { kind: 'tcp', host, port, ...rules }
  return { kind: 'unix', path, ...rules }
}

function compileRoute(
  route: ResolvedRoute,
  surroundings: Surroundings,
): Omit<NativeRoute, 'hooks'> {
  const { key, method, host, path, action } = route
  return { key, method, host, path, action: compileAction(action, surroundings) }
}

function compileAction(action: ResolvedAction, surroundings: Surroundings): NativeAction {
  switch (action.kind) {
    case 'files':
      return {
        kind: 'files',
        root: action.root,
        mode: filesMode(action),
        fields: routeFields(action),
        upload: compileUpload(action, surroundings.config),
        otherwise: action.otherwise ? compileAction(action.otherwise, surroundings) : null,
      }
    case 'respond': {
      const { kind, status, body } = action
      return { kind, status, fields: fieldLines(action.headers), body }
    }
    case 'redirect': {
      const { kind, status, location, keepQuery } = action
      return { kind, status, fields: fieldLines(action.headers), location, keepQuery }
    }
    case 'channel':
      return compileChannel(action, surroundings.config, surroundings.channels)
    case 'relay':
      return compileRelay(action, surroundings.config, {
        first: channelsOf(surroundings.config).length,
        numbers: surroundings.channels,
      })
    case 'proxy':
      if (isTransformed(surroundings.config.routes[surroundings.route] as ResolvedRoute)) {
        return compileFunction(bodiesOf(action, surroundings.config), surroundings)
      }
      return compileProxy(action, surroundings.referencesOf(action.upstream))
    case 'handler':
    case 'mount':
      return compileFunction(action, surroundings)
  }
}

function compileUpload(action: ResolvedFiles, config: ResolvedConfig): NativeUpload | null {
  const { enabled, bodyBytes = config.limits.bodyBytes, ...rules } = action.upload
  if (!enabled) return null
  const { dotfiles, hide } = action
  return { ...rules, bodyBytes, dotfiles, asks: hide.length > 0 }
}

function compileFunction(
  action: ResolvedHandler | ResolvedMount,
  { config, numberOf, filesOf, route, secret }: Surroundings,
): NativeAction {
  const mount = action.kind === 'mount' ? route : undefined
  const own = appUpstreams(config).find((upstream) => upstream.mount === mount)
  const upstream = own === undefined ? -1 : numberOf(own.index)
  return compileAppRoute(action, config, { route, upstream, filesOf, secret })
}

function isSecure({ upstreams }: ResolvedConfig, wanted: string): boolean {
  const found = upstreams.find(({ name }) => name === wanted)
  return found?.targets.some(({ secure }) => secure) ?? false
}
