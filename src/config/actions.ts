// What a configuration file writes: defineGateway() and one function for every kind of route. They
// only note what was asked for as plain data; config/validate.ts judges it, with all else, at once.

import type { FilesOptions, GatewayOptions, RedirectOptions, RespondOptions } from './options.ts'
import type { CheckedRoutes, RouteKey } from './pattern-types.ts'

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

/** What stands behind a route key. */
export type RouteAction = FilesAction | RespondAction | RedirectAction

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
export function defineGateway<const Routes extends Record<string, RouteAction>>(
  config: GatewayOptions & { readonly routes: Routes & CheckedRoutes<Routes> },
): GatewayConfig {
  return config
}

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
