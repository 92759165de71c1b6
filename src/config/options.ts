// The options that people write, with units and defaults for their editors; others are in
// files of their own (*-options.ts). Written from the tables of
// schema*.ts: change those, then run scripts/generate-config-docs.ts.

import type { LogField } from '../native/access-log.ts'
import type { ContentCoding } from '../native/interface.ts'
import type { Hooks } from './hooks.ts'
import type { UploadOptions } from './intake-options.ts'
import type { ListenerOptions } from './listener-options.ts'
import type { OtherAction } from './other-action.ts'
import type { PathParams } from './path-params.ts'
import type { UpstreamOptions } from './proxy-options.ts'
import type { Duration, Size } from './units.ts'

/** The top level of a configuration, beside its routes. */
export interface GatewayOptions {
  /** Where to accept connections: a port, or an object, or a list of them. Default: `8080`. */
  listen?: number | ListenerOptions | readonly (number | ListenerOptions)[]
  /**
   * Native threads that serve requests. Default: the CPUs that this process may use, quotas
   * included.
   */
  workers?: number
  /** What one client may ask for at most. */
  limits?: LimitsOptions
  /** How long a client may take. */
  timeouts?: TimeoutsOptions
  /** How bytes are moved; 'auto' and 'copy' stand for { mode }. */
  transfer?: 'auto' | 'copy' | TransferOptions
  /** Bounds of what is remembered about files. */
  cache?: CacheOptions
  /** One line for every request; true: JSON on stdout. See docs/ACCESS_LOG.md. Default: `false`. */
  accessLog?: boolean | AccessLogOptions
  /**
   * Where operators ask: /livez, /readyz, /metrics, and with a token what docs/ADMIN.md lists. Not
   * for clients. Default: `false`.
   */
  admin?: AdminOptions | false
  /** The Server field of every answer. '': none is sent. Default: `''`. */
  serverName?: string
  /**
   * Networks of the proxies before this one, whose X-Forwarded-For, Forwarded, X-Request-Id and
   * PROXY protocol are believed: '10.0.0.0/8', an address, or 'unix' for whoever connects to a
   * unix socket. false: nobody's. Default: `false`.
   */
  trustedProxies?: string | readonly string[] | false
  /**
   * What every request of every route passes before the hooks of its route, in this order. See
   * docs/HOOKS.md. Default: `[]`.
   */
  hooks?: Hooks
  /** Where proxy() routes forward to, by name. */
  upstreams?: { readonly [name: string]: UpstreamOptions }
}

/** What one client may ask for at most. */
export interface LimitsOptions {
  /** Client connections that one worker keeps open. Default: `20000`. */
  connectionsPerWorker?: number
  /** Connections from one client address over all workers. 0: no limit. Default: `0`. */
  connectionsPerAddress?: number
  /** Requests on one connection before it is closed. 0: no limit. Default: `0`. */
  keepAliveRequests?: number
  /** Request line and header fields together; more is answered with 431. Default: `'32kb'`. */
  headBytes?: Size
  /**
   * Status line and header fields of what a target answers, interim answers together; more is 502.
   * Default: `'64kb'`.
   */
  responseHeadBytes?: Size
  /** The request target (path and query); more is answered with 414. Default: `'8kb'`. */
  targetBytes?: Size
  /** Header fields of a request; more is answered with 431. Default: `100`. */
  headers?: number
  /**
   * Body of a request; more is answered with 413. proxy() routes, which pass bodies on, have a
   * limit only when one is set here or at the route. Default: `'10mb'`.
   */
  bodyBytes?: Size
  /**
   * TLS handshakes that are under way in one worker at once; connections beyond it are closed.
   * Each takes 20 to 50 KB until it is done, 150 KB when the client sends that much, at most for
   * 'timeouts.head'. Default: `4096`.
   */
  handshakes?: number
  /**
   * Copies of requests that are under way to mirrors, over all workers; requests beyond it are not
   * mirrored. Default: `1000`.
   */
  mirrors?: number
  /**
   * Bytes that mirrors have not taken yet, over all workers; beyond it copies are given up.
   * Default: `'256mb'`.
   */
  mirrorBytes?: Size
}

/** How long a client may take. */
export interface TimeoutsOptions {
  /**
   * From the first byte of a request to the end of its head; then 408. A connection whose first
   * request does not begin in this time is closed. Default: `'10s'`.
   */
  head?: Duration
  /** Between two arrivals of a request body; then 408. Default: `'30s'`. */
  body?: Duration
  /**
   * After an answer, a connection without another request is closed after this. Default: `'60s'`.
   */
  idle?: Duration
  /**
   * A client that acknowledges no byte of its answer for this long is closed, within half of it
   * more. Default: `'30s'`.
   */
  write?: Duration
  /**
   * Bytes per second of a body that a client takes (counted over each 'write') or sends (over each
   * 'body') at least; slower ones are closed, after one and a half such periods of grace. 0: any.
   * Default: `100`.
   */
  minimumRate?: Size
  /** At shutdown, requests that still run after this are cut off. Default: `'30s'`. */
  drain?: Duration
  /**
   * At shutdown, how long /readyz says 503 while everything is still served, for load balancers to
   * notice; then 'drain' begins. Default: `0`.
   */
  drainDelay?: Duration
  /**
   * From the end of a request to the head of the answer of its handler or mounted server; then
   * 504. 0: no limit. Default: `'60s'`.
   */
  handler?: Duration
  /** The process of handlers and mounted servers has to be ready within this. Default: `'30s'`. */
  appStart?: Duration
  /**
   * That process is killed and started anew when it waits for nothing and yet does not react for
   * this long while it has requests: an endless loop, a blocking call. Default: `'10s'`.
   */
  appHang?: Duration
}

/** How bytes are moved. */
export interface TransferOptions {
  /**
   * 'auto': the kernel moves bytes where that is cheaper; 'copy': read and write, always. Default:
   * `'auto'`.
   */
  mode?: 'auto' | 'copy'
  /** Files up to this size are held in memory and sent with one system call. Default: `'16kb'`. */
  memoryBytes?: Size
  /**
   * Proxied bodies of which so much is left are spliced; of less, reading and sending it is
   * cheaper. Chunks are spliced from 128kb on, or from here on if this is more. Default: `'16kb'`.
   */
  spliceBytes?: Size
  /**
   * Room of the pipes that bodies are spliced through (fs.pipe-user-pages-soft bounds it).
   * Default: `'1mb'`.
   */
  pipeBytes?: Size
  /** So much of a file is read at once where it is copied. Default: `'256kb'`. */
  copyBytes?: Size
}

/** Bounds of what is remembered about files. */
export interface CacheOptions {
  /**
   * Files remembered, each an open descriptor or its bytes in memory; encodings are files.
   * Default: `4096`.
   */
  files?: number
  /**
   * Bytes of small files held in memory, and of the encodings that were made. Default: `'64mb'`.
   */
  bytes?: Size
  /**
   * Answers remembered, those for missing files included. A list of a directory counts as one more
   * for each 1kb of it, a path for each 256 bytes. Default: `32768`.
   */
  answers?: number
  /**
   * A directory in which encodings of large files are kept, without a name: they are gone when the
   * gateway ends. '': in memory. Either way they count as bytes. Default: `''`.
   */
  directory?: string
}

/** One line for every request. */
export interface AccessLogOptions {
  /**
   * 'json': an object in each line. 'combined': the NCSA combined log format, followed by the
   * duration in microseconds and the engine. Default: `'json'`.
   */
  format?: 'json' | 'combined'
  /**
   * The fields of JSON lines (docs/ACCESS_LOG.md). One that a request has no value for is left out
   * of its line. Default: all but 'protocol' and 'worker'.
   */
  fields?: LogField | readonly LogField[]
  /**
   * Which share of the requests is logged, for example { '2xx': 0.1 }; 'none' are those that ended
   * without an answer, 'default' is what is not named. Default: `1`.
   */
  sample?: number | { readonly [Status in `${2 | 3 | 4 | 5}xx` | 'none' | 'default']?: number }
  /**
   * Where the lines go: a file that is appended to, or a unix stream socket that is connected to.
   * Relative to the configuration file. Default: `'stdout'`.
   */
  to?: 'stdout' | 'stderr' | { readonly file: string } | { readonly socket: string }
  /**
   * Query parameters whose values are replaced by '***' in targets and referers, for example
   * ['token']; upper and lower case are the same. Default: `false`.
   */
  redact?: string | readonly string[] | false
}

/** Where operators ask and steer. */
export interface AdminOptions {
  /** TCP port. 0: the system chooses a free one. Default: none. */
  port?: number
  /**
   * Address to listen on; for this machine only unless it says otherwise. Default: `'127.0.0.1'`.
   */
  host?: string
  /** Unix socket to listen on, instead of a port or beside it. Default: none. */
  path?: string
  /**
   * A file that holds the token for everything but /livez, /readyz and /metrics, at least 16
   * characters; read anew when it is used. Without it the environment's SLUICE_ADMIN_TOKEN counts;
   * without either those requests are refused. Default: none.
   */
  tokenFile?: string
  /**
   * Names that requests may have in their Host field, beside addresses, names without a dot and
   * the name of this machine. Default: `false`.
   */
  hosts?: string | readonly string[] | false
}

/** Options of files(). */
export interface FilesOptions<Params = PathParams> {
  /**
   * Files that stand for their directory, the first that exists. false: none. Default:
   * `['index.html']`.
   */
  index?: string | readonly string[] | false
  /**
   * The file that answers for a path that has none, for applications that route in the browser.
   * Not for a path whose last segment has a dot: a missing script stays a 404. Default: `false`.
   */
  fallback?: string | false
  /**
   * What answers when there is no file, and for methods other than GET and HEAD: proxy(…) to an
   * application, handler(…), mount(…), respond(…) or redirect(…). Default: none.
   */
  otherwise?: OtherAction
  /**
   * Whether '/about' is answered by 'about.html'. 'redirect': and '/about.html' leads to '/about',
   * '/docs/index.html' to '/docs/'. Default: `false`.
   */
  cleanUrls?: true | false | 'redirect'
  /**
   * Whether a directory without an index page is listed: as a page, or as JSON for clients that
   * prefer it. At most 10000 entries are shown. Default: `false`.
   */
  list?: boolean
  /** Files of the root that are the pages of errors, for example { 404: '404.html' }. */
  errors?: { readonly [Status in 404 | 500 | 503]?: string }
  /**
   * Whether names that begin with a dot are served. '/.well-known/' always is. Default: `false`.
   */
  dotfiles?: boolean
  /**
   * Patterns of names that are not there for anybody, for example '*.{bak,sql}'. Default: `false`.
   */
  hide?: string | readonly string[] | false
  /**
   * Whether symlinks may lead out of the root. 'inside': those that do are a 404. Default:
   * `'inside'`.
   */
  symlinks?: 'inside' | 'follow'
  /**
   * Patterns of files that are also found under a name with a version: with '*.css',
   * 'style.v2.css' is answered by 'style.css' when there is no such file. Default: `false`.
   */
  cacheBusting?: string | readonly string[] | false
  /**
   * Whether 'app.js.br', 'app.js.zst' and 'app.js.gz' beside 'app.js' are sent in its place to
   * clients that take their coding, unless they are older. Default: `true`.
   */
  precompressed?: boolean
  /**
   * Whether files of types that shrink are encoded by the gateway itself, each once, in the
   * background, where there is no encoded file beside them: true, codings, or an object. Default:
   * `false`.
   */
  compress?: boolean | ContentCoding | readonly ContentCoding[] | CompressOptions
  /**
   * Whether files are taken in: PUT creates and replaces them, POST to a directory gives one a new
   * name. true, or an object. Whoever reaches the route may write: see UPLOADS.md. Default:
   * `false`.
   */
  upload?: boolean | UploadOptions
  /**
   * Header fields added to every answer of this route, and by pattern to those of files that fit:
   * { 'X-Robots-Tag': 'none', '*.html': { 'X-Frame-Options': 'DENY' } }. Later ones win.
   */
  headers?: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  /**
   * The Cache-Control field, for example 'max-age=3600', or values by pattern, of which the last
   * that fits counts. '': none is sent. Default: `''`.
   */
  cacheControl?: string | Readonly<Record<string, string>>
  /**
   * How bytes are moved, for this route; the gateway's 'copy' holds for every route. Default:
   * `'auto'`.
   */
  transfer?: 'auto' | 'copy'
  /**
   * Whether files of this root may be handed to sendfile. false: they are read and sent, for file
   * systems whose pages it has been seen to send out of date (vboxsf, 9p, some FUSE). Default:
   * `true`.
   */
  sendfile?: boolean
  /** What requests pass before the action. See docs/HOOKS.md. Default: none. */
  hooks?: Hooks<Params>
}

/** Which encodings are made of which files. */
export interface CompressOptions {
  /** The codings that are made. true: all that this Node has. Default: `true`. */
  codings?: boolean | ContentCoding | readonly ContentCoding[]
  /** Smaller files are sent as they are. Default: `'1kb'`. */
  minBytes?: Size
  /**
   * Larger files are sent as they are. The process that encodes holds a file in memory. Default:
   * `'32mb'`.
   */
  maxBytes?: Size
}

/** Options of respond(). */
export interface RespondOptions<Params = PathParams> {
  /** Header fields of the answer. */
  headers?: Readonly<Record<string, string>>
  /**
   * The Content-Type field. By default 'text/plain; charset=utf-8' for a string,
   * 'application/json' for JSON, 'application/octet-stream' for bytes. Default: by the body.
   */
  contentType?: string
  /** What requests pass before the action. See docs/HOOKS.md. Default: none. */
  hooks?: Hooks<Params>
}

/** Options of redirect(). */
export interface RedirectOptions<Params = PathParams> {
  /**
   * Whether the request's query is appended to the location. Default: true, unless the location
   * has a query of its own.
   */
  keepQuery?: boolean
  /** Header fields of the answer. */
  headers?: Readonly<Record<string, string>>
  /** What requests pass before the action. See docs/HOOKS.md. Default: none. */
  hooks?: Hooks<Params>
}
