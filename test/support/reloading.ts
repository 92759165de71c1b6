// What tests of reloads have in common: a WebSocket-like tunnel to a target of the test, and a
// configuration file whose text is replaced.

import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { ExecutionContext } from 'ava'
import { until } from './wait.ts'

export interface EchoTarget {
  url: `http://127.0.0.1:${number}`
  /** Tunnels that are open. */
  open(): number
}

/** Answers requests by `answer`; after an upgrade it sends back whatever comes. */
export async function startEcho(
  t: ExecutionContext,
  answer: RequestListener = (_request, response) => void response.end('echo'),
): Promise<EchoTarget> {
  const tunnels = new Set<Socket>()
  const server = createServer(answer)
  server.on('upgrade', (_request, socket: Socket) => {
    tunnels.add(socket)
    socket.on('close', () => tunnels.delete(socket)).on('error', () => {})
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of tunnels) socket.destroy()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, open: () => tunnels.size }
}

export class Tunnel {
  readonly #socket: Socket
  #received = ''
  isOpen = true

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1').on('data', (chunk) => {
      this.#received += chunk
    })
    const over = () => {
      this.isOpen = false
    }
    socket.on('close', over).on('end', over).on('error', over)
  }

  static async open(t: ExecutionContext, port: number, path: string): Promise<Tunnel> {
    const socket = connect(port, '127.0.0.1')
    t.teardown(() => void socket.destroy())
    const tunnel = new Tunnel(socket)
    const fields = 'Host: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n'
    socket.write(`GET ${path} HTTP/1.1\r\n${fields}\r\n`)
    await until('the upgrade', () => tunnel.#received.includes('\r\n\r\n'))
    if (!tunnel.#received.startsWith('HTTP/1.1 101')) throw new Error(tunnel.#received)
    tunnel.#received = ''
    return tunnel
  }

  /** Sends and waits until it has come back. */
  async echoes(text: string): Promise<boolean> {
    this.#received = ''
    this.#socket.write(text)
    await until('the echo', () => this.#received.length >= text.length || !this.isOpen)
    return this.#received === text
  }
}
