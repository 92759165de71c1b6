// The part of the resolved configuration that is about relay() routes. Plain data, as in
// resolved.ts.

import type { ResolvedProxy } from './resolved-proxy.ts'

/** Sends many clients what one upstream connection brings. */
export interface ResolvedRelay {
  kind: 'relay'
  /** Routes of one name share the stream. */
  name: string
  /** Its name in ResolvedConfig.upstreams. */
  upstream: string
  /** With a query, perhaps. */
  path: string
  as: 'sse' | 'ndjson' | 'raw'
  /** Absent: pieces begin anywhere. */
  marker?: Uint8Array
  slow: 'skip' | 'disconnect'
  history: number
  /** Instead of history; 0: none. */
  historyBytes: number
  buffer: number
  /** Milliseconds; 0: none. */
  heartbeat: number
  linger: number
  outage: number
  /** 'target', or a value. */
  host: string
  headers: ResolvedProxy['headers']
  timeout: Pick<ResolvedProxy['timeout'], 'connect' | 'firstByte' | 'between'>
  retry: ResolvedProxy['retry']
}
