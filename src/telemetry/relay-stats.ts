// What is counted of relays, told apart from channels. Main thread.

import { relayOf } from '../config/relays.ts'
import type { ChannelStats, NativeChannelStats } from '../native/interface.ts'

/** One stream that many clients are sent. */
export interface RelayStats {
  name: string
  /** Gauges: clients that are sent it, and upstream connections that bring it. */
  clients: number
  connections: number
  /** Pieces, or parts of long ones, that came. */
  pieces: number
  /** Streams that upstreams began to send, and tries after one had broken. */
  opened: number
  reconnects: number
  /** Pieces that slow clients were not sent, and clients that were disconnected for it. */
  skipped: number
  cut: number
}

/** Both kinds, from what the core counts. */
export function splitChannels(counted: readonly (NativeChannelStats | null)[]): {
  channels: ChannelStats[]
  relays: RelayStats[]
} {
  const channels: ChannelStats[] = []
  const relays: RelayStats[] = []
  for (const each of counted) {
    if (each === null) continue
    const { name, clients, published, skipped, cut, connections, opened, reconnects } = each
    const relay = relayOf(name)
    if (relay === undefined) channels.push({ name, clients, published, skipped, cut })
    else {
      const upstream = { connections, pieces: published, opened, reconnects }
      relays.push({ name: relay, clients, ...upstream, skipped, cut })
    }
  }
  return { channels, relays }
}
