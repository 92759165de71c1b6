// channel() routes: what they are given, how they are read, and what the routes of one name have in
// common. The messages themselves are in src/native/publication.ts and in the core.

import { fieldLines } from './fields.ts'
import type { ChannelOptions } from './intake-options.ts'
import type { PathParams } from './path-params.ts'
import type { Place } from './place.ts'
import type { ResolvedChannel, ResolvedConfig } from './resolved.ts'
import { channel as options } from './schema-channel.ts'
import { readSection } from './section.ts'

/** A route that sends what is published under a name; made by channel(). */
export interface ChannelAction<Params = PathParams> {
  readonly kind: 'channel'
  readonly name: string
  readonly options: ChannelOptions<Params>
}

/**
 * Whoever asks for this route is sent what is published on the channel, from then on:
 * `'GET /prices': channel('prices')`. Any number of routes may send the same channel.
 */
export function channel<Params = PathParams>(
  name: string,
  options: ChannelOptions<Params> = {},
): ChannelAction<Params> {
  return { kind: 'channel', name, options }
}

/** `value` is what channel() made. */
export function readChannel(
  value: Record<string, unknown>,
  place: Place,
): ResolvedChannel | undefined {
  const { name } = value
  const settings = readSection(options, value.options ?? {}, place)
  if (typeof name !== 'string' || !/^[\w.:-]{1,100}$/.test(name)) {
    return place.at('name').mismatch("a name of letters, digits, '-', '_', '.' or ':'", name)
  }
  return settings && { kind: 'channel', name, ...settings }
}

/** Every channel of a configuration, in the order in which its routes name them. */
export function channelsOf(config: ResolvedConfig): string[] {
  return [...new Set(channelRoutes(config).map(({ name }) => name))]
}

/** As the core knows formats. */
export const formats = ['sse', 'ndjson', 'raw'] as const

const types = {
  sse: 'text/event-stream',
  ndjson: 'application/x-ndjson',
  raw: 'application/octet-stream',
}

/** The channels that the core keeps. */
export function compileChannels(config: ResolvedConfig) {
  return channelsOf(config).map((name) => {
    const routes = channelRoutes(config).filter((route) => route.name === name)
    return {
      name,
      formats: [...new Set(routes.map(({ as }) => formats.indexOf(as)))],
      bufferBytes: Math.max(...routes.map(({ buffer }) => buffer)),
      bufferMessages: Math.max(...routes.map(({ bufferMessages }) => bufferMessages)),
      feed: null,
    }
  })
}

/** A route as the core takes it. */
export function compileChannel(
  action: ResolvedChannel,
  config: ResolvedConfig,
  numbers: readonly number[] | undefined,
) {
  const { name, as, slow, history, heartbeat, token, messageBytes } = action
  const index = channelsOf(config).indexOf(name)
  const headers = { 'Content-Type': types[as], 'Cache-Control': 'no-store', ...action.headers }
  return {
    kind: 'channel' as const,
    channel: numbers?.[index] ?? index,
    format: formats.indexOf(as),
    skips: slow === 'skip',
    fields: fieldLines(headers),
    history,
    heartbeat,
    token,
    messageBytes,
    strict: false,
    historyBytes: 0,
  }
}

function channelRoutes(config: ResolvedConfig): ResolvedChannel[] {
  return config.routes
    .map(({ action }) => action)
    .filter((action): action is ResolvedChannel => action.kind === 'channel')
}
