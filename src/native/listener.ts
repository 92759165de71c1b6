// The part of the boundary that is about listeners; only types.

import type { NativeTls } from './tls.ts'
import type { NativeEndpoint } from './values.ts'

export type NativeListener = NativeEndpoint & {
  /** Connections begin with a header of the PROXY protocol; others are closed. */
  proxyProtocol: boolean
  /** Index of the upstream that gets the connections as they are; null: HTTP is spoken. */
  tcp: number | null
  /** The app connects, on behalf of clients: x-sluice-route names the host of the route. */
  inner: boolean
  /** null: plain. */
  tls: NativeTls | null
  /** 1 + index of the listener that every request is redirected to; 0: it is served. */
  secureTwin: number
}
