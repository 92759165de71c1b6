// Mirrors beside what else a gateway does: hooks that change requests, files before an application,
// reloads, drains, TLS of clients.

import test from 'ava'
import { files, hook, proxy } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { RawClient, request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { startHashing, startRaw } from '../support/mirroring.ts'
import { makeFolder } from '../support/site.ts'
import { until } from '../support/wait.ts'

const mb = 1024 * 1024

type Running = Awaited<ReturnType<typeof startGateway>>

const mirrorsOf = ({ gateway }: Running) => gateway.stats().total.mirrors

test('what hooks change of a request is changed for its mirror', async (t) => {
  const target = await startHashing(t)
  const mirror = await startHashing(t)
  const running = await startGateway(t, {
    routes: {
      '/*': proxy(target.url, {
        hooks: hook(() => ({ request: { set: { 'X-User': 'ann' } } })),
        mirror: mirror.url,
      }),
    },
  })
  await running.get('/a')
  await until('the copy', () => mirrorsOf(running).sent === 1)
  t.is(target.received[0]?.fields['x-user'], 'ann')
  t.is(mirror.received[0]?.fields['x-user'], 'ann')
})

test('of a body that functions change a mirror gets what the target gets, once', async (t) => {
  const target = await startHashing(t)
  const mirror = await startHashing(t)
  const upper = (body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> =>
    body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (piece, to) => to.enqueue(piece.map((byte) => byte & ~0x20)),
      }) as never,
    )
  const running = await startGateway(t, {
    routes: {
      '/*': proxy(target.url, {
        hooks: hook({ transformRequest: upper }),
        mirror: mirror.url,
      }),
    },
  })
  const reply = await ask(running.port, '/', { method: 'POST', body: 'text' })
  t.is(reply.status, 200)
  await until('the copy', () => mirrorsOf(running).sent === 1)
  t.is(mirror.received.length, 1)
  t.is(mirror.received[0]?.bytes, 4)
  t.is(mirror.received[0]?.digest, target.received[0]?.digest)
  const internal = Object.keys(mirror.received[0]?.fields ?? {}).filter((n) => /^x-sluice/.test(n))
  t.deepEqual(internal, [], 'what the app and the workers tell each other stays with them')
})

test('the application behind files has a mirror, too', async (t) => {
  const target = await startHashing(t)
  const mirror = await startHashing(t)
  const running = await startGateway(t, {
    routes: {
      '/*': files(makeFolder(t), { otherwise: proxy(target.url, { mirror: mirror.url }) }),
    },
  })
  t.is((await running.get('/no-such-file')).body.toString(), 'ok')
  await until('the copy', () => mirrorsOf(running).sent === 1)
  t.is(mirror.received[0]?.target, '/no-such-file')
})

testOnBothTwins('a gateway drains while a body is mirrored: both get it', async (t, transfer) => {
  const target = await startHashing(t)
  const mirror = await startHashing(t)
  const running = await startGateway(t, {
    transfer,
    timeouts: { drain: '30s' },
    routes: { '/*': proxy(target.url, { mirror: mirror.url }) },
  })
  const client = await RawClient.connect({ port: running.port, host: '127.0.0.1' })
  t.teardown(() => client.socket.destroy())
  const body = Buffer.alloc(6 * mb, 'drain')
  client.write(request('/', { 'Content-Length': String(body.length) }, 'POST'))
  client.write(body.subarray(0, 2 * mb))
  await until('a part of it', () => mirrorsOf(running).bytes > mb)
  const closed = running.gateway.close()
  client.write(body.subarray(2 * mb))
  t.is((await client.read()).status, 200)
  await closed
  await until('the copy', () => mirror.received.length === 1)
  t.is(mirror.received[0]?.bytes, body.length)
  t.is(mirror.received[0]?.digest, target.received[0]?.digest)
})

test('a silent mirror does not keep a configuration that has been replaced', async (t) => {
  const target = await startHashing(t)
  const mirror = await startRaw(t, () => {})
  const config = (timeout: '4m' | '5m') => ({
    listen: 0,
    workers: 1,
    timeouts: { drain: 1_000 },
    routes: { '/*': proxy(target.url, { mirror: { target: mirror.url, timeout } }) },
  })
  const running = await startGateway(t, config('5m'))
  await running.get('/')
  t.is(mirrorsOf(running).inFlight, 1)
  await running.gateway.reload(config('4m'))
  await until('the first to be gone', () => running.gateway.stats().generation.live === 1)
  t.is(mirrorsOf(running).inFlight, 0)
  t.is(mirrorsOf(running).aborted, 1)
  await running.get('/')
  t.is(mirrorsOf(running).inFlight, 1)
})

test('no copies at all with limits.mirrors 0', async (t) => {
  const target = await startHashing(t)
  const mirror = await startHashing(t)
  const running = await startGateway(t, {
    limits: { mirrors: 0 },
    routes: { '/*': proxy(target.url, { mirror: mirror.url }) },
  })
  t.is((await running.get('/')).status, 200)
  t.is(mirrorsOf(running).limited, 1)
  t.is(mirror.connections().made, 0)
})
