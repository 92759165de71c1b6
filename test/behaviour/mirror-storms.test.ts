// Mirrors under attack: clients that abort in the middle, many at once, targets that fail while the
// mirror is fed, and whether anything of it is left in the process.

import { readdirSync, readlinkSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { proxy } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { badMirrors, sendBody, startHashing, startRaw } from '../support/mirroring.ts'
import { Random } from '../support/random.ts'
import { startWayTarget } from '../support/secure-target.ts'
import { chunked, startUpstream } from '../support/upstream.ts'
import { inTheBackground, until } from '../support/wait.ts'

const mb = 1024 * 1024

type Running = Awaited<ReturnType<typeof startGateway>>

const mirrorsOf = ({ gateway }: Running) => gateway.stats().total.mirrors

/** Files of memory that mirrors are behind by; no test beside this one may have any. */
function spilledFiles(): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
  return links.filter((link) => link.includes('memfd:sluice-behind')).length
}

async function assertNothingLeft(t: ExecutionContext, running: Running): Promise<void> {
  await until('the copies to end', () => mirrorsOf(running).inFlight === 0)
  await until('the files to close', () => spilledFiles() === 0)
  t.is(mirrorsOf(running).waitingBytes, 0)
  const { total, upstreams } = running.gateway.stats()
  t.true(total.pipes.open <= 16, `${total.pipes.open} pipes`)
  for (const { targets } of upstreams) for (const { active } of targets) t.is(active, 0)
}

for (const transfer of ['auto', 'copy'] as const) {
  test.serial(
    `a storm of clients that abort within the body (transfer: ${transfer})`,
    async (t) => {
      const target = await startHashing(t)
      const good = await startHashing(t)
      const silent = await startRaw(t, () => {})
      const resetting = (await badMirrors.resetting?.(t)) ?? ''
      const running = await startGateway(t, {
        transfer,
        workers: 2,
        routes: {
          '/*': proxy(target.url, {
            mirror: [
              good.url,
              { target: silent.url, timeout: '500ms', maxBehind: '1mb' },
              resetting,
            ],
          }),
        },
      })
      const random = new Random(7)
      const storm = async (at: number) => {
        const body = Buffer.alloc(random.below(2 * mb) + 1, at)
        const isChunked = random.below(2) === 0
        const client = await running.connect()
        client.socket.on('error', () => {})
        const framing = isChunked
          ? { 'Transfer-Encoding': 'chunked' }
          : { 'Content-Length': String(body.length) }
        client.write(request(`/${at}`, framing, 'POST'))
        const bytes = isChunked ? chunked(body, random.below(300_000) + 1) : body
        client.write(bytes.subarray(0, random.below(bytes.length)))
        if (random.below(2) === 0) {
          await until('it to be sent', () => client.socket.writableLength === 0)
        }
        if (random.below(2) === 0) client.socket.resetAndDestroy()
        else client.socket.destroy()
      }
      for (let round = 0; round < 10; round++) {
        await Promise.all(Array.from({ length: 12 }, (_, n) => storm(round * 12 + n)))
      }
      await assertNothingLeft(t, running)
      const sent = await sendBody(running.port, 3 * mb)
      t.is(sent.status, 200)
      const isIn = (one: typeof good) => one.received.some(({ digest }) => digest === sent.digest)
      t.true(isIn(target))
      await until('the copy', () => isIn(good))
      await assertNothingLeft(t, running)
    },
  )

  test.serial(`files of memory are gone with their mirrors (transfer: ${transfer})`, async (t) => {
    const target = await startHashing(t)
    const silent = await startRaw(t, () => {})
    const running = await startGateway(t, {
      transfer,
      routes: { '/*': proxy(target.url, { mirror: { target: silent.url, timeout: '3s' } }) },
    })
    const sending = sendBody(running.port, 30 * mb)
    await until('it to wait in memory', () => spilledFiles() > 0)
    t.is((await sending).status, 200)
    await assertNothingLeft(t, running)
    t.is(mirrorsOf(running).timedOut, 1)
  })
}

testOnBothTwins('a target that reads no more ends the copy', async (t, transfer) => {
  const target = await startUpstream(t, async (peer) => {
    await peer.head()
    const fields = 'Content-Length: 0\r\nConnection: close'
    peer.write(`HTTP/1.1 413 Content Too Large\r\n${fields}\r\n\r\n`)
    peer.socket.pause()
  })
  const mirror = await startHashing(t)
  const running = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(target.url, { mirror: mirror.url }) },
  })
  const client = await running.connect()
  client.write(request('/', { 'Content-Length': String(50 * mb) }, 'POST'))
  client.write(Buffer.alloc(mb))
  t.is((await client.read()).status, 413)
  await until('the copy to end', () => mirrorsOf(running).aborted === 1)
  await assertAllEnded(t, running)
})

testOnBothTwins('a body over the bound of the route ends the copy', async (t, transfer) => {
  const target = await startHashing(t)
  const mirror = await startHashing(t)
  const running = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(target.url, { bodyBytes: '1mb', mirror: mirror.url }) },
  })
  const client = await running.connect()
  client.write(request('/', { 'Transfer-Encoding': 'chunked' }, 'POST'))
  client.write(chunked(Buffer.alloc(3 * mb), 400_000))
  t.is((await client.read()).status, 413)
  await until('the copy to end', () => mirrorsOf(running).inFlight === 0)
  t.is(mirrorsOf(running).aborted, 1)
  t.false(mirror.received[0]?.whole ?? false)
})

testOnBothTwins('without a target the mirror gets what has no body', async (t, transfer) => {
  const dead = (await badMirrors.dead?.(t)) ?? ''
  const mirror = await startHashing(t)
  const running = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(dead as 'http://a', { mirror: mirror.url }) },
  })
  t.is((await running.get('/')).status, 502)
  await until('the copy', () => mirrorsOf(running).sent === 1)
  const client = await running.connect()
  client.write(`${request('/', { 'Content-Length': '100000' }, 'POST')}some`)
  t.is((await client.read()).status, 502)
  await until('the copy to end', () => mirrorsOf(running).inFlight === 0)
  t.is(mirrorsOf(running).aborted, 1)
})

for (const way of ['HTTPS by workers', 'HTTPS by undici', 'HTTP/2 by undici'] as const) {
  test(`a mirror by ${way}`, async (t) => {
    const target = await startHashing(t)
    const lengths: number[] = []
    const mirror = await startWayTarget(t, way, (incoming, response) => {
      let length = 0
      incoming.on('data', (piece: Buffer) => (length += piece.length))
      incoming.on('end', () => {
        lengths.push(length)
        response.end('x'.repeat(5_000))
      })
    })
    const { url, options } = mirror
    const running = await startGateway(t, {
      upstreams: { shadow: { targets: url, ...options } },
      routes: { '/*': proxy(target.url, { mirror: { target: 'shadow', timeout: '2m' } }) },
    })
    const tried = async () => {
      await running.get('/')
      return mirrorsOf(running).sent > 0
    }
    await until('a mirror that can be had', tried, inTheBackground)
    await until('the first copies to end', () => mirrorsOf(running).inFlight === 0)
    const before = mirrorsOf(running).sent
    const sent = await sendBody(running.port, 2 * mb)
    t.is(sent.status, 200)
    await until('the copy', () => mirrorsOf(running).sent === before + 1)
    await until('its body', () => lengths.includes(2 * mb))
  })
}

async function assertAllEnded(t: ExecutionContext, running: Running): Promise<void> {
  await until('the copies to end', () => mirrorsOf(running).inFlight === 0)
  t.is(mirrorsOf(running).waitingBytes, 0)
}
