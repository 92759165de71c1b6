// For tests of mirrors: targets that keep a hash of what they were sent, mirrors that are as bad as
// a mirror can be, and a client that sends bodies of any size.

import { createHash, randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingHttpHeaders, request } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { ExecutionContext } from 'ava'

/** A request that a target has got to its end, or until it was cut. */
export interface Received {
  method: string
  target: string
  fields: IncomingHttpHeaders
  bytes: number
  digest: string
  trailers: NodeJS.Dict<string>
  whole: boolean
}

export interface HashingTarget {
  url: `http://${string}`
  received: Received[]
  /** Connections so far, and open ones. */
  connections(): { made: number; open: number }
}

/** `answer`: what it says to a request that it has read. */
export async function startHashing(
  t: ExecutionContext,
  answer: (received: Received) => string = () => 'ok',
): Promise<HashingTarget> {
  const received: Received[] = []
  const server = createHttpServer((incoming, response) => {
    const hash = createHash('sha256')
    let bytes = 0
    incoming.on('data', (piece: Buffer) => {
      hash.update(piece)
      bytes += piece.length
    })
    const { method = '', url: target = '', headers: fields } = incoming
    const note = (whole: boolean) => {
      const { trailers } = incoming
      const digest = hash.digest('hex')
      const one = { method, target, fields, bytes, digest, trailers, whole }
      received.push(one)
      return one
    }
    incoming.on('end', () => response.end(answer(note(true))))
    incoming.on('error', () => note(false))
  })
  server.requestTimeout = 0
  server.keepAliveTimeout = 600_000
  const counts = countSockets(server)
  const port = await listenUntilEnd(t, server, counts.sockets)
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    connections: () => ({ made: counts.made(), open: counts.sockets.size }),
  }
}

function countSockets(server: Server) {
  const sockets = new Set<Socket>()
  let made = 0
  server.on('connection', (socket: Socket) => {
    made += 1
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  return { sockets, made: () => made }
}

async function listenUntilEnd(t: ExecutionContext, server: Server, sockets: Set<Socket>) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A mirror that does with a connection what `script` does. */
export async function startRaw(t: ExecutionContext, script: (socket: Socket) => void) {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, script)
  const counts = countSockets(server)
  const port = await listenUntilEnd(t, server, counts.sockets)
  return { url: `http://127.0.0.1:${port}`, open: () => counts.sockets.size }
}

/** What can be wrong with one, by name: each gives its URL. */
export const badMirrors: Record<string, (t: ExecutionContext) => Promise<string>> = {
  async dead(_t) {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    return `http://127.0.0.1:${port}`
  },
  async silent(t) {
    return (await startRaw(t, () => {})).url
  },
  async resetting(t) {
    const script = (socket: Socket) => {
      socket.once('data', () => socket.resetAndDestroy()).resume()
    }
    return (await startRaw(t, script)).url
  },
  async 'reading a byte a second'(t) {
    const script = (socket: Socket) => {
      const timer = setInterval(() => socket.read(1), 1_000)
      socket.on('readable', () => {}).on('close', () => clearInterval(timer))
    }
    return (await startRaw(t, script)).url
  },
  async 'answering 413 and closing'(t) {
    const answer =
      'HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
    const script = (socket: Socket) => {
      socket.once('data', () => socket.end(answer, () => socket.destroy())).resume()
    }
    return (await startRaw(t, script)).url
  },
  async 'answering nonsense'(t) {
    const script = (socket: Socket) => {
      socket.once('data', () => socket.write('220 smtp.example.com ESMTP\r\n')).resume()
    }
    return (await startRaw(t, script)).url
  },
  async 'answering without end'(t) {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    const script = (socket: Socket) => {
      const fill = () => {
        while (!socket.destroyed && socket.write(chunk)) {}
      }
      socket.once('data', () => {
        socket.write(head)
        fill()
      })
      socket.on('drain', fill).resume()
    }
    return (await startRaw(t, script)).url
  },
}

export interface Sent {
  status: number
  answer: string
  digest: string
}

/** Sends a body of so many bytes, made as it goes, and reads the answer. */
export async function sendBody(
  port: number,
  bytes: number,
  { chunked = false, target = '/', fields = {} as Record<string, string> } = {},
): Promise<Sent> {
  const hash = createHash('sha256')
  const piece = randomFillSync(Buffer.allocUnsafe(Math.min(bytes, 1 << 20)))
  const pieces = function* () {
    for (let left = bytes; left > 0; left -= piece.length) {
      // Of the same bytes no two pieces would tell whether they were swapped.
      piece.writeUInt32LE(left >>> 0, 0)
      const next = Buffer.from(piece.subarray(0, Math.min(left, piece.length)))
      hash.update(next)
      yield next
    }
  }
  const headers = { ...fields, ...(chunked ? {} : { 'Content-Length': String(bytes) }) }
  const outgoing = request({ port, path: target, method: 'POST', headers, agent: false })
  const answered = once(outgoing, 'response')
  Readable.from(pieces(), { objectMode: false }).pipe(outgoing)
  const [incoming] = await answered
  const parts = await incoming.toArray()
  const answer = Buffer.concat(parts).toString()
  return { status: incoming.statusCode, answer, digest: hash.digest('hex') }
}
