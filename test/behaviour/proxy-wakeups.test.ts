// What a worker sleeps through: while the receiver of a body takes nothing, whatever its sender
// still sends wakes nobody. How often the worker woke is how often it called epoll_wait.

import type { Socket } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { proxy, respond } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway, type TransferMode } from '../support/gateway.ts'
import { makeFolder } from '../support/site.ts'
import { startUpstream } from '../support/upstream.ts'

const rounds = 40
/** More than a unix socket and a reader take that stop reading, less than two sockets do. */
const fill = { pieces: 20, bytes: 16_384 }

/** A client and a target, both on unix sockets, of which one sends a body and the other is deaf. */
async function oneSided(t: ExecutionContext, transfer: TransferMode, sender: 'target' | 'client') {
  const upstream = await startUpstream(t, undefined, { unix: true })
  const path = join(makeFolder(t), 'gateway.sock')
  const { connect, gateway } = await startGateway(t, {
    transfer,
    listen: [{ port: 0 }, { path }],
    routes: { '/*': proxy(upstream.url), 'GET /knock': respond(204) },
  })
  const client = await connect({ path })
  const length = { 'Content-Length': '1000000000' }
  client.write(sender === 'client' ? request('/', length, 'POST') : request('/'))
  const peer = await upstream.peer(0)
  await peer.head()
  if (sender === 'target') peer.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n')
  const [from, to] = sender === 'target' ? [peer, client] : [client, peer]
  to.socket.pause()
  return { from: from.socket, knocker: await connect(), gateway }
}

const send = (socket: Socket, bytes: number) =>
  new Promise<void>((resolve, reject) => {
    socket.write(Buffer.alloc(bytes), (error) => (error ? reject(error) : resolve()))
  })

for (const sender of ['target', 'client'] as const) {
  for (const transfer of ['auto', 'copy'] as const) {
    test(`bytes of a ${sender} that nobody takes wake nobody (${transfer})`, async (t) => {
      const { from, knocker, gateway } = await oneSided(t, transfer, sender)
      // An answer of the same worker shows that it has seen everything before.
      const knock = async () => t.is((await knocker.ask(request('/knock'))).status, 204)
      const waits = async (act: () => Promise<void>) => {
        const before = gateway.stats().total.syscalls.epoll_wait ?? 0
        for (let round = 0; round < rounds; round++) {
          await act()
          await knock()
        }
        return (gateway.stats().total.syscalls.epoll_wait ?? 0) - before
      }
      for (let piece = 0; piece < fill.pieces; piece++) {
        await send(from, fill.bytes)
        await knock()
      }
      const quiet = await waits(async () => {})
      const noisy = await waits(() => send(from, 64))
      t.true(quiet >= rounds, `${quiet} turns for ${rounds} requests`)
      t.true(noisy - quiet < rounds / 2, `${noisy} turns instead of ${quiet}`)
    })
  }
}
