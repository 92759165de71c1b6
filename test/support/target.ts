// Targets for tests of forwarding: HTTP servers on the loopback that tell what they were asked, and
// end with the test.

import { once } from 'node:events'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo, ListenOptions, Socket } from 'node:net'
import type { ExecutionContext } from 'ava'

export interface Target {
  /** 'http://127.0.0.1:port', or 'unix:path'. */
  url: `http://${string}` | `unix:${string}`
  /** '127.0.0.1:port'. */
  address: string
  /** Requests that it got, in order. */
  requests: IncomingMessage[]
  /** Ends it: connections are refused from now on. */
  stop(): Promise<void>
}

/** Answers everything with its own name, unless a test has something better. */
export async function startTarget(
  t: ExecutionContext,
  name: string,
  answer: RequestListener = (_request: IncomingMessage, response: ServerResponse) =>
    void response.end(name),
  where: ListenOptions = { host: '127.0.0.1', port: 0 },
): Promise<Target> {
  const requests: IncomingMessage[] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    requests.push(request)
    answer(request, response)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(where)
  await once(server, 'listening')
  const stop = async () => {
    if (!server.listening) return
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  }
  t.teardown(stop)
  const at = server.address()
  if (typeof at === 'string') return { url: `unix:${at}`, address: at, requests, stop }
  const address = `127.0.0.1:${(at as AddressInfo).port}`
  return { url: `http://${address}`, address, requests, stop }
}
