// Connections from a relay to its target: TCP or a unix socket, with TLS where the URL says https:.
// Certificates are verified against the name in the URL. Runs in the process of the relays.

import { readFileSync } from 'node:fs'
import { createConnection, isIP, type NetConnectOpts, type Server, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, createSecureContext } from 'node:tls'
import type { NativeEndpoint } from '../native/values.ts'
import { type Fault, faults, type RelayedTarget, type RelayedUpstream } from './relay-messages.ts'

/** A server in the place of a target. */
export interface Relay {
  server: Server
  /** Ends when nobody uses it any more. */
  close(): void
}

/** What every connection to a target has in common; `session` is that of the last one. */
export interface Way {
  readonly to: NetConnectOpts
  /** undefined: no TLS. */
  readonly tls: ConnectionOptions | undefined
  session: Buffer | undefined
}

type Whereabouts = Omit<RelayedTarget, 'id'>

/** Throws when a certificate or a key cannot be used. */
export function wayTo(target: Whereabouts, upstream: Pick<RelayedUpstream, 'tls'>): Way {
  const to = addressOf(target.endpoint)
  const tls = target.secure ? tlsOptions(target, upstream) : undefined
  return { to, tls, session: undefined }
}

function addressOf(endpoint: NativeEndpoint): NetConnectOpts {
  if (endpoint.kind === 'unix') return { path: endpoint.path }
  return { host: endpoint.host, port: endpoint.port, noDelay: true }
}

function tlsOptions(
  { authority }: Whereabouts,
  { tls }: Pick<RelayedUpstream, 'tls'>,
): ConnectionOptions {
  const { ca, cert, key, dangerouslyAcceptAnyCertificate } = tls
  const name = tls.servername || hostOf(authority)
  const secureContext = createSecureContext({
    ...(ca.length > 0 ? { ca: ca.map((file) => readFileSync(file)) } : {}),
    ...(cert !== '' ? { cert: readFileSync(cert), key: readFileSync(key) } : {}),
  })
  return {
    secureContext,
    // A name for SNI, which knows no addresses; the certificate is checked against either.
    host: name,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    rejectUnauthorized: !dangerouslyAcceptAnyCertificate,
  }
}

/** Without the port, and an IPv6 address without its brackets. */
function hostOf(authority: string): string {
  const { hostname } = new URL(`https://${authority}`)
  return hostname.replace(/^\[|\]$/g, '')
}

/** `onReady` when bytes can be sent; errors and the end are the socket's own events. */
export function open(
  way: Way,
  onReady: (socket: Socket) => void,
  protocols: readonly string[] = ['http/1.1'],
): Socket {
  const plain = createConnection({ ...way.to, allowHalfOpen: true })
  if (way.tls === undefined) {
    plain.once('connect', () => onReady(plain))
    return plain
  }
  const socket = connectTls({
    ...way.tls,
    socket: plain,
    allowHalfOpen: true,
    ALPNProtocols: [...protocols],
    ...(way.session ? { session: way.session } : {}),
  } as ConnectionOptions)
  socket.on('session', (session) => {
    way.session = session
  })
  socket.once('secureConnect', () => onReady(socket))
  return socket
}

const unreachable = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'EACCES',
  'EADDRNOTAVAIL',
  'EMFILE',
])
const late = new Set(['ETIMEDOUT'])

/** What an error before anything was sent means. */
export function faultOf(error: NodeJS.ErrnoException, secure: boolean): Fault {
  const code = error.code ?? ''
  if (late.has(code)) return faults.late
  if (unreachable.has(code)) return faults.refused
  return secure ? faults.tls : faults.refused
}
