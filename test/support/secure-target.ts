// Targets for tests of transports: one server behind each of the ways that a gateway has to it.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server as NetServer, Socket } from 'node:net'
import type { ExecutionContext } from 'ava'
import type { InlineProxyOptions, TargetUrl } from '../../src/config/actions.ts'
import { type CertificateName, keyPair, pemPath } from './certificates.ts'

/** How a gateway gets to a target: who speaks what. */
export const ways = {
  'HTTP by workers': {},
  'HTTP by undici': { transport: 'undici' },
  'HTTPS by workers': { tls: { ca: pemPath('ca.pem') } },
  'HTTPS by undici': { transport: 'undici', tls: { ca: pemPath('ca.pem') } },
  'HTTP/2 by undici': { allowH2: true, tls: { ca: pemPath('ca.pem') } },
} as const satisfies Record<string, InlineProxyOptions>

export type Way = keyof typeof ways

/** What HTTP/2 gives is like enough. */
export type Answer = RequestListener

export interface WayTarget {
  url: TargetUrl
  /** For proxy(), beside the options of the test. */
  options: InlineProxyOptions
  server: NetServer
  /** Connections that are open. */
  sockets: Set<Socket>
  stop(): Promise<void>
}

/** A target on a free port that is reached this way. */
export async function startWayTarget(
  t: ExecutionContext,
  way: Way,
  answer: Answer,
  { certificate = 'server' as CertificateName, more = {} } = {},
): Promise<WayTarget> {
  const server = serverFor(way, answer, { ...keyPair(certificate), ...more })
  const sockets = new Set<Socket>()
  const isSecure = way.startsWith('HTTPS') || way.startsWith('HTTP/2')
  server.on(isSecure ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = async () => {
    for (const socket of sockets) socket.destroy()
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  }
  t.teardown(stop)
  const { port } = server.address() as AddressInfo
  const url: TargetUrl = `${isSecure ? 'https' : 'http'}://127.0.0.1:${port}`
  return { url, options: ways[way], server, sockets, stop }
}

function serverFor(way: Way, answer: Answer, tls: object): NetServer {
  if (way.startsWith('HTTP/2')) {
    return createSecureServer({ ...tls, allowHTTP1: true }, answer as never)
  }
  return way.startsWith('HTTPS') ? createTlsServer(tls, answer) : createServer(answer)
}

/** Ends the connection that a request came on. */
export function breakConnection(request: IncomingMessage): void {
  const { stream } = request as { stream?: { session?: { destroy(): void } } }
  if (stream?.session) stream.session.destroy()
  else request.socket.destroy()
}
