// What a configuration file writes: defineGateway() and one function for every kind of route. They
// only note what was asked for as plain data; config/validate.ts judges it, with all else, at once.

import type { ChannelAction } from './channels.ts'
import type { HandlerAction, MountAction, PathParams } from './functions.ts'
import type { FilesOptions, GatewayOptions, RedirectOptions, RespondOptions } from './options.ts'
import type { CheckedRoute, ParamsOf, RouteKey } from './pattern-types.ts'
import type { ProxyOptions, TargetOptions, UpstreamOptions } from './proxy-options.ts'
import type { RedirectStatus } from './redirect-status.ts'
import type { RelayAction } from './relays.ts'
import type { TargetUrl } from './target-url.ts'

export type { RedirectStatus } from './redirect-status.ts'
export type { TargetUrl } from './target-url.ts'

/** A route that serves files; made by files(). */
export interface FilesAction<Params = PathParams> {
  readonly kind: 'files'
  readonly root: string
  readonly options: FilesOptions<Params>
}

/** A route that gives a fixed answer; made by respond(). */
export interface RespondAction<Params = PathParams> {
  readonly kind: 'respond'
  readonly status: number
  readonly body: ResponseBody | undefined
  readonly options: RespondOptions<Params>
}

/** A route that sends visitors elsewhere; made by redirect(). */
export interface RedirectAction<Params = PathParams> {
  readonly kind: 'redirect'
  readonly status: RedirectStatus
  readonly location: string
  readonly options: RedirectOptions<Params>
}

/** A route that forwards to an upstream; made by proxy(). */
export interface ProxyAction<Params = PathParams> {
  readonly kind: 'proxy'
  readonly to: string | TargetOptions | readonly (string | TargetOptions)[]
  readonly options: InlineProxyOptions<Params>
}

/** Options of proxy() to targets of its own: those of an upstream stand beside the route's. */
export type InlineProxyOptions<Params = PathParams> = ProxyOptions<Params> &
  Omit<UpstreamOptions, 'targets'>

/** What stands behind a route key. */
export type RouteAction<Params = PathParams> =
  | FilesAction<Params>
  | ChannelAction<Params>
  | HandlerAction<Params>
  | MountAction<Params>
  | RespondAction<Params>
  | RedirectAction<Params>
  | ProxyAction<Params>
  | RelayAction<Params>

/** A text, bytes, or anything else that is sent as JSON. */
export type ResponseBody =
  | string
  | Uint8Array
  | { readonly [key: string]: unknown }
  | readonly unknown[]

/** A whole configuration: what a configuration file exports, or createGateway() takes. */
export interface GatewayConfig extends GatewayOptions {
  /**
   * What to do with which requests. A key is `[METHOD ][host]/path`: the path may have `:name`
   * segments and end in `*`, the host may begin with `*.`. The most specific key wins, whatever the
   * order.
   */
  routes: { readonly [key: RouteKey]: RouteAction }
}

/** Checks the types of a configuration, keys of routes included, and gives it back unchanged. */
export function defineGateway<const Keys extends string>(
  config: GatewayOptions & { readonly routes: { readonly [Key in Keys]: RouteFor<Key> } },
): GatewayConfig {
  return config as GatewayConfig
}

// What may stand behind a key; the functions of handlers are told which parameters it has.
type RouteFor<Key extends string> = CheckedRoute<Key, RouteAction<ParamsOf<Key>>>

/**
 * Serves the files beneath `root`, a directory, relative to the configuration file. The key must
 * end in `*`: what that matches is looked up. `'/docs/*': files('site/docs')` serves `/docs/a.html`
 * from `site/docs/a.html`. Answers GET and HEAD.
 */
export function files<Params = PathParams>(
  root: string,
  options: FilesOptions<Params> = {},
): FilesAction<Params> {
  return { kind: 'files', root, options }
}

/**
 * A fixed answer. A string is sent as `text/plain; charset=utf-8`, bytes as
 * `application/octet-stream`, any other value as JSON; `contentType` overrides that.
 */
export function respond<Params = PathParams>(
  status: number,
  body?: ResponseBody,
  options: RespondOptions<Params> = {},
): RespondAction<Params> {
  return { kind: 'respond', status, body, options }
}

/**
 * Sends visitors to `location`: a URL, or a path on this site. Variables: `$path` and `$query`
 * (with its `?`) of the request, `$host` (without port), `$rest` (what the final `*` matched, with
 * its leading `/`), and `$name` for a parameter `:name`; `$$` is a dollar sign.
 */
export function redirect<Params = PathParams>(
  status: RedirectStatus,
  location: string,
  options: RedirectOptions<Params> = {},
): RedirectAction<Params> {
  return { kind: 'redirect', status, location, options }
}

/**
 * Forwards requests to an upstream: to one of `upstreams`, by its name, or to targets that stand
 * here: a URL (`'http://127.0.0.1:3000'`, `'unix:/run/app.sock'`), or a list of them, with the
 * options of an upstream beside those of the route. Bodies stream both ways; upgrades (WebSockets)
 * become tunnels.
 */
export function proxy<Params = PathParams>(
  targets: TargetUrl | TargetOptions | readonly (TargetUrl | TargetOptions)[],
  options?: InlineProxyOptions<Params>,
): ProxyAction<Params>
export function proxy<Params = PathParams>(
  upstream: string,
  options?: ProxyOptions<Params>,
): ProxyAction<Params>
export function proxy<Params>(
  to: ProxyAction['to'],
  options: InlineProxyOptions<Params> = {},
): ProxyAction<Params> {
  return { kind: 'proxy', to, options }
}
