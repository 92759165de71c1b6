// The metrics of channels. Main thread. Their names come from the configuration.

import type { ChannelStats } from '../native/interface.ts'
import type { Exposition, Labels } from './exposition.ts'

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
