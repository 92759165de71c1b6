// The options of upstreams and of proxy(), as in options.ts. Written from the tables of
// schema*.ts: change those, then run scripts/generate-config-docs.ts.

import type { FilesRoot } from './files-root.ts'
import type { Hooks } from './hooks.ts'
import type { PathParams } from './path-params.ts'
import type { StatusPattern } from './status-pattern.ts'
import type { Duration, Size } from './units.ts'

/** Where requests can go, and how they are spread. */
export interface UpstreamOptions {
  /**
   * Where requests go. A name is resolved again as its time to live says; every address of it is a
   * target of its own.
   */
  targets: string | TargetOptions | readonly (string | TargetOptions)[]
  /**
   * Who gets a request: the less busy of two that chance picks; each in turn; the least busy of
   * all; the one that 'key' leads to, as long as it is there and not overloaded; the one that a
   * cookie names, which the first answer sets. Default: `'random-two'`.
   */
  balance?: 'random-two' | 'round-robin' | 'least-connections' | 'hash' | 'sticky'
  /**
   * What 'hash' looks at, or the cookie of 'sticky'. Default: `'address'; for sticky { cookie:
   * 'sluice-target' }`.
   */
  key?: 'address' | 'path' | { readonly header: string } | { readonly cookie: string }
  /** Connections that wait for their next request. */
  keepAlive?: KeepAliveOptions
  /** Requests that wait for a target. */
  queue?: QueueOptions
  /** When a target that fails requests gets none for a while. false: never. */
  ejection?: EjectionOptions | false
  /**
   * A target that joins or comes back gets its full share only after this. 0: at once. Default:
   * `0`.
   */
  slowStart?: Duration
  /**
   * Who speaks HTTP with the targets. 'splice': the workers, in HTTP/1.1, through a process that
   * adds TLS for https: targets. 'undici': that process, by undici. 'auto': 'undici' with allowH2,
   * else 'splice'. Default: `'auto'`.
   */
  transport?: 'auto' | 'splice' | 'undici'
  /** Whether https: targets that can are spoken to in HTTP/2, as ALPN finds. Default: `false`. */
  allowH2?: boolean
  /** How TLS is spoken with https: targets. Certificates are verified unless this says not to. */
  tls?: TargetTlsOptions
  /**
   * Whether a connection begins with a header of the PROXY protocol, for targets that ask for it.
   * Such connections are not shared by clients. Default: `false`.
   */
  proxyProtocol?: false | 'v1' | 'v2'
  /**
   * Checks of every target: a path, or an object. false: none, only 'ejection' watches. Default:
   * `false`.
   */
  health?: string | HealthOptions | false
}

/** One place that requests can go to; a URL alone stands for { url }. */
export interface TargetOptions {
  /**
   * Where it is: 'http://host:port' or 'https://host:port', with a name or an address, 'unix:' and
   * the path of a socket, relative to the configuration file, or 'srv:' and the name of a service,
   * whose SRV records say host, port, weight and who is a backup.
   */
  url: string
  /** Its share of the requests, beside the weights of the others. Default: `1`. */
  weight?: number
  /**
   * Requests that it gets at once, over all workers and for each of its addresses; more wait in
   * the queue. 0: any number. Default: `0`.
   */
  maxConnections?: number
  /** Whether it gets requests only while no other target can take them. Default: `false`. */
  backup?: boolean
}

/** Connections that wait for their next request. */
export interface KeepAliveOptions {
  /** Idle connections that each worker keeps to each target. 0: none. Default: `64`. */
  connections?: number
  /**
   * How long one is kept; less when the target's Keep-Alive field says so. Shorter than what the
   * target allows, or requests meet connections that it is just closing. Default: `'4s'`.
   */
  idle?: Duration
}

/** How TLS is spoken with https: targets. */
export interface TargetTlsOptions {
  /**
   * PEM files with the authorities whose certificates are believed, in the place of those that
   * Node knows. Default: `false`.
   */
  ca?: string | readonly string[] | false
  /**
   * The name that the certificate must have, and that is asked for (SNI). false: the one in the
   * URL of the target. Default: `false`.
   */
  servername?: string | false
  /**
   * A certificate that we show to targets that ask for one, with its chain; needs key. Default:
   * `false`.
   */
  cert?: string | false
  /** Its private key. Default: `false`. */
  key?: string | false
  /**
   * Believe whatever certificate comes, expired ones, made-up ones and those of others. Whoever is
   * on the way can then read and change everything: for tests. Default: `false`.
   */
  dangerouslyAcceptAnyCertificate?: boolean
}

/** Requests that wait while every target has as many as it may. */
export interface QueueOptions {
  /**
   * Requests of one worker that may wait while every target has its maxConnections; then 503.
   * Default: `1024`.
   */
  length?: number
  /** How long one may wait; then 503. Default: `'5s'`. */
  timeout?: Duration
}

/** When a target that fails requests gets none for a while. */
export interface EjectionOptions {
  /**
   * Requests in a row that a target fails (refused, reset, silent, nonsense) before it gets none
   * for a while. 0: any number. Default: `5`.
   */
  failures?: number
  /**
   * The same when this percentage of its requests fails, of at least 20 within ten seconds. 0:
   * never. Default: `0`.
   */
  percent?: number
  /** For how long; then one request at a time tries it, until one is answered. Default: `'10s'`. */
  time?: Duration
  /**
   * Whether requests get 503 at once while every target is ejected, so that what is overloaded can
   * recover. false: to try one is better than to answer 503. Default: `false`.
   */
  failFast?: boolean
}

/** Checks of every target; a path alone stands for { path }. */
export interface HealthOptions {
  /** What is asked for, with a query if there is one. Default: `'/'`. */
  path?: string
  /** How it is asked. Default: `'GET'`. */
  method?: 'GET' | 'HEAD' | 'OPTIONS'
  /** Answers of a target that is well: statuses, or classes of them. Default: `'2xx'`. */
  status?: StatusPattern | readonly StatusPattern[]
  /** A text that the answer's first 64 KiB contain. '': any answer will do. Default: `''`. */
  body?: string
  /** The Host field of a check. false: the target's own. Default: `false`. */
  host?: string | false
  /** Whether a connection is enough, and nothing is asked. Default: `false`. */
  tcp?: boolean
  /** From one check of a target to the next, give or take a tenth. Default: `'5s'`. */
  interval?: Duration
  /** For the whole check; later is failed. Default: `'2s'`. */
  timeout?: Duration
  /** Checks in a row that pass before a target that is down is up. Default: `2`. */
  rise?: number
  /**
   * Checks in a row that fail before a target that is up is down. Its first check decides alone.
   * Default: `3`.
   */
  fall?: number
}

/** Options of proxy(). Beside inline targets those of an upstream may stand, too. */
export interface ProxyOptions<Params = PathParams> {
  /**
   * Segments that are taken off the path: with '/api', '/api/users' reaches the target as
   * '/users', '/api' as '/'. Default: `false`.
   */
  stripPrefix?: string | false
  /**
   * Another path, with variables as in redirect(): '/v2$rest', '/users/$id'. The query is kept
   * unless this has one. Default: none.
   */
  rewrite?: string
  /**
   * The Host field: 'preserve' is the client's, 'target' the target's own, else that value. 'auto'
   * is 'target' for an upstream with https: targets, and 'preserve' for others. Default: `'auto'`.
   */
  host?: string
  /** Header fields that are set, added and removed. */
  headers?: ProxyHeadersOptions
  /**
   * How the target learns who asked: X-Forwarded-For, -Proto, -Host and -Port, Forwarded (RFC
   * 7239), both, or not at all. What the client sent in these fields goes, unless it comes from
   * one of 'trustedProxies'. Default: `'x-forwarded'`.
   */
  forwarded?: 'x-forwarded' | 'forwarded' | 'both' | false
  /** Whether requests get a Via field (RFC 9110 §7.6.3). Default: `true`. */
  via?: boolean
  /**
   * Whether requests get an X-Request-Id, unless one of 'trustedProxies' has sent it. Default:
   * `true`.
   */
  requestId?: boolean
  /** How long a target may take. */
  timeout?: ProxyTimeoutOptions
  /** When a request is tried again elsewhere: a number of tries, or an object. false: never. */
  retry?: number | RetryOptions | false
  /**
   * Body of a request; more is answered with 413. false: any size, since bodies are not held but
   * passed on. Default: limits.bodyBytes where that is set, else false.
   */
  bodyBytes?: Size | false
  /**
   * Whether a client that closes its sending side before it has the whole answer still gets it.
   * false: it is taken to have gone, and the target is let go. Default: `false`.
   */
  halfClose?: boolean
  /**
   * The files that a target may answer with by naming one in X-Accel-Redirect: the gateway sends
   * it, and nobody else reaches it. Default: none.
   */
  accelRedirect?: FilesRoot | AccelRedirectOptions
  /**
   * Who gets a copy of the requests, too, and answers for nobody: one or several. They never slow,
   * fail or change what the client gets. See docs/MIRROR.md. Default: `false`.
   */
  mirror?: string | MirrorOptions | readonly (string | MirrorOptions)[] | false
  /**
   * How bytes are moved, for this route; the gateway's 'copy' holds for every route. Default:
   * `'auto'`.
   */
  transfer?: 'auto' | 'copy'
  /** What requests pass before the action. See docs/HOOKS.md. Default: none. */
  hooks?: Hooks<Params>
}

/** Header fields that proxy() changes. */
export interface ProxyHeadersOptions {
  /** Of the request, on its way to the target. */
  request?: FieldEditsOptions
  /** Of the answer, on its way to the client. */
  response?: FieldEditsOptions
}

/** Changes to the header fields of a message. */
export interface FieldEditsOptions {
  /** Fields that take the place of all of that name. */
  set?: Readonly<Record<string, string>>
  /** Fields that come beside those that are there. */
  add?: Readonly<Record<string, string>>
  /** Names of fields that go. Default: `false`. */
  remove?: string | readonly string[] | false
}

/** How long a target may take. */
export interface ProxyTimeoutOptions {
  /** For a connection to a target; then another target is tried, or 504. Default: `'5s'`. */
  connect?: Duration
  /**
   * From the end of the request, or its last progress, to the head of the answer; then 504.
   * Default: `'60s'`.
   */
  firstByte?: Duration | false
  /**
   * Between two arrivals of the answer's body; then both connections are closed. Event streams
   * that are silent for longer want more, or false. Default: `'60s'`.
   */
  between?: Duration | false
  /** For the whole exchange. false: no limit. Default: `false`. */
  total?: Duration | false
  /** Without a byte in either direction after an upgrade (WebSockets). Default: `'1h'`. */
  tunnel?: Duration | false
}

/** When a request is tried again elsewhere. */
export interface RetryOptions {
  /**
   * Other targets that are tried after the first has failed without a byte of an answer. Default:
   * `1`.
   */
  tries?: number
  /**
   * Whether requests that may have been carried out are tried again too: POST, PATCH and what else
   * is not idempotent. Default: `false`.
   */
  unsafe?: boolean
}

/** Who gets copies of requests; a target alone stands for { target }. */
export interface MirrorOptions {
  /**
   * Who gets the copies: one of 'upstreams', by its name, or a URL. Its health, ejection and
   * connections are its own.
   */
  target: string
  /**
   * How many of the requests, to a ten-thousandth. Chosen by X-Request-Id, so that gateways in a
   * row choose the same ones. Default: `100`.
   */
  percent?: number
  /**
   * For the connection, and again from the end of the request to that of the mirror's answer; then
   * the copy is given up. Default: `'10s'`.
   */
  timeout?: Duration
  /**
   * Bytes of one request that wait in memory while the mirror takes them more slowly than they
   * come, beyond what a pipe holds. More, and the copy is given up. Default: `'64mb'`.
   */
  maxBehind?: Size
}

/** Files that a target may name in X-Accel-Redirect. */
export interface AccelRedirectOptions {
  /** Where the files are: a directory, or files('directory', { … }). */
  root: FilesRoot
  /**
   * What the paths in the field begin with, before the path in the root: with '/protected',
   * '/protected/a.zip' is the file 'a.zip'. false: nothing. Default: `false`.
   */
  prefix?: string | false
}

/** Options of relay(). Beside inline targets those of an upstream may stand, too. */
export interface RelayRouteOptions<Params = PathParams> {
  /**
   * What the target is asked for, with a query if it needs one. Of clients nothing is passed on.
   * Default: the path of the route.
   */
  path?: string
  /**
   * Routes with relays of one name share one stream of the upstream; what concerns that has to be
   * the same in each. Default: the key of the route.
   */
  name?: string
  /**
   * What the stream is, and so where a client can begin: an event of server-sent events, a line,
   * or bytes: then at a 'marker', or anywhere. Default: `'sse'`.
   */
  as?: 'sse' | 'ndjson' | 'raw'
  /**
   * Bytes that every piece of a raw stream begins with: clients begin there, and go on there when
   * they have fallen behind. Default: none.
   */
  marker?: string | Uint8Array
  /**
   * What happens to a client that is further behind than the buffer reaches: it goes on with the
   * newest piece, or its connection ends. Default: `'skip'`.
   */
  slow?: 'skip' | 'disconnect'
  /**
   * How many of the newest pieces a client gets first, as far as they are still in the buffer. One
   * that says Last-Event-ID gets what came after that. Default: `0`.
   */
  history?: number
  /**
   * The same in bytes, from the first boundary within them on. Instead of 'history'. Default: `0`.
   */
  historyBytes?: Size
  /** Bytes of the newest pieces that are kept for slow clients and history. Default: `'4mb'`. */
  buffer?: Size
  /**
   * After so long without an event a comment is sent, for server-sent events. 0: never. Default:
   * `'15s' for 'sse', else none`.
   */
  heartbeat?: Duration
  /** How long the upstream stays open when the last client has left. Default: `'2s'`. */
  linger?: Duration
  /**
   * How long clients keep their connections while the upstream is away and is tried again; then
   * they are disconnected. 0: at once. Default: `'30s'`.
   */
  outage?: Duration
  /** The Host field: 'target' is the target's own, else that value. Default: `'target'`. */
  host?: string
  /** Header fields that are set, added and removed. */
  headers?: ProxyHeadersOptions
  /** How long a target may take. */
  timeout?: RelayTimeoutOptions
  /** How many other targets are tried after the first has failed without an answer. */
  retry?: number | RetryOptions | false
  /** What requests pass before the action. See docs/HOOKS.md. Default: none. */
  hooks?: Hooks<Params>
}

/** How long a target of relay() may take. */
export interface RelayTimeoutOptions {
  /** For a connection to a target; then another target is tried, or 504. Default: `'5s'`. */
  connect?: Duration
  /**
   * From the end of the request, or its last progress, to the head of the answer; then 504.
   * Default: `'60s'`.
   */
  firstByte?: Duration | false
  /**
   * Between two arrivals of the stream; then it is opened again. Streams that are silent for
   * longer want more, or false. Default: `'60s'`.
   */
  between?: Duration | false
}
