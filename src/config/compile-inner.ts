// The part of config/compile.ts that is about what the app asks on behalf of clients: a listener of
// its own in the run directory, and a route to each upstream that nobody else can name. So the
// rules of proxy() hold for context.proxy(), too: it is the same code that forwards. Pure.

import { faultField, innerHost, requestFields } from '../app/contract.ts'
import type { NativeListener, NativeProxy, NativeRoute } from '../native/interface.ts'
import { functionOf, isTransformed } from './compile-app.ts'
import { compileProxy, type ProxyReferences } from './compile-proxy.ts'
import { Place } from './place.ts'
import type { ResolvedConfig, ResolvedProxy, ResolvedRoute } from './resolved.ts'
import { proxy } from './schema-proxy.ts'
import { readSection } from './section.ts'

/** Whether functions of the app may ask upstreams. */
export function hasInnerRoutes({ routes, upstreams }: ResolvedConfig): boolean {
  const asks = (route: ResolvedRoute) =>
    functionOf(route)?.kind === 'handler' || isTransformed(route)
  return upstreams.length > 0 && routes.some(asks)
}

/** What innerHost() is asked for, for the way of a route's transformed requests. */
export function wayOf({ key }: Pick<ResolvedRoute, 'key'>): string {
  // No upstream is called so.
  return `\0${key}`
}

/** `path`: of the socket. */
export function compileInnerListener(path: string): NativeListener {
  return {
    kind: 'unix',
    path,
    proxyProtocol: false,
    tcp: null,
    inner: true,
    tls: null,
    secureTwin: 0,
  }
}

/** `referencesOf`: what a route to this upstream is compiled with. */
export function compileInnerRoutes(
  { upstreams, routes }: ResolvedConfig,
  secret: string,
  referencesOf: (upstream: string) => ProxyReferences,
): NativeRoute[] {
  const any = { method: '', path: '/*' }
  const named = upstreams.map(({ name }) => {
    const action = compileProxy({ ...usualProxy(), upstream: name }, referencesOf(name))
    return inner({ ...any, key: `context.proxy() to ${name}` }, innerHost(secret, name), action)
  })
  const transformed = routes.filter(isTransformed).flatMap((route) => {
    const { action, key } = route
    if (action.kind !== 'proxy') return []
    const compiled = compileProxy(action, referencesOf(action.upstream))
    return [inner({ ...route, key: `bodies of ${key}` }, innerHost(secret, wayOf(route)), compiled)]
  })
  return [...named, ...transformed]
}

function inner(
  { key, method, path }: Pick<NativeRoute, 'key' | 'method' | 'path'>,
  host: string,
  action: NativeProxy,
): NativeRoute {
  const request = { ...action.request, remove: [...action.request.remove, ...requestFields] }
  const response = { ...action.response, remove: [...action.response.remove, faultField] }
  return { key, method, host, path, action: { ...action, request, response }, hooks: null }
}

/** Every option as it is when nobody says anything. */
function usualProxy(): Omit<ResolvedProxy, 'upstream'> {
  const read = readSection(proxy, {}, new Place('', '/'))
  if (read === undefined) throw new RangeError('defaults of proxy() that it does not take')
  const { rewrite: _, bodyBytes = false, ...others } = read
  return { kind: 'proxy', ...others, rewrite: [], bodyBytes }
}
