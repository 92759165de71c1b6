// All clients of the channel benchmark, in a process of their own: they compare every byte with
// what it should be, and note when each message was there. `node channel-clients.ts`.

import { connect, type Socket } from 'node:net'
import { type Framing, nowNs, wireOf } from './channel-messages.ts'

export type ToClients =
  | { type: 'connect'; port: number; count: number; framing: Framing }
  /** The next message has this number and size. */
  | { type: 'expect'; number: number; bytes: number }

export type FromClients =
  | { type: 'ready' }
  /** Every client has it; times in nanoseconds, in order. `wrong`: bytes that differ. */
  | { type: 'received'; timesNs: number[]; wrong: number; bytes: number }

const requests: Record<Framing, string> = {
  chunk: 'GET / HTTP/1.1\r\nHost: bench\r\n\r\n',
  frame: [
    'GET / HTTP/1.1',
    'Host: bench',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '\r\n',
  ].join('\r\n'),
}

const endOfHead = Buffer.from('\r\n\r\n')
const shared = Buffer.allocUnsafeSlow(256 * 1024)

class Clients {
  readonly #count: number
  readonly #sockets: Socket[] = []
  readonly #at: number[] = []
  #wire: Buffer = Buffer.alloc(0)
  #timesNs: number[] = []
  #wrong = 0
  #ready = 0

  constructor({ port, count, framing }: { port: number; count: number; framing: Framing }) {
    this.#count = count
    for (let client = 0; client < count; client++) this.#open(client, port, framing)
  }

  expect(wire: Buffer): void {
    this.#wire = wire
    this.#timesNs = []
    this.#wrong = 0
    this.#at.fill(0)
  }

  #open(client: number, port: number, framing: Framing): void {
    let head = Buffer.alloc(0)
    const callback = (size: number) => {
      if (this.#at[client] !== undefined) {
        this.#take(client, shared.subarray(0, size))
        return true
      }
      head = Buffer.concat([head, shared.subarray(0, size)])
      if (head.indexOf(endOfHead) >= 0) this.#isReady(client)
      return true
    }
    const socket = connect({ port, host: '127.0.0.1', onread: { buffer: shared, callback } })
    socket.on('error', (error) => {
      throw error
    })
    socket.write(requests[framing])
    this.#sockets.push(socket)
  }

  #isReady(client: number): void {
    this.#at[client] = 0
    if (++this.#ready === this.#count) say({ type: 'ready' })
  }

  #take(client: number, bytes: Buffer): void {
    const at = this.#at[client] ?? 0
    const end = at + bytes.length
    if (end > this.#wire.length || bytes.compare(this.#wire, at, end) !== 0) {
      this.#wrong += bytes.length
    }
    this.#at[client] = end
    if (end < this.#wire.length) return
    this.#timesNs.push(nowNs())
    if (this.#timesNs.length < this.#count) return
    const bytesOfAll = this.#wire.length * this.#count
    say({ type: 'received', timesNs: this.#timesNs, wrong: this.#wrong, bytes: bytesOfAll })
  }
}

function say(message: FromClients): void {
  process.send?.(message)
}

if (import.meta.main) {
  let clients: Clients | undefined
  let framing: Framing = 'chunk'
  process.on('message', (message: ToClients) => {
    if (message.type === 'connect') {
      framing = message.framing
      clients = new Clients(message)
      return
    }
    clients?.expect(wireOf(framing, message.number, message.bytes))
    process.send?.({ type: 'expects' })
  })
  process.on('disconnect', () => process.exit(0))
}
