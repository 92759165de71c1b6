// A relay that speaks HTTP: requests of workers come over its socket, undici passes them on, in
// HTTP/2 where the target agrees, and the response goes back as it comes. Everything that is
// decided about a request (target, retries, deadlines, fields) was decided by the worker. Runs in
// the process of the relays. Nothing is buffered: either side waits for the other.

import { createServer, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { Pool } from 'undici'
import { open, type Relay, type Way, wayTo } from './relay-connect.ts'
import { type RelayedTarget, type RelayedUpstream, relaySpeaks } from './relay-messages.ts'
import { UndiciExchange } from './undici-exchange.ts'

/** As the core takes of a response, and more than it sends of a request. */
const headBytes = 256 * 1024

/** `onTrouble`: why a target could not be connected to. */
export function undiciRelay(
  target: RelayedTarget,
  upstream: RelayedUpstream,
  onTrouble: (error: Error) => void,
): Relay {
  const way = wayTo(target, upstream)
  const pool = poolFor(target, upstream, way, onTrouble)
  const server = createServer(
    { maxHeaderSize: headBytes, requestTimeout: 0 },
    (request, response) => new UndiciExchange(request, response).begin(pool),
  )
  server.headersTimeout = 0
  server.keepAliveTimeout = 0
  server.maxHeadersCount = 0
  // Whether there is a target is found with the first request.
  server.on('connection', (socket: Socket) => socket.write(Buffer.of(relaySpeaks)))
  server.on('upgrade', (request: IncomingMessage, near: Socket, head: Buffer) =>
    tunnel(request, near, head, way, onTrouble),
  )
  const close = () => {
    server.close(() => void pool.close().catch(() => {}))
    server.closeIdleConnections()
  }
  return { server, close }
}

function poolFor(
  { authority, secure }: RelayedTarget,
  { allowH2, connectTimeout, idle }: RelayedUpstream,
  way: Way,
  onTrouble: (error: Error) => void,
): Pool {
  const protocols = allowH2 ? ['h2', 'http/1.1'] : ['http/1.1']
  return new Pool(`${secure ? 'https' : 'http'}://${authority}`, {
    allowH2,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: idle,
    maxHeaderSize: headBytes,
    connect(_options, done) {
      let isOver = false
      const finish = (error: Error | null, socket: Socket | null) => {
        if (isOver) return
        isOver = true
        clearTimeout(timer)
        if (error === null) return done(null, socket as Socket)
        onTrouble(error)
        done(Object.assign(error, { isBeforeRequest: true }), null)
      }
      const opening = open(way, (socket) => finish(null, socket), protocols)
      opening.on('error', (error) => finish(error, null))
      const timer = setTimeout(() => {
        const message = `no connection within ${connectTimeout} ms`
        opening.destroy(Object.assign(new Error(message), { code: 'ETIMEDOUT' }))
      }, connectTimeout)
    },
  })
}

/** An upgrade has a connection of its own, in HTTP/1.1, whose bytes are nobody's to look at. */
function tunnel(
  request: IncomingMessage,
  near: Socket,
  head: Buffer,
  way: Way,
  onTrouble: (error: Error) => void,
): void {
  const far = open(way, (socket) => {
    socket.write(headOf(request), 'latin1')
    socket.write(head)
    near.pipe(socket)
    socket.pipe(near)
  })
  far.on('error', (error) => {
    onTrouble(error)
    near.destroy()
  })
  far.on('close', () => near.end())
  near.on('error', () => far.destroy())
  near.on('close', () => far.destroy())
}

function headOf({ method, url, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/1.1`]
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`)
  }
  return `${lines.join('\r\n')}\r\n\r\n`
}
