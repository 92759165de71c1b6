// The part of config/compile.ts that is about what the app asks on behalf of clients: a listener of
// its own in the run directory, and a route to each upstream that nobody else can name. So the
// rules of proxy() hold for context.proxy(), too: it is the same code that forwards. Pure.

import { faultField, innerHost, requestFields } from '../app/contract.ts'
import type { NativeListener, NativeRoute } from '../native/interface.ts'
import { functionOf } from './compile-app.ts'
import { compileProxy, type ProxyReferences } from './compile-proxy.ts'
import { Place } from './place.ts'
import type { ResolvedConfig, ResolvedProxy } from './resolved.ts'
import { proxy } from './schema-proxy.ts'
import { readSection } from './section.ts'

/** Whether functions of the app may ask upstreams. */
export function hasInnerRoutes({ routes, upstreams }: ResolvedConfig): boolean {
  return upstreams.length > 0 && routes.some((route) => functionOf(route)?.kind === 'handler')
}

/** `path`: of the socket. */
export function compileInnerListener(path: string): NativeListener {
  return { kind: 'unix', path, proxyProtocol: false, tcp: null, inner: true }
}

/** `referencesOf`: what a route to this upstream is compiled with. */
export function compileInnerRoutes(
  { upstreams }: ResolvedConfig,
  secret: string,
  referencesOf: (upstream: string) => ProxyReferences,
): NativeRoute[] {
  return upstreams.map(({ name }) => {
    const action = compileProxy({ ...usualProxy(), upstream: name }, referencesOf(name))
    return {
      key: `context.proxy() to ${name}`,
      method: '',
      host: innerHost(secret, name),
      path: '/*',
      action: {
        ...action,
        request: { ...action.request, remove: [...action.request.remove, ...requestFields] },
        response: { ...action.response, remove: [...action.response.remove, faultField] },
      },
      hooks: null,
    }
  })
}

/** Every option as it is when nobody says anything. */
function usualProxy(): Omit<ResolvedProxy, 'upstream'> {
  const read = readSection(proxy, {}, new Place('', '/'))
  if (read === undefined) throw new RangeError('defaults of proxy() that it does not take')
  const { rewrite: _, bodyBytes = false, ...others } = read
  return { kind: 'proxy', ...others, rewrite: [], bodyBytes }
}
