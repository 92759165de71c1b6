// TLS for tests: the certificates of test/fixtures/tls and a client of node:tls on raw bytes.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { ExecutionContext } from 'ava'
import type { TlsOptions } from '../../src/config/listener-options.ts'
import { RawClient } from './client.ts'

const folder = new URL('../fixtures/tls/', import.meta.url).pathname

/** Absolute path of a file of the fixtures. */
export function fixture(name: string): string {
  return join(folder, name)
}

/** The paths of a certificate and its key. */
export function pair(name: string): { cert: string; key: string } {
  return { cert: fixture(`${name}.pem`), key: fixture(`${name}.key`) }
}

export function pem(name: string): Buffer {
  return readFileSync(fixture(name))
}

/** A listener with TLS on a free port. */
export function secure(tls: Partial<TlsOptions> = {}): { port: number; tls: TlsOptions } {
  return { port: 0, tls: { certificates: [pair('ecdsa')], ...tls } }
}

export class TlsClient extends RawClient {
  readonly tls: TLSSocket

  constructor(socket: TLSSocket) {
    super(socket)
    this.tls = socket
  }

  /** Connects and shakes hands; rejects with what node:tls says. Destroyed after the test. */
  static async open(
    t: ExecutionContext,
    port: number,
    options: ConnectionOptions = {},
  ): Promise<TlsClient> {
    const socket = connect({ port, host: '127.0.0.1', ca: pem('ca.pem'), ...withName(options) })
    t.teardown(() => socket.destroy())
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve)
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('closed within the handshake')))
    })
    return new TlsClient(socket)
  }

  /** Common name of the certificate that the gateway showed. */
  get shown(): string {
    return String(this.tls.getPeerCertificate().subject.CN)
  }
}

function withName(options: ConnectionOptions): ConnectionOptions {
  return { servername: 'localhost', ...options }
}

/** A ClientHello as a client sends it, first record header included. */
export async function helloOf(): Promise<Buffer> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const client = connect({ port, host: '127.0.0.1', servername: 'localhost' })
  client.on('error', () => {})
  const [peer] = await once(server, 'connection')
  const [hello] = await once(peer, 'data')
  client.destroy()
  peer.destroy()
  server.close()
  return hello
}
