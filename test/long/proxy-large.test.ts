// Bodies larger than memory through the proxy: 20 GB down, 5 GB up, in a process whose memory is
// watched. What it holds does not depend on the size.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { RawClient, request } from '../support/client.ts'
import { testOnBothTwins } from '../support/gateway.ts'
import { startProxy } from '../support/soak.ts'
import { response, startUpstream } from '../support/upstream.ts'
import { until } from '../support/wait.ts'

const gb = 1_000_000_000
const part = Buffer.alloc(1024 * 1024, 'x')
const mostGrowth = 16 * 1024 * 1024

/** Writes so many bytes, as fast as they are taken. */
async function pour(socket: Socket, size: number): Promise<void> {
  for (let left = size; left > 0; left -= part.length) {
    const bytes = left < part.length ? part.subarray(0, left) : part
    if (!socket.write(bytes)) await once(socket, 'drain')
  }
}

/** Counts what arrives without holding it, and calls `each` for every 100 MB. */
async function count(socket: Socket, size: number, each: () => void): Promise<number> {
  let received = 0
  let next = 0
  socket.removeAllListeners('data')
  await new Promise<void>((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length
      if (received >= next) {
        each()
        next += gb / 10
      }
      if (received >= size) resolve()
    })
    socket.on('close', () => reject(new Error(`ended after ${received} bytes`)))
  })
  return received
}

for (const [direction, size] of [
  ['down', 20 * gb],
  ['up', 5 * gb],
] as const) {
  testOnBothTwins(`${size / gb} GB ${direction}, at constant memory`, async (t, transfer) => {
    t.timeout(20 * 60_000)
    let received = 0
    let sample = () => {}
    const upstream = await startUpstream(t, async (peer) => {
      const head = await peer.head()
      if (direction === 'up') {
        const early = peer.drop()
        received = early + (await count(peer.socket, size - early, sample))
        peer.write(response())
      } else {
        peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\nX-Of: ${head.target}\r\n\r\n`)
        await pour(peer.socket, size)
      }
    })
    const running = await startProxy(t, upstream.url, transfer)
    const samples: number[] = []
    sample = () => void samples.push(running.memory())
    const client = await RawClient.connect({ port: running.port })
    t.teardown(() => void client.socket.destroy())
    if (direction === 'up') {
      client.write(request('/', { 'Content-Length': String(size) }, 'POST'))
      await pour(client.socket, size)
      await until('the target to have all', () => received === size)
      t.true((await client.readHead()).line.endsWith('200 OK'))
    } else {
      client.write(request('/'))
      await client.readHead()
      const early = client.drop()
      received = early + (await count(client.socket, size - early, sample))
    }
    t.is(received, size)
    const [first = 0, ...rest] = samples.slice(2)
    t.true(Math.max(...rest) - first < mostGrowth, `${first} … ${Math.max(...rest)} bytes`)
    const { engines } = (await running.stats()).total
    t.is((engines.splice?.bytes ?? 0) > size / 2, transfer === 'auto')
  })
}
