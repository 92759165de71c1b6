// The part of the boundary that is about forwarding: proxy routes, upstreams and their targets.
// The twin of native/binding/decode_upstream; only types.

import type { LocationPart, NativeEndpoint } from './values.ts'

/** Forwards requests to an upstream. Times in milliseconds, 0: no limit. */
export interface NativeProxy {
  kind: 'proxy'
  /** Index into NativeConfig.upstreams. */
  upstream: number
  mode: 'auto' | 'copy'
  /** '/api': whole segments taken off the path; '': none. */
  stripPrefix: string
  /**
   * The path instead (variables may stand in it), with the query that came unless it has its own.
   * Empty: as it came.
   */
  rewrite: LocationPart[]
  /** 'preserve': as the client sent it; 'target': the target's own; else that very value. */
  host: 'preserve' | 'target' | { fixed: string }
  request: NativeFieldEdits
  response: NativeFieldEdits
  /** Which fields tell the target who asked. */
  forwarded: { xForwarded: boolean; forwarded: boolean; via: boolean; requestId: boolean }
  timeouts: {
    connect: number
    /** From the request's end, or its last progress, to the response head. */
    firstByte: number
    /** Between two arrivals of the response's body. */
    between: number
    total: number
    /** Without a byte in either direction after an upgrade. */
    tunnel: number
  }
  /** Tries on other targets after the first; `unsafe`: also for methods that are not idempotent. */
  retry: { tries: number; unsafe: boolean }
  /** Of a request; more is 413. */
  bodyBytes: number
  /** A client's FIN before the response is not taken for an abort. */
  halfClose: boolean
  /** How an answer may ask for a file in its place; null: not at all. */
  file: NativeFileInstruction | null
  mirrors: NativeMirror[]
}

/** Who gets a copy of the requests. */
export interface NativeMirror {
  /** Index into NativeConfig.upstreams. */
  upstream: number
  /** Of the requests, in millionths. */
  share: number
  /** Host is the target's own, unless the route fixes one. */
  targetHost: boolean
  timeout: number
  /** Bytes of one request that may wait. */
  maxBehind: number
}

export interface NativeFileInstruction {
  /** The field that names the file, in lower case. */
  field: string
  /** What its value begins with; '': nothing. */
  secret: string
  /** Of the path in it, which is looked for without: '/protected'. */
  prefix: string
  /** `route` of the questions about these files: beyond those of the routes. */
  files: number
  mode: 'auto' | 'copy'
}

/** Fields that go (names in lower case), then 'Name: value\r\n' lines that come. */
export interface NativeFieldEdits {
  remove: string[]
  add: string
}

export interface NativeUpstream {
  name: string
  balance: 'random-two' | 'round-robin' | 'least-connections' | 'hash' | 'sticky'
  /** What 'hash' looks at; the cookie of 'sticky'. `name` of a header is in lower case. */
  key: { kind: 'address' | 'path' | 'header' | 'cookie'; name: string }
  /** Kept alive by each worker for each target, and for how long (ms). */
  keepAlive: { connections: number; idle: number }
  /**
   * Requests of one worker that may wait for a target that has room, and how long (ms).
   * `withoutTargets`: also while there is none at all.
   */
  queue: { length: number; timeout: number; withoutTargets: boolean }
  /**
   * A target is ejected for `eject` ms after so many failures in a row (0: never), or when this
   * percentage of a window's requests failed (0: not looked at); then one request tries it.
   * `failFast`: 503 while every target is ejected; else they are tried all the same.
   */
  passive: { failures: number; percent: number; eject: number; failFast: boolean }
  /** A target that comes back gets its full share after this (ms). */
  slowStart: number
  /** PROXY protocol version sent ahead of everything else; 0: none. */
  proxyProtocol: 0 | 1 | 2
  /** At start; setTargets() replaces them. */
  targets: NativeTarget[]
}

/** One address that requests can go to. The same id is the same target, whatever else changes. */
export interface NativeTarget {
  /** Chosen by TypeScript, unique within the gateway, at least 1. */
  id: number
  address: NativeEndpoint
  /** host[:port] of its URL, for the Host field. */
  authority: string
  /**
   * How it is called, '10.0.0.1:443', when `address` is the socket of a relay that connects to it;
   * '': it is the target itself.
   */
  relayed: string
  /** 1 to 1000. */
  weight: number
  /** Requests at once, over all workers; 0: any number. */
  maxConnections: number
  /** Only while no other one is up. */
  backup: boolean
  /** 'down': a check failed. 'draining': an operator says so. Neither gets new requests. */
  state: 'up' | 'down' | 'draining'
}

/** What happened to one target so far, over all workers. */
export interface NativeTargetStats {
  id: number
  /** Requests under way, and connections open (idle ones included). */
  active: number
  connections: number
  requests: number
  /** Connections made, and tries that failed: refused, reset, timed out, answered nonsense. */
  connects: number
  failures: number
  /** Requests that were tried again elsewhere after this one. */
  retries: number
  /** It is ejected now (passive checks): its circuit is not closed. */
  ejected: boolean
  /** 'half-open': one request at a time tries it. */
  circuit: 'closed' | 'open' | 'half-open'
}
