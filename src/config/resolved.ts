// The resolved configuration: every default filled in, every duration in milliseconds, every size
// in bytes, every path absolute. Plain data; made by config/validate.ts, read by everybody else.

import type { LogField } from '../native/access-log.ts'
import type { LocationPart } from '../native/interface.ts'
import type { NativeTimeouts } from '../native/timeouts.ts'
import type { NativeTransfer } from '../native/transfer.ts'
import type { ResolvedAdmin } from './resolved-admin.ts'
import type { ResolvedFileSet } from './resolved-files.ts'
import type { ResolvedHook } from './resolved-hooks.ts'
import type { ResolvedProxy, ResolvedUpstream } from './resolved-proxy.ts'
import type { ResolvedRelay } from './resolved-relay.ts'

export type { ResolvedCompress, ResolvedFileSet } from './resolved-files.ts'
export type { ResolvedHook } from './resolved-hooks.ts'
export type {
  ResolvedAccelRedirect,
  ResolvedAddress,
  ResolvedFieldEdits,
  ResolvedHealth,
  ResolvedMirror,
  ResolvedProxy,
  ResolvedTarget,
  ResolvedTargetTls,
  ResolvedUpstream,
} from './resolved-proxy.ts'
export type { ResolvedRelay } from './resolved-relay.ts'

export interface ResolvedMtls {
  /** Absolute. */
  ca: string
  mode: 'required' | 'optional'
  /** Name of the field that hands the subject on. */
  header: string
}

export interface ResolvedHttpsOnly {
  /** Port of the listener that redirects. */
  from: number
  /** Milliseconds. */
  maxAge: number
  subdomains: boolean
  preload: boolean
}

export interface ResolvedTls {
  /** Absolute paths. */
  certificates: { cert: string; key: string; ocsp?: string }[]
  minVersion: '1.2' | '1.3'
  mtls: ResolvedMtls | false
  httpsOnly: ResolvedHttpsOnly | false
}

export interface ResolvedListener {
  /** TCP: host and port; unix: path. */
  host?: string
  port?: number
  path?: string
  /** Connections begin with a header of the PROXY protocol. */
  proxyProtocol: boolean
  /** Name of the upstream that gets the connections as they are; without one it is HTTP. */
  tcp?: string
  /** Encrypted; absent: plain. */
  tls?: ResolvedTls
  /** Index of the listener that requests are redirected to (tls.httpsOnly); absent: served. */
  redirectsTo?: number
}

export interface ResolvedLimits {
  connectionsPerWorker: number
  connectionsPerAddress: number
  keepAliveRequests: number
  headBytes: number
  responseHeadBytes: number
  targetBytes: number
  headers: number
  bodyBytes: number
  /** Of TLS, under way in one worker. */
  handshakes: number
  /** Copies of requests under way to mirrors, and bytes that wait for mirrors. */
  mirrors: number
  mirrorBytes: number
}

/** What the core waits for, and what only the main thread does; milliseconds. */
export interface ResolvedTimeouts extends NativeTimeouts {
  /** Between the word that it ends and drain. */
  drainDelay: number
  /** For the app to start, and to be without a sign of life. */
  appStart: number
  appHang: number
}

export type ResolvedTransfer = NativeTransfer

/** Bounds of the descriptor cache. */
export interface ResolvedCache {
  /** Files kept, each a descriptor or bytes in memory. */
  files: number
  /** Bytes of small files held in memory. */
  bytes: number
  /** Remembered answers, negative ones included. */
  answers: number
  /** Where large encodings are kept, absolute; '': in memory. */
  directory: string
}

export interface ResolvedAccessLog {
  format: 'json' | 'combined'
  /** Undefined: the usual ones. */
  fields?: LogField[]
  /** The share of the requests that is logged, by status; none: without an answer. */
  sample: Record<'2xx' | '3xx' | '4xx' | '5xx' | 'none', number>
  /** The path is absolute; '' for stdout and stderr. */
  to: { kind: 'stdout' | 'stderr' | 'file' | 'socket'; path: string }
  /** Names of query parameters. */
  redact: string[]
}

export interface ResolvedFiles extends ResolvedFileSet {
  /** Takes what no file answers. */
  otherwise?: ResolvedOther
}

export interface ResolvedRespond {
  kind: 'respond'
  status: number
  headers: Record<string, string>
  body: Uint8Array
}

export interface ResolvedRedirect {
  kind: 'redirect'
  status: number
  headers: Record<string, string>
  location: LocationPart[]
  keepQuery: boolean
}

/** Answered by a function in the app (src/app), which finds it by the key of the route. */
export interface ResolvedHandler {
  kind: 'handler'
  /** Milliseconds, 0: no limit; absent: timeouts.handler. */
  timeout?: number
  /** Absent: limits.bodyBytes. */
  bodyBytes?: number
  /** Of the files that it may answer with. */
  root?: ResolvedFileSet
}

/** Answered by a server of its own in the app. */
export interface ResolvedMount {
  kind: 'mount'
  timeout?: number
  bodyBytes?: number
}

/** Sends what is published. */
export interface ResolvedChannel {
  kind: 'channel'
  name: string
  as: 'sse' | 'ndjson' | 'raw'
  history: number
  slow: 'skip' | 'disconnect'
  /** Bytes and number of messages that are kept. */
  buffer: number
  bufferMessages: number
  /** Milliseconds; 0: none. */
  heartbeat: number
  /** '': nobody publishes by POST. */
  token: string
  messageBytes: number
  headers: Record<string, string>
}

/** What stands behind a key. */
export type ResolvedAction = ResolvedFiles | ResolvedChannel | ResolvedRelay | ResolvedOther

/** What also may take the requests for which files() has no file. */
export type ResolvedOther =
  | ResolvedProxy
  | ResolvedHandler
  | ResolvedMount
  | ResolvedRespond
  | ResolvedRedirect

export interface ResolvedRoute {
  /** As the user wrote it. */
  key: string
  method: string
  host: string
  path: string
  action: ResolvedAction
  /** Of this route, behind those of the gateway. */
  hooks?: ResolvedHook[]
}

export interface ResolvedConfig {
  /** The file it came from, absolute, or '' for an object. */
  file: string
  listen: ResolvedListener[]
  workers: number
  limits: ResolvedLimits
  timeouts: ResolvedTimeouts
  transfer: ResolvedTransfer
  cache: ResolvedCache
  accessLog: ResolvedAccessLog | false
  /** Where operators ask. */
  admin: ResolvedAdmin | false
  serverName: string
  /** Networks ('10.0.0.0/8'), and 'unix', whose word on a client's address is believed. */
  trustedProxies: string[]
  /** Of every route. */
  hooks: ResolvedHook[]
  /** Those of the option, then those that routes describe inline. */
  upstreams: ResolvedUpstream[]
  routes: ResolvedRoute[]
}
