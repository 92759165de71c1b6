// The part of config/compile.ts that is about the app: handler() and mount() routes are forwarded
// to unix sockets. All handlers share one upstream, every mount has its own; they stand behind the
// upstreams of the configuration, and their targets change with each generation of the app. Pure.

import { fileField, requestFields, responseFields, tokenField, tokenOf } from '../app/contract.ts'
import type { NativeProxy, NativeUpstream } from '../native/upstreams.ts'
import { filesMode, unlimitedBytes } from './compile-proxy.ts'
import type {
  ResolvedConfig,
  ResolvedFileSet,
  ResolvedHandler,
  ResolvedMount,
  ResolvedProxy,
  ResolvedRoute,
} from './resolved.ts'

const second = 1_000
const hour = 3_600 * second

/** An upstream that is the app, or a server in it. */
export interface AppUpstream {
  /** As in NativeConfig.upstreams. */
  index: number
  /** The route of a mount; undefined: handlers. */
  mount: number | undefined
  name: string
}

/** The function that answers requests of a route, if one does. */
export function functionOf({
  action,
}: Pick<ResolvedRoute, 'action'>): ResolvedHandler | ResolvedMount | undefined {
  const answering = action.kind === 'files' ? action.otherwise : action
  return answering?.kind === 'handler' || answering?.kind === 'mount' ? answering : undefined
}

/** Whether functions read the bodies of a proxy() route: these requests go through the app. */
export function isTransformed({ action, hooks = [] }: ResolvedRoute): boolean {
  return action.kind === 'proxy' && hooks.some((hook) => hook.kind === 'hook' && hook.transforms)
}

/** None when the configuration has no functions: then it needs no app. */
export function appUpstreams({ routes, upstreams }: ResolvedConfig): AppUpstream[] {
  const found: Omit<AppUpstream, 'index'>[] = []
  if (routes.some((route) => functionOf(route)?.kind === 'handler' || isTransformed(route))) {
    found.push({ name: 'handlers', mount: undefined })
  }
  for (const [mount, route] of routes.entries()) {
    if (functionOf(route)?.kind === 'mount') found.push({ name: `mount of ${route.key}`, mount })
  }
  return found.map((upstream, at) => ({ ...upstream, index: upstreams.length + at }))
}

/** Without targets: they come when the app is ready. Until then requests wait. */
export function compileAppUpstream({ name }: AppUpstream): NativeUpstream {
  return {
    name,
    balance: 'round-robin',
    key: { kind: 'address', name: '' },
    keepAlive: { connections: 256, idle: 60 * second },
    queue: { length: 1_024, timeout: 10 * second, withoutTargets: true },
    // It is replaced by its supervisor, not left out.
    passive: { failures: 0, percent: 0, eject: 0, failFast: false },
    slowStart: 0,
    proxyProtocol: 0,
    targets: [],
  }
}

interface AppRouteReferences {
  route: number
  upstream: number
  /** What workers ask about a root as. */
  filesOf: (root: ResolvedFileSet) => number
  secret: string
}

/** `route` is the index of the route, `upstream` the number of its upstream. */
export function compileAppRoute(
  action: ResolvedHandler | ResolvedMount,
  config: ResolvedConfig,
  { route, upstream, filesOf, secret }: AppRouteReferences,
): NativeProxy {
  const { limits, timeouts } = config
  const root = action.kind === 'handler' ? action.root : undefined
  const token = action.kind === 'handler' ? `${tokenField}: ${tokenOf(secret, route)}\r\n` : ''
  return {
    kind: 'proxy',
    upstream,
    mode: 'auto',
    stripPrefix: '',
    rewrite: [],
    host: 'preserve',
    request: { remove: requestFields, add: token },
    response: { remove: responseFields, add: '' },
    forwarded: { xForwarded: true, forwarded: false, via: false, requestId: true },
    timeouts: {
      connect: 5 * second,
      firstByte: action.timeout ?? timeouts.handler,
      between: 0,
      total: 0,
      tunnel: hour,
    },
    retry: { tries: 1, unsafe: false },
    bodyBytes: action.bodyBytes ?? limits.bodyBytes,
    halfClose: false,
    file: root
      ? {
          field: fileField,
          secret: `${secret} `,
          prefix: '',
          files: filesOf(root),
          mode: filesMode(root),
        }
      : null,
    mirrors: [],
  }
}

/** The way into the app of a proxy() route whose bodies are read there: its limits, more time. */
export function bodiesOf({ timeout, bodyBytes }: ResolvedProxy, config: ResolvedConfig) {
  const { handler } = config.timeouts
  const time = timeout.connect + timeout.firstByte + handler
  const isBounded = timeout.firstByte > 0 && handler > 0
  return {
    kind: 'handler' as const,
    timeout: isBounded ? time : 0,
    bodyBytes: bodyBytes === false ? unlimitedBytes : bodyBytes,
  }
}
