// The part of the resolved configuration that is about forwarding: upstreams and proxy() routes.
// Plain data, as in resolved.ts: durations in milliseconds, 0 where there is no limit.

import type { LocationPart } from '../native/interface.ts'
import type { ResolvedFileSet } from './resolved-files.ts'
import type { StatusPattern } from './status-pattern.ts'

/**
 * A name or numeric address (IPv6 without brackets) and a port, a unix socket, or a service whose
 * SRV records say where it is.
 */
export type ResolvedAddress =
  | { host: string; port: number }
  | { path: string }
  | { service: string }

export interface ResolvedTarget {
  /** As people see it: 'http://10.0.0.1:3000', 'unix:/run/app.sock'. */
  url: string
  address: ResolvedAddress
  /** host[:port] of the URL, for the Host field. */
  authority: string
  /** TLS is spoken with it. */
  secure: boolean
  weight: number
  /** 0: any number. */
  maxConnections: number
  backup: boolean
}

/** Active checks of every target. */
export interface ResolvedHealth {
  /** '' when only the connection is checked (tcp). */
  path: string
  method: 'GET' | 'HEAD' | 'OPTIONS'
  /** Statuses or classes of them ('2xx') of a healthy target. */
  status: StatusPattern[]
  /** What the answer's body must contain; '': anything. */
  body: string
  /** '': the target's own. */
  host: string
  /** A connection is enough. */
  tcp: boolean
  interval: number
  timeout: number
  /** Checks in a row after which a target is up, or down. */
  rise: number
  fall: number
}

/** How TLS is spoken with https: targets. Paths are absolute. */
export interface ResolvedTargetTls {
  /** PEM files of authorities; none: those that Node knows. */
  ca: string[]
  /** Of the certificate, and asked for; '': the target's own. */
  servername: string
  /** PEM files of our own certificate; '': none. */
  cert: string
  key: string
  dangerouslyAcceptAnyCertificate: boolean
}

export interface ResolvedUpstream {
  name: string
  /** Who speaks HTTP with the targets; 'auto': undici where HTTP/2 is allowed. */
  transport: 'auto' | 'splice' | 'undici'
  allowH2: boolean
  tls: ResolvedTargetTls
  targets: ResolvedTarget[]
  balance: 'random-two' | 'round-robin' | 'least-connections' | 'hash' | 'sticky'
  /** What 'hash' looks at; the cookie of 'sticky'. */
  key: { kind: 'address' | 'path' | 'header' | 'cookie'; name: string }
  keepAlive: { connections: number; idle: number }
  queue: { length: number; timeout: number }
  /** Failures in a row (0: any number), percentage (0: any), for how long, and what if all are. */
  ejection: { failures: number; percent: number; time: number; failFast: boolean }
  slowStart: number
  proxyProtocol: false | 'v1' | 'v2'
  health: ResolvedHealth | false
}

export interface ResolvedFieldEdits {
  set: Record<string, string>
  add: Record<string, string>
  /** In lower case. */
  remove: string[]
}

export interface ResolvedAccelRedirect {
  root: ResolvedFileSet
  /** Of the paths in the field, which are looked for without: '/protected'; '': none. */
  prefix: string
}

export interface ResolvedMirror {
  /** Name of its upstream in ResolvedConfig.upstreams. */
  target: string
  percent: number
  timeout: number
  /** Bytes. */
  maxBehind: number
}

export interface ResolvedProxy {
  kind: 'proxy'
  /** Its name in ResolvedConfig.upstreams. */
  upstream: string
  /** '': none. */
  stripPrefix: string
  /** The path instead of that of the request; empty: as it came. */
  rewrite: LocationPart[]
  /** 'auto', 'preserve', 'target', or a value. 'auto': 'target' where one is https:. */
  host: string
  headers: { request: ResolvedFieldEdits; response: ResolvedFieldEdits }
  forwarded: 'x-forwarded' | 'forwarded' | 'both' | false
  via: boolean
  requestId: boolean
  timeout: {
    connect: number
    firstByte: number
    between: number
    total: number
    tunnel: number
  }
  retry: { tries: number; unsafe: boolean }
  /** false: any size. */
  bodyBytes: number | false
  halfClose: boolean
  /** The files that a target may name in X-Accel-Redirect; absent: none. */
  accelRedirect?: ResolvedAccelRedirect
  mirror: ResolvedMirror[]
  transfer: 'auto' | 'copy'
}
