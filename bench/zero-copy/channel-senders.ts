// One server of the channel benchmark, in a process of its own so that its CPU time is its own:
// `node channel-senders.ts KIND`. Publishes when it is told to, and overwrites at once what it has
// published.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { channel, createGateway } from '../../src/index.ts'
import { type Framing, fillMessage, nowNs } from './channel-messages.ts'

export const kinds = ['channel', 'channel, two workers', 'channel, copying', 'ws'] as const
export type Kind = (typeof kinds)[number]

export const framings: Record<Kind, Framing> = {
  channel: 'chunk',
  'channel, two workers': 'chunk',
  'channel, copying': 'chunk',
  ws: 'frame',
}

/** What the benchmark asks of a server. */
export type ToSender =
  | { type: 'publish'; number: number; bytes: number }
  /** Answered with the CPU time so far. */
  | { type: 'count' }

export type FromSender =
  | { type: 'listens'; port: number }
  | { type: 'published'; atNs: number }
  | { type: 'counted'; cpuUs: number; engines: Record<string, number> }

interface Sender {
  port: number
  publish(message: Buffer): void
  engines(): Record<string, number>
}

async function startChannel(kind: Kind): Promise<Sender> {
  const gateway = await createGateway({
    listen: 0,
    workers: kind === 'channel, two workers' ? 2 : 1,
    transfer: kind === 'channel, copying' ? 'copy' : 'auto',
    routes: { '/': channel('c', { as: 'raw' }) },
  })
  const [address] = await gateway.listen()
  const engines = () => {
    const all = Object.entries(gateway.stats().total.engines)
    return Object.fromEntries(all.map(([name, { bytes }]) => [name, bytes]))
  }
  const port = address?.kind === 'tcp' ? address.port : 0
  return { port, publish: (message) => void gateway.publish('c', message), engines }
}

async function startWs(): Promise<Sender> {
  const server = createServer()
  const sockets = new WebSocketServer({ server, perMessageDeflate: false })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const publish = (message: Buffer) => {
    // ws keeps what it is given until the socket has taken it.
    const own = Buffer.from(message)
    for (const client of sockets.clients as Set<WebSocket>) client.send(own, { binary: true })
  }
  return { port: (server.address() as AddressInfo).port, publish, engines: () => ({}) }
}

async function run(kind: Kind): Promise<void> {
  const sender = kind === 'ws' ? await startWs() : await startChannel(kind)
  const say = (message: FromSender) => void process.send?.(message)
  const room = new Map<number, Buffer>()
  process.on('message', (message: ToSender) => {
    if (message.type === 'count') {
      const { user, system } = process.cpuUsage()
      return say({ type: 'counted', cpuUs: user + system, engines: sender.engines() })
    }
    const { number, bytes } = message
    const buffer = room.get(bytes) ?? Buffer.allocUnsafeSlow(bytes)
    room.set(bytes, buffer)
    fillMessage(buffer, number)
    const atNs = nowNs()
    sender.publish(buffer)
    buffer.fill(0xff)
    return say({ type: 'published', atNs })
  })
  process.on('disconnect', () => process.exit(0))
  say({ type: 'listens', port: sender.port })
}

if (import.meta.main) await run(process.argv[2] as Kind)
