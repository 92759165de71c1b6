// A gateway that relays a source which a test speaks through, and what tests ask of it.

import type { ExecutionContext } from 'ava'
import { type GatewayConfig, type InlineRelayOptions, relay } from '../../src/index.ts'
import type { RawClient } from './client.ts'
import { startGateway } from './gateway.ts'
import { type LiveAnswer, startLiveSource } from './live-source.ts'
import { nextChunk, openStream } from './stream.ts'

export interface LiveRelayOptions {
  answer?: LiveAnswer | ((index: number) => LiveAnswer)
  options?: InlineRelayOptions
  config?: Partial<GatewayConfig>
}

/** A source, a gateway with two workers that relays it at '/live', and the way there. */
export async function startRelay(
  t: ExecutionContext,
  { answer = {}, options = {}, config = {} }: LiveRelayOptions,
) {
  const source = await startLiveSource(t, answer)
  const base = { listen: 0, workers: 2, ...config }
  const live = relay(source.url, { path: '/feed', ...options })
  const gateway = await startGateway(t, { ...base, routes: { '/live': live } })
  const join = async (fields: Record<string, string> = {}) => {
    const client = await gateway.connect()
    const head = await openStream(client, '/live', fields)
    return { client, head }
  }
  const counts = () => {
    const [relayed] = gateway.gateway.stats().relays
    if (relayed === undefined) throw new Error('no relay is counted')
    return relayed
  }
  return { source, live, base, ...gateway, join, counts }
}

/** Reads chunks until `size` bytes of payload are there. */
export async function take(client: RawClient, size: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let got = 0
  while (got < size) {
    const chunk = await nextChunk(client)
    if (chunk === undefined) throw new Error(`the stream ended after ${got} of ${size} bytes`)
    parts.push(chunk)
    got += chunk.length
  }
  return Buffer.concat(parts)
}

export async function takeText(client: RawClient, size: number): Promise<string> {
  return (await take(client, size)).toString()
}

/** A server-sent event with an id. */
export const event = (id: number | string) => `id: ${id}\ndata: event ${id}\n\n`
