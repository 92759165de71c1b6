// A wire that can be looked at and cut: passes bytes on between a client and a gateway, keeps what
// the gateway has sent, and ends either direction when a test says so, which no TLS library does.

import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import type { ExecutionContext } from 'ava'

export interface Relay {
  port: number
  /** Types of the TLS records that the gateway has sent: 22 handshake, 21 alert, 23 data. */
  records(): number[]
  /** The gateway has sent its FIN, or has reset the connection. */
  isOver(): boolean
  /** The end towards the gateway. */
  gateway(): Socket
}

/** For one connection. */
export async function startRelay(t: ExecutionContext, port: number): Promise<Relay> {
  const chunks: Buffer[] = []
  let over = false
  let far: Socket | undefined
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const gateway = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true })
    far = gateway
    const finish = () => {
      over = true
    }
    gateway.on('data', (bytes: Buffer) => {
      chunks.push(bytes)
      near.write(bytes)
    })
    gateway.on('end', () => near.end()).on('end', finish)
    gateway.on('close', finish)
    gateway.on('error', () => near.destroy())
    near.on('data', (bytes: Buffer) => gateway.write(bytes))
    near.on('end', () => gateway.end())
    near.on('error', () => gateway.destroy())
    t.teardown(() => {
      near.destroy()
      gateway.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return {
    port: (server.address() as AddressInfo).port,
    records: () => recordTypes(Buffer.concat(chunks)),
    isOver: () => over,
    gateway: () => far as Socket,
  }
}

function recordTypes(bytes: Buffer): number[] {
  const types: number[] = []
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) {
    types.push(bytes.readUInt8(at))
  }
  return types
}
