// A target for the proxy that does exactly what a test says: a raw socket server whose connections
// are scripts, so that it can be as wrong as any server has ever been. It keeps what it received.

import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { type Body, ByteReader, type Fields } from './byte-reader.ts'
import { makeFolder } from './site.ts'
import { until } from './wait.ts'

/** One request as the target got it. */
export interface ReceivedRequest extends Fields, Body {
  method: string
  target: string
}

/** The target's end of one connection. */
export class Peer extends ByteReader {
  /** Reads the next request head. */
  async head(): Promise<Omit<ReceivedRequest, keyof Body>> {
    const { line, ...fields } = await this.takeHead()
    const [, method, target] = /^(\S+) (\S+) HTTP\/1\.1$/.exec(line) ?? []
    if (method === undefined || target === undefined) {
      throw new Error(`not a request line: ${JSON.stringify(line)}`)
    }
    return { method, target, ...fields }
  }

  /** Reads the next request with its body. */
  async request(): Promise<ReceivedRequest> {
    const head = await this.head()
    return { ...head, ...(await this.takeBody(head.field, false)) }
  }

  /** The body of a request whose head was read. */
  async body(head: Fields): Promise<Body> {
    return this.takeBody(head.field, false)
  }
}

export interface Upstream {
  /** For the configuration: 'http://127.0.0.1:PORT', or 'unix:PATH'. */
  url: string
  port: number
  /** Every connection so far. */
  peers: Peer[]
  /** Of those, the ones that are not over. */
  open(): number
  /** Waits for a connection: the first is 0. */
  peer(index: number): Promise<Peer>
}

/** What a target does with a connection; it may throw when the other side goes away. */
export type Script = (peer: Peer, index: number) => void | Promise<void>

/**
 * A target on a free port, or on a unix socket; it and its connections end with the test.
 * `forgets`: connections that are over leave the list.
 */
export async function startUpstream(
  t: ExecutionContext,
  script: Script = () => {},
  { unix = false, forgets = false } = {},
): Promise<Upstream> {
  const peers: Peer[] = []
  let open = 0
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket: Socket) => {
    const peer = new Peer(socket)
    peers.push(peer)
    open += 1
    socket.on('close', () => {
      open -= 1
      if (forgets) peers.splice(peers.indexOf(peer), 1)
    })
    const running = async () => script(peer, peers.length - 1)
    running().catch(() => socket.destroy())
  })
  const path = unix ? join(makeFolder(t), 'target.sock') : ''
  await listenOn(server, path)
  t.teardown(() => {
    for (const { socket } of peers) socket.destroy()
    server.close()
  })
  const port = unix ? 0 : (server.address() as AddressInfo).port
  const peer = async (index: number) => {
    await until(`connection ${index} to the target`, () => peers.length > index)
    return peers[index] as Peer
  }
  return {
    url: unix ? `unix:${path}` : `http://127.0.0.1:${port}`,
    port,
    peers,
    open: () => open,
    peer,
  }
}

async function listenOn(server: Server, path: string): Promise<void> {
  if (path === '') server.listen(0, '127.0.0.1')
  else server.listen(path)
  await once(server, 'listening')
}

/** Answers every request with the same bytes; ends when the other side does. */
export function answering(response: string | Uint8Array): Script {
  return async (peer) => {
    for (;;) {
      await peer.request()
      peer.write(response)
    }
  }
}

/** A response with a length. */
export function response(
  body: string | Uint8Array = 'ok',
  fields: Record<string, string> = {},
  status = '200 OK',
): Buffer {
  const bytes = Buffer.from(body as string)
  const lines = Object.entries({ 'Content-Length': String(bytes.length), ...fields }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`), bytes])
}

/** A body in chunks of `size` bytes, with its last chunk. */
export function chunked(body: Uint8Array, size = body.length): Buffer {
  const parts: Uint8Array[] = []
  for (let at = 0; at < body.length; at += size) {
    const part = body.subarray(at, at + size)
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'))
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
}

/** A port on which nobody listens. */
export async function deadUrl(): Promise<string> {
  const server = createServer()
  await listenOn(server, '').catch(() => {})
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}`
}
