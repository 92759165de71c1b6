// The metrics of channels and relays. Main thread. Their names come from the configuration.

import type { ChannelStats } from '../native/interface.ts'
import type { Exposition, Labels } from './exposition.ts'
import type { RelayStats } from './relay-stats.ts'

export function addChannels(page: Exposition, channels: readonly ChannelStats[]): void {
  const each = (value: (channel: ChannelStats) => number): [Labels, number][] =>
    channels.map((channel) => [{ channel: channel.name }, value(channel)])
  page.gauge(
    'sluice_channel_clients',
    'Clients that are connected.',
    each(({ clients }) => clients),
  )
  page.counter(
    'sluice_channel_messages',
    'Messages that were published.',
    each(({ published }) => published),
  )
  page.counter(
    'sluice_channel_skipped_messages',
    'Messages that slow clients did not get.',
    each(({ skipped }) => skipped),
  )
  page.counter(
    'sluice_channel_cut_clients',
    'Clients that were disconnected because they were slow.',
    each(({ cut }) => cut),
  )
}

export function addRelays(page: Exposition, relays: readonly RelayStats[]): void {
  const each = (value: (relay: RelayStats) => number): [Labels, number][] =>
    relays.map((relay) => [{ relay: relay.name }, value(relay)])
  const gauges: [string, string, (relay: RelayStats) => number][] = [
    ['clients', 'Clients that are sent the stream.', ({ clients }) => clients],
    ['upstream_connections', 'Upstream connections that bring it.', (relay) => relay.connections],
  ]
  const counters: [string, string, (relay: RelayStats) => number][] = [
    ['pieces', 'Pieces of streams, or parts of them, that came.', ({ pieces }) => pieces],
    ['opened_streams', 'Streams that upstreams began to send.', ({ opened }) => opened],
    ['reconnects', 'Tries after a stream had broken.', ({ reconnects }) => reconnects],
    ['skipped_pieces', 'Pieces that slow clients did not get.', ({ skipped }) => skipped],
    ['cut_clients', 'Clients that were disconnected because they were slow.', ({ cut }) => cut],
  ]
  for (const [name, help, value] of gauges) page.gauge(`sluice_relay_${name}`, help, each(value))
  for (const [name, help, value] of counters) {
    page.counter(`sluice_relay_${name}`, help, each(value))
  }
}
