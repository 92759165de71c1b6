// What a configuration file writes of hooks: hook() and the ready-made ones. They only note what
// was asked for; config/read-hooks.ts judges it. Functions run in the app (src/app), the rest in
// the core. Types, and functions that note.

import type { HandlerLog } from './handler-log.ts'
import type {
  BasicAuthOptions,
  CorsOptions,
  ForwardAuthOptions,
  JwtOptions,
  MaintenanceOptions,
  RateLimitOptions,
  SecurityHeadersOptions,
} from './hook-options.ts'
import type { PathParams } from './path-params.ts'
import type { RedirectStatus } from './redirect-status.ts'
import type { TransformHead, TransformHooks } from './transforms.ts'

/** The head of a request, as a hook sees it. Nothing of the body is there. */
export interface RequestHead<Params = PathParams> {
  readonly method: string
  /** Path and query, as they came, or as a hook before this one has rewritten them. */
  readonly target: string
  /** Of the target, without the query. */
  readonly path: string
  /** With its '?'; '' when there is none. */
  readonly query: string
  /** host[:port] that the client asked for. */
  readonly host: string
  /** 'https' when the client spoke TLS, or when a trusted proxy says so. */
  readonly scheme: 'http' | 'https'
  readonly params: Params
  /** Of the client, as text; 'unix' when it came over a unix socket. */
  readonly clientAddress: string
  /** The same as in `X-Request-Id` and in the body of a 500. */
  readonly requestId: string
  readonly log: HandlerLog
  /** The value of a header field, several joined by ', '; undefined: there is none. */
  header(name: string): string | undefined
  /** All header fields. Costs more than header(). */
  readonly headers: Headers
}

/**
 * The head of a request whose verdict is remembered: only what the memory knows requests by, so
 * that nobody gets the verdict of somebody else. Other fields throw, and do not compile.
 */
export interface RememberedHead<Params = PathParams, By extends string = string>
  extends Omit<RequestHead<Params>, 'clientAddress' | 'header' | 'scheme' | 'headers'> {
  header(name: By): string | undefined
}

/** The head of an answer on its way to the client. */
export interface ResponseHead<Params = PathParams> {
  readonly status: number
  header(name: string): string | undefined
  readonly headers: Headers
  /** What the client asked. */
  readonly request: RequestHead<Params>
}

/** An error of the gateway's own, before its answer. */
export interface RequestError<Params = PathParams> {
  /** Its name in docs/ERRORS.md: 'upstream-refused', 'hook-timeout' … */
  readonly code: string
  /** That the client would get. */
  readonly status: number
  readonly request: RequestHead<Params>
}

/** Changes to header fields: those of `remove` go, `set` takes the place of others, `add` comes. */
export interface HookFieldEdits {
  readonly set?: Readonly<Record<string, string>>
  readonly add?: Readonly<Record<string, string | readonly string[]>>
  readonly remove?: readonly string[]
}

interface Remembering {
  /** Seconds that this verdict is remembered, in place of the hook's; false: not at all. */
  readonly remember?: number | false
}

/** An answer, for a hook that remembers it for its own time. */
export interface HookAnswer extends Remembering {
  readonly answer: Response
  readonly redirect?: never
  readonly rewrite?: never
  readonly upstream?: never
  readonly request?: never
  readonly response?: never
}

/** The client is sent elsewhere: to a path, or a URL. */
export interface HookRedirect extends Remembering {
  readonly redirect: string
  /** Default: 302. */
  readonly status?: RedirectStatus
  readonly answer?: never
  readonly rewrite?: never
  readonly upstream?: never
  readonly request?: never
  readonly response?: never
}

/** The request goes on, changed. */
export interface HookChanges extends Remembering {
  /** Path and query from now on. The request is routed anew, and passes the hooks of that route. */
  readonly rewrite?: string
  /** Name of another upstream; on proxy() routes. */
  readonly upstream?: string
  /** Fields of the request, for targets, handlers and mounted servers. */
  readonly request?: HookFieldEdits
  /** Fields of the answer. */
  readonly response?: HookFieldEdits
  /** What was found out about the client: rateLimit({ by: { claim } }) counts by it. */
  readonly claims?: Readonly<Record<string, string | number>>
  readonly answer?: never
  readonly redirect?: never
  readonly status?: never
}

/** What a hook decides about a request; nothing: it goes on as it is. */
export type HookVerdict = Response | HookAnswer | HookRedirect | HookChanges

// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing is a hook
type Nothing = void | undefined
type Now<T> = T | Promise<T>
type Bytes = ReadableStream<Uint8Array>

/** Is asked before the action of the route. */
export type OnRequest<Params = PathParams> = (
  head: RequestHead<Params>,
) => Now<HookVerdict | Nothing>

/** For how long verdicts are remembered, and by which header fields. */
export interface RememberOptions<By extends string = string> {
  readonly seconds: number
  /** Besides route, method, host and whole target, which always count. Default: none. */
  readonly by?: readonly By[]
}

/** The functions of a hook; all are optional, one has to be there. */
export interface HookFunctions<Params = PathParams> extends TransformHooks<Params> {
  onRequest?(head: RequestHead<Params>): Now<HookVerdict | Nothing>
  /** Is asked when the head of the answer is there. */
  onResponse?(head: ResponseHead<Params>): Now<HookFieldEdits | Nothing>
  /** Is asked before the gateway answers with an error of its own; its answer goes out instead. */
  onError?(error: RequestError<Params>): Now<Response | Nothing>
  readonly remember?: undefined
}

/** The same, for a hook whose verdicts are remembered. */
export interface RememberedHookFunctions<Params = PathParams, By extends string = string>
  extends Omit<HookFunctions<Params>, 'onRequest' | 'remember'> {
  readonly remember: RememberOptions<By>
  onRequest(head: RememberedHead<Params, By>): Now<HookVerdict | Nothing>
}

/** Made by hook(). */
export interface FunctionHook<Params = PathParams> {
  readonly kind: 'hook'
  readonly functions: {
    // A method: a hook of more parameters than are known is still one.
    onRequest?(head: RequestHead<Params>): Now<HookVerdict | Nothing>
    onResponse?(head: ResponseHead<Params>): Now<HookFieldEdits | Nothing>
    onError?(error: RequestError<Params>): Now<Response | Nothing>
    transformRequest?(body: Bytes, head: TransformHead<Params>): Now<Bytes>
    transformResponse?(body: Bytes, head: TransformHead<Params>): Now<Bytes>
  }
}

/** Made by one of the ready-made hooks. */
export interface ReadyHook {
  readonly kind:
    | 'addresses'
    | 'basic-auth'
    | 'cors'
    | 'forward-auth'
    | 'jwt'
    | 'maintenance'
    | 'rate-limit'
    | 'security-headers'
}

export type Hook<Params = PathParams> = FunctionHook<Params> | ReadyHook

/** One hook, or several that requests pass in this order. */
export type Hooks<Params = PathParams> = Hook<Params> | readonly Hook<Params>[]

/**
 * A function that decides about requests by their head, before any action: `hook((head) => { if
 * (head.header('x-key') !== key) return new Response('no', { status: 403 }) })`. It runs in the
 * process of the handlers, and leaves zero-copy on. What it throws is a 500 and a line in the log.
 */
export function hook<Params = PathParams>(onRequest: OnRequest<Params>): FunctionHook<Params>
export function hook<Params = PathParams, const By extends string = never>(
  functions: RememberedHookFunctions<Params, By>,
): FunctionHook<Params>
export function hook<Params = PathParams>(functions: HookFunctions<Params>): FunctionHook<Params>
export function hook<Params>(given: unknown): FunctionHook<Params> {
  const functions = typeof given === 'function' ? { onRequest: given } : given
  return { kind: 'hook', functions } as FunctionHook<Params>
}

/** Only clients from these networks pass ('10.0.0.0/8', an address, 'unix'); others get a 403. */
export function ipAllow(networks: string | readonly string[]): ReadyHook {
  return { kind: 'addresses', allows: true, networks } as ReadyHook
}

/** Clients from these networks get a 403. */
export function ipDeny(networks: string | readonly string[]): ReadyHook {
  return { kind: 'addresses', allows: false, networks } as ReadyHook
}

/**
 * Lets each client make so many requests in a window: `rateLimit({ limit: 100, window: '1m' })`. A
 * token bucket, counted in the core over all workers; others get a 429 with `Retry-After` and
 * RateLimit fields, and reach no JavaScript. With the gateway's own hooks it counts the requests of
 * all routes together.
 */
export function rateLimit(options: RateLimitOptions): ReadyHook {
  return ready('rate-limit', options)
}

/** Lets pages of other origins read the answers (CORS); preflights are answered by the core. */
export function cors(options: CorsOptions = {}): ReadyHook {
  return ready('cors', options)
}

/** Header fields that make browsers careful, on every answer. */
export function securityHeaders(options: SecurityHeadersOptions = {}): ReadyHook {
  return ready('security-headers', options)
}

/** Answers with 503 while it is on; `except` lets operators pass. */
export function maintenance(options: MaintenanceOptions = {}): ReadyHook {
  return ready('maintenance', options)
}

/** Asks for a user and a password (RFC 7617); hashes come from `sluice hash-password`. */
export function basicAuth(options: BasicAuthOptions): ReadyHook {
  return ready('basic-auth', options)
}

/** Takes requests with a valid JSON Web Token only (RFC 7519, RFC 6750). */
export function jwt(options: JwtOptions): ReadyHook {
  return ready('jwt', options)
}

/** Asks another server whether a request may pass: its 2xx lets it, any other answer goes back. */
export function forwardAuth(options: ForwardAuthOptions): ReadyHook {
  return ready('forward-auth', options)
}

function ready(kind: ReadyHook['kind'], options: object): ReadyHook {
  return { kind, options } as ReadyHook
}
