// Mirrors that are dead, silent, slow or mad: the target gets everything all the same, the client
// its answer, and what was given up is counted and leaves nothing behind.

import test, { type ExecutionContext } from 'ava'
import { proxy } from '../../src/index.ts'
import { RawClient, request } from '../support/client.ts'
import { startGateway, type TransferMode, testOnBothTwins } from '../support/gateway.ts'
import { badMirrors, sendBody, startHashing, startRaw } from '../support/mirroring.ts'
import { until } from '../support/wait.ts'

const mb = 1024 * 1024

type Running = Awaited<ReturnType<typeof startGateway>>

const mirrorsOf = ({ gateway }: Running) => gateway.stats().total.mirrors

/** Nothing of them is left: neither memory nor a connection that is not idle. */
async function assertNothingLeft(t: ExecutionContext, running: Running): Promise<void> {
  await until('the mirrors to end', () => mirrorsOf(running).inFlight === 0)
  t.is(mirrorsOf(running).waitingBytes, 0)
  for (const { targets } of running.gateway.stats().upstreams) {
    for (const { active } of targets) t.is(active, 0)
  }
}

/** The one copy has got through. */
async function untilSent(running: Running): Promise<void> {
  await until('the copy', () => {
    const { sent, inFlight, ...others } = mirrorsOf(running)
    if (sent + inFlight === 0) throw new Error(`not sent: ${JSON.stringify(others)}`)
    return sent === 1
  })
}

const connectionsTo = ({ gateway }: Running, url: string) =>
  gateway.stats().upstreams.find(({ name }) => name === url)?.targets[0]?.connections

/** They are busy, and would take the time that others wait for something. */
function oneAfterTheOther(
  title: string,
  run: (t: ExecutionContext, transfer: TransferMode) => Promise<void>,
): void {
  for (const transfer of ['auto', 'copy'] as const) {
    test.serial(`${title} (transfer: ${transfer})`, (t) => run(t, transfer))
  }
}

for (const [name, start] of Object.entries(badMirrors)) {
  for (const chunked of [false, true]) {
    const how = chunked ? 'in chunks' : 'of known length'
    oneAfterTheOther(`a mirror that is ${name}: bodies ${how} are right`, async (t, transfer) => {
      const target = await startHashing(t)
      const mirror = await start(t)
      const running = await startGateway(t, {
        transfer,
        routes: {
          '/*': proxy(target.url, {
            mirror: { target: mirror, timeout: '300ms', maxBehind: '4mb' },
          }),
        },
      })
      const sizes = [5, 70_000, 9 * mb, 200_000, 9 * mb]
      for (const size of sizes) {
        const sent = await sendBody(running.port, size, { chunked })
        t.is(sent.status, 200)
        t.is(sent.answer, 'ok')
        t.is(target.received.at(-1)?.digest, sent.digest)
        t.is(target.received.at(-1)?.bytes, size)
      }
      const reply = await running.get('/')
      t.is(reply.status, 200)
      await assertNothingLeft(t, running)
      const { sent, aborted, limited, ...others } = mirrorsOf(running)
      const { refused, failed, timedOut, behind, unavailable } = others
      t.is(sent + refused + failed + timedOut + behind + unavailable + aborted + limited, 6)
      if (!name.startsWith('answering')) t.is(sent, 0)
    })
  }
}

testOnBothTwins('a mirror that is behind within its bound gets everything', async (t, transfer) => {
  const target = await startHashing(t)
  const mirror = await startHashing(t)
  const gate = Promise.withResolvers<void>()
  // Takes nothing until the target has everything, then passes all on.
  const slow = await startRaw(t, async (socket) => {
    await gate.promise
    const { createConnection } = await import('node:net')
    const onward = createConnection(Number(new URL(mirror.url).port), '127.0.0.1')
    socket.pipe(onward).pipe(socket)
    t.teardown(() => onward.destroy())
  })
  const running = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(target.url, { mirror: { target: slow.url, timeout: '2m' } }) },
  })
  const sent = await sendBody(running.port, 40 * mb)
  t.is(target.received[0]?.digest, sent.digest)
  t.true(mirrorsOf(running).waitingBytes > 20 * mb, 'it waits in memory')
  gate.resolve()
  await untilSent(running)
  t.is(mirror.received[0]?.digest, sent.digest)
  await assertNothingLeft(t, running)
})

testOnBothTwins('a mirror that is further behind is given up', async (t, transfer) => {
  const target = await startHashing(t)
  const mirror = await startRaw(t, () => {})
  const running = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(target.url, { mirror: { target: mirror.url, maxBehind: '2mb' } }) },
  })
  const sent = await sendBody(running.port, 30 * mb, { chunked: true })
  t.is(sent.status, 200)
  t.is(target.received[0]?.digest, sent.digest)
  t.is(mirrorsOf(running).behind, 1)
  await assertNothingLeft(t, running)
  await until('its connection to close', () => connectionsTo(running, mirror.url) === 0)
})

testOnBothTwins('all mirrors together have a bound', async (t, transfer) => {
  const target = await startHashing(t)
  const mirrors = await Promise.all([1, 2, 3].map(() => startRaw(t, () => {})))
  const running = await startGateway(t, {
    transfer,
    limits: { mirrorBytes: '5mb' },
    routes: { '/*': proxy(target.url, { mirror: mirrors.map(({ url }) => url) }) },
  })
  const sent = await sendBody(running.port, 30 * mb)
  t.is(target.received[0]?.digest, sent.digest)
  t.is(mirrorsOf(running).limited, 3)
  await assertNothingLeft(t, running)
})

test('more copies at once than limits.mirrors are not begun', async (t) => {
  const target = await startHashing(t)
  const mirror = await startRaw(t, () => {})
  const running = await startGateway(t, {
    limits: { mirrors: 2 },
    routes: { '/*': proxy(target.url, { mirror: { target: mirror.url, timeout: '2m' } }) },
  })
  const client = await running.connect()
  for (let n = 0; n < 5; n++) t.is((await client.ask(request('/'))).status, 200)
  t.is(mirrorsOf(running).inFlight, 2)
  t.is(mirrorsOf(running).limited, 3)
})

test('a mirror that fails gets none for a while, and is tried again then', async (t) => {
  const target = await startHashing(t)
  const mirror = await badMirrors.resetting?.(t)
  const running = await startGateway(t, {
    upstreams: { shadow: { targets: mirror ?? '', ejection: { failures: 3, time: '1s' } } },
    routes: { '/*': proxy(target.url, { mirror: 'shadow' }) },
  })
  const client = await running.connect()
  for (let n = 1; n <= 3; n++) {
    await client.ask(request('/'))
    await until('the failure', () => mirrorsOf(running).failed === n)
  }
  for (let n = 0; n < 4; n++) await client.ask(request('/'))
  t.true(mirrorsOf(running).unavailable > 0)
  await until('another try', async () => {
    await client.ask(request('/'))
    return mirrorsOf(running).failed > 3
  })
  t.is(running.gateway.stats().upstreams.find(({ name }) => name === 'shadow')?.targets.length, 1)
})

testOnBothTwins('a client that goes away within the body ends the copy', async (t, transfer) => {
  const target = await startHashing(t)
  const mirror = await startHashing(t)
  const running = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(target.url, { mirror: mirror.url }) },
  })
  const client = await running.connect()
  client.write(request('/', { 'Content-Length': String(9 * mb) }, 'POST'))
  client.write(Buffer.alloc(3 * mb))
  await until('some of it', () => mirrorsOf(running).bytes > 2 * mb)
  client.socket.resetAndDestroy()
  await until('the copy to end', () => mirrorsOf(running).aborted === 1)
  await until('both to know', () => mirror.received.length + target.received.length === 2)
  t.false(mirror.received[0]?.whole)
  t.false(target.received[0]?.whole)
  await assertNothingLeft(t, running)
})

test('a mirror that answers before it has the body, and goes on reading, gets it', async (t) => {
  const target = await startHashing(t)
  let bytes = 0
  const mirror = await startRaw(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
    socket.on('data', (piece) => (bytes += piece.length)).resume()
  })
  const running = await startGateway(t, {
    routes: { '/*': proxy(target.url, { mirror: mirror.url }) },
  })
  await sendBody(running.port, 20 * mb)
  await untilSent(running)
  await until('the rest of it', () => mirrorsOf(running).bytes === bytes)
  t.true(bytes > 20 * mb)
})

test('of a large answer only a part is read', async (t) => {
  const target = await startHashing(t)
  const mirror = await startHashing(t, () => 'x'.repeat(20 * mb))
  const running = await startGateway(t, {
    routes: { '/*': proxy(target.url, { mirror: mirror.url }) },
  })
  const client = await running.connect()
  for (let n = 1; n <= 3; n++) {
    await client.ask(request('/'))
    await until('the copy', () => mirrorsOf(running).sent === n)
  }
  await until('its connections to close', () => mirror.connections().open === 0)
  t.is(mirror.connections().made, 3)
})

testOnBothTwins('reloads and the end come while requests are mirrored', async (t, transfer) => {
  const target = await startHashing(t)
  const mirror = await startHashing(t)
  const config = (percent: number) => ({
    transfer,
    workers: 1,
    listen: 0,
    routes: { '/*': proxy(target.url, { mirror: { target: mirror.url, percent, timeout: '2m' } }) },
  })
  const running = await startGateway(t, config(100))
  const client = await running.connect()
  const body = Buffer.alloc(6 * mb, 'reload')
  client.write(request('/', { 'Content-Length': String(body.length) }, 'POST'))
  client.write(body.subarray(0, mb))
  await until('a part of it', () => mirrorsOf(running).bytes > 0)
  await running.gateway.reload(config(0))
  await running.get('/new')
  client.write(body.subarray(mb))
  t.is((await client.read()).status, 200)
  await untilSent(running)
  const [first] = mirror.received
  t.is(mirror.received.length, 1)
  t.is(first?.bytes, body.length)
  t.is(first?.digest, target.received.find(({ bytes }) => bytes > 0)?.digest)
})

test('a gateway that ends gives a silent mirror a moment and no more', async (t) => {
  const target = await startHashing(t)
  const mirror = await startRaw(t, (socket) => {
    socket.on('end', () => socket.destroy()).resume()
  })
  const running = await startGateway(t, {
    timeouts: { drain: '20s' },
    routes: { '/*': proxy(target.url, { mirror: { target: mirror.url, timeout: '5m' } }) },
  })
  const client = await RawClient.connect({ port: running.port, host: '127.0.0.1' })
  await client.ask(request('/', { Connection: 'close' }))
  await running.gateway.close()
  await until('its connection to close', () => mirror.open() === 0)
  t.pass()
})
