// What a configuration file writes: defineGateway() and one function for every kind of route. They
// only note what was asked for as plain data; config/validate.ts judges it, with all else, at once.

import type { ChannelAction } from './channels.ts'
import type { HandlerAction, MountAction, PathParams } from './functions.ts'
import type { FilesOptions, GatewayOptions, RedirectOptions, RespondOptions } from './options.ts'
import type { CheckedRoute, ParamsOf, RouteKey } from './pattern-types.ts'
import type { ProxyOptions, TargetOptions, UpstreamOptions } from './proxy-options.ts'

/** A route that serves files; made by files(). */
export interface FilesAction {
  readonly kind: 'files'
  readonly root: string
  readonly options: FilesOptions
}

/** A route that gives a fixed answer; made by respond(). */
export interface RespondAction {
  readonly kind: 'respond'
  readonly status: number
  readonly body: ResponseBody | undefined
  readonly options: RespondOptions
}

/** A route that sends visitors elsewhere; made by redirect(). */
export interface RedirectAction {
  readonly kind: 'redirect'
  readonly status: RedirectStatus
  readonly location: string
  readonly options: RedirectOptions
}

/** A route that forwards to an upstream; made by proxy(). */
export interface ProxyAction {
  readonly kind: 'proxy'
  readonly to: string | TargetOptions | readonly (string | TargetOptions)[]
  readonly options: InlineProxyOptions
}

/** Where a proxy() route goes that names no upstream. */
export type TargetUrl = `http://${string}` | `https://${string}` | `unix:${string}`

/** Options of proxy() to targets of its own: those of an upstream stand beside the route's. */
export type InlineProxyOptions = ProxyOptions & Omit<UpstreamOptions, 'targets'>

/** What stands behind a route key. */
export type RouteAction<Params = PathParams> =
  | FilesAction
  | ChannelAction
  | HandlerAction<Params>
  | MountAction
  | RespondAction
  | RedirectAction
  | ProxyAction

/** 301 and 308 are permanent; 307 and 308 keep the method and the body; 303 makes it a GET. */
export type RedirectStatus = 301 | 302 | 303 | 307 | 308

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
export function files(root: string, options: FilesOptions = {}): FilesAction {
  return { kind: 'files', root, options }
}

/**
 * A fixed answer. A string is sent as `text/plain; charset=utf-8`, bytes as
 * `application/octet-stream`, any other value as JSON; `contentType` overrides that.
 */
export function respond(
  status: number,
  body?: ResponseBody,
  options: RespondOptions = {},
): RespondAction {
  return { kind: 'respond', status, body, options }
}

/**
 * Sends visitors to `location`: a URL, or a path on this site. Variables: `$path` and `$query`
 * (with its `?`) of the request, `$host` (without port), `$rest` (what the final `*` matched, with
 * its leading `/`), and `$name` for a parameter `:name`; `$$` is a dollar sign.
 */
export function redirect(
  status: RedirectStatus,
  location: string,
  options: RedirectOptions = {},
): RedirectAction {
  return { kind: 'redirect', status, location, options }
}

/**
 * Forwards requests to an upstream: to one of `upstreams`, by its name, or to targets that stand
 * here: a URL (`'http://127.0.0.1:3000'`, `'unix:/run/app.sock'`), or a list of them, with the
 * options of an upstream beside those of the route. Bodies stream both ways; upgrades (WebSockets)
 * become tunnels.
 */
export function proxy(
  targets: TargetUrl | TargetOptions | readonly (TargetUrl | TargetOptions)[],
  options?: InlineProxyOptions,
): ProxyAction
export function proxy(upstream: string, options?: ProxyOptions): ProxyAction
export function proxy(to: ProxyAction['to'], options: InlineProxyOptions = {}): ProxyAction {
  return { kind: 'proxy', to, options }
}
