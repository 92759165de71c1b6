// The routes whose answers are made by functions: handler() and mount(), and what those functions
// are given. Functions stay in the process that evaluates the file (src/app); of these actions only
// that they are there goes to the gateway. Types, and two functions that note what was asked for.

import type { ChannelMessage } from '../native/publication.ts'
import type { HandlerOptions, MountOptions } from './function-options.ts'
import type { HandlerLog } from './handler-log.ts'
import type { PathParams } from './path-params.ts'

export type { HandlerLog, LogMethod } from './handler-log.ts'
export type { PathParams } from './path-params.ts'

/** What a handler knows besides the request. */
export interface HandlerContext<Params = PathParams> {
  readonly params: Params
  /** Of the client, as text; 'unix' when it came over a unix socket. */
  readonly clientAddress: string
  /** The same as in the access log and in the body of a 500. */
  readonly requestId: string
  /** Aborted when the client goes away before the answer has ended. */
  readonly signal: AbortSignal
  readonly log: HandlerLog
  /**
   * Sends a message to every client of a channel() of this configuration. Returns before they have
   * it; messages of one handler keep their order. Throws when there is no channel of that name.
   */
  publish(channel: string, message: ChannelMessage): void
  /**
   * The answer is a file beneath the `root` of the route, sent by the gateway without passing
   * through JavaScript. Its header fields may be changed; its body is the file's. Throws when the
   * route has no root or the path could leave it.
   */
  file(path: string, init?: FileInit): Response
  /**
   * Passes a request on to an upstream, under the rules of proxy() routes: fields, balancing,
   * retries, deadlines. Resolves with its answer, or with the gateway's own (502, 503, 504) when it
   * has none. Bodies stream both ways; given up when `signal` is aborted.
   */
  proxy(request: Request, options: ForwardOptions): Promise<Response>
}

/** Of a file as an answer. */
export interface FileInit {
  readonly status?: number
  readonly headers?: ConstructorParameters<typeof Headers>[0]
}

/** Of a request that is forwarded. */
export interface ForwardOptions {
  /** The name of an upstream of the configuration, or the URL of a target that a route names. */
  readonly upstream: string
  /** Path and query in place of the request's. */
  readonly target?: string
}

/** Answers requests, in the style of fetch. */
export type Handler<Params = PathParams> = (
  request: Request,
  context: HandlerContext<Params>,
) => Response | Promise<Response>

/** What a mounted server is told. */
export interface MountPlace {
  /** The unix socket to listen on; nothing is there yet. */
  readonly path: string
}

/**
 * Starts a server that listens on a unix socket and gives it back, or a promise of it. One that has
 * a `close()` is closed when it is not needed any more.
 */
export type MountFactory = (place: MountPlace) => unknown

/** A route whose answers a function makes; made by handler(). */
export interface HandlerAction<Params = PathParams> {
  readonly kind: 'handler'
  // A method: a handler of more parameters than are known is still a route.
  handle(request: Request, context: HandlerContext<Params>): Response | Promise<Response>
  readonly options: HandlerOptions<Params>
}

/** A route that belongs to a server of its own; made by mount(). */
export interface MountAction<Params = PathParams> {
  readonly kind: 'mount'
  readonly start: MountFactory
  readonly options: MountOptions<Params>
}

/**
 * A function that answers: `handler((request, { params }) => Response.json(params))`. It runs in a
 * process of its own beside the gateway. What it throws is a 500 and a line in the log.
 */
export function handler<Params = PathParams>(
  handle: Handler<Params>,
  options: HandlerOptions<Params> = {},
): HandlerAction<Params> {
  return { kind: 'handler', handle, options }
}

/**
 * Any server that can listen on a unix socket answers this route, upgrades (WebSockets) included:
 * `mount(({ path }) => http.createServer(app).listen(path))`. It gets the path of a request as it
 * is, and lives in the process of the handlers.
 */
export function mount<Params = PathParams>(
  start: MountFactory,
  options: MountOptions<Params> = {},
): MountAction<Params> {
  return { kind: 'mount', start, options }
}
