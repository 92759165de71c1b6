// Mirrors that do as they should: they get what the target gets, once, whatever the request is
// like, and nobody else notices.

import test from 'ava'
import { proxy } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { sendBody, startHashing } from '../support/mirroring.ts'
import { startTarget } from '../support/target.ts'
import { answering, response, startUpstream } from '../support/upstream.ts'
import { until } from '../support/wait.ts'

const mb = 1024 * 1024

/** Whoever checks bodies on a busy machine takes its time. */
const patient = (target: string) => ({ target, timeout: '2m' }) as const

test('a request without a body is mirrored as the target gets it, marked', async (t) => {
  const target = await startHashing(t)
  const mirror = await startHashing(t, () => 'nobody reads this')
  const { get, gateway } = await startGateway(t, {
    routes: {
      '/api/*': proxy(target.url, {
        stripPrefix: '/api',
        headers: { request: { set: { 'X-Tenant': 'a' }, remove: ['X-Secret'] } },
        mirror: mirror.url,
      }),
    },
  })
  const reply = await get('/api/users?q=1', { 'X-Secret': 's', 'Sluice-Mirror': 'no' })
  t.is(reply.body.toString(), 'ok')
  await until('the copy', () => gateway.stats().total.mirrors.sent === 1)
  const [first] = target.received
  const [copy] = mirror.received
  t.is(copy?.target, '/users?q=1')
  t.is(copy?.method, 'GET')
  const { 'sluice-mirror': mark, ...fields } = copy?.fields ?? {}
  const { 'sluice-mirror': own, ...expected } = first?.fields ?? {}
  t.is(mark, '1')
  t.is(own, 'no', 'what the target gets is as it was')
  t.deepEqual(fields, expected)
  t.is(fields['x-tenant'], 'a')
})

for (const method of ['HEAD', 'DELETE', 'OPTIONS']) {
  test(`${method} is mirrored, and the connection is used again`, async (t) => {
    const target = await startHashing(t)
    const mirror = await startHashing(t)
    const { connect, gateway } = await startGateway(t, {
      routes: { '/*': proxy(target.url, { mirror: patient(mirror.url) }) },
    })
    const client = await connect()
    for (let n = 1; n <= 3; n++) {
      await client.ask(request('/', {}, method))
      await until('the copy', () => gateway.stats().total.mirrors.sent === n)
    }
    t.deepEqual(
      mirror.received.map((one) => one.method),
      [method, method, method],
    )
    t.is(mirror.connections().made, 1)
  })
}

testOnBothTwins('head and body in one packet', async (t, transfer) => {
  const target = await startHashing(t)
  const mirror = await startHashing(t)
  const { connect, gateway } = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(target.url, { mirror: patient(mirror.url) }) },
  })
  const client = await connect()
  await client.ask(`${request('/', { 'Content-Length': '5' }, 'POST')}hello`)
  await until('the copy', () => gateway.stats().total.mirrors.sent === 1)
  t.is(mirror.received[0]?.bytes, 5)
  t.is(mirror.received[0]?.digest, target.received[0]?.digest)
})

for (const [name, bytes, chunked] of [
  ['48 MB of known length', 48 * mb, false],
  ['48 MB in chunks', 48 * mb, true],
  ['100 kB of known length', 100_000, false],
  ['no byte, in chunks', 0, true],
] as const) {
  testOnBothTwins(`${name}: the mirror gets what the target gets`, async (t, transfer) => {
    const target = await startHashing(t)
    const mirror = await startHashing(t)
    const { port, gateway } = await startGateway(t, {
      transfer,
      routes: { '/*': proxy(target.url, { mirror: patient(mirror.url) }) },
    })
    const sent = await sendBody(port, bytes, { chunked })
    t.is(sent.status, 200)
    await until('the copy', () => gateway.stats().total.mirrors.sent === 1)
    t.is(target.received[0]?.digest, sent.digest)
    t.is(mirror.received[0]?.digest, sent.digest)
    t.is(mirror.received[0]?.bytes, bytes)
    const { mirrors } = gateway.stats().total
    t.is(mirrors.teedBytes > 0, transfer === 'auto' && bytes > 0, 'tee moved it')
    t.is(mirrors.inFlight, 0)
    t.is(mirrors.waitingBytes, 0)
  })
}

testOnBothTwins('large chunks are teed, too, and trailers pass', async (t, transfer) => {
  const target = await startHashing(t)
  const mirror = await startHashing(t)
  const { connect, gateway } = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(target.url, { mirror: patient(mirror.url) }) },
  })
  const body = Buffer.alloc(4 * mb, 'mirror')
  const client = await connect()
  client.write(request('/', { 'Transfer-Encoding': 'chunked', Trailer: 'X-Sum' }, 'POST'))
  client.write(Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body]))
  client.write('\r\n0\r\nX-Sum: 42\r\n\r\n')
  t.is((await client.read()).status, 200)
  await until('the copy', () => gateway.stats().total.mirrors.sent === 1)
  t.is(mirror.received[0]?.digest, target.received[0]?.digest)
  t.is(mirror.received[0]?.bytes, body.length)
  t.deepEqual(mirror.received[0]?.trailers, target.received[0]?.trailers)
  t.is(mirror.received[0]?.trailers['x-sum'], '42')
  t.is(gateway.stats().total.mirrors.teedBytes > 0, transfer === 'auto')
})

testOnBothTwins('pipelined requests are mirrored each', async (t, transfer) => {
  const target = await startHashing(t)
  const mirror = await startHashing(t)
  const { connect, gateway } = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(target.url, { mirror: patient(mirror.url) }) },
  })
  const sizes = Array.from({ length: 60 }, (_, n) => (n * 977) % 40_000)
  const client = await connect()
  for (const [n, size] of sizes.entries()) {
    client.write(request(`/${n}`, { 'Content-Length': String(size) }, 'POST'))
    client.write(Buffer.alloc(size, n))
  }
  for (const _ of sizes) t.is((await client.read()).status, 200)
  await until('the copies', () => gateway.stats().total.mirrors.sent === sizes.length)
  const byTarget = (all: typeof target.received) =>
    Object.fromEntries(all.map(({ target: path, digest }) => [path, digest]))
  t.deepEqual(byTarget(mirror.received), byTarget(target.received))
})

testOnBothTwins('several mirrors get all of it', async (t, transfer) => {
  const target = await startHashing(t)
  const mirrors = await Promise.all([startHashing(t), startHashing(t), startHashing(t)])
  const { port, gateway } = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(target.url, { mirror: mirrors.map(({ url }) => patient(url)) }) },
  })
  const sent = await sendBody(port, 9 * mb)
  await until('the copies', () => gateway.stats().total.mirrors.sent === 3)
  for (const { received } of mirrors) t.is(received[0]?.digest, sent.digest)
})

test('percent chooses by the id of the request', async (t) => {
  const target = await startHashing(t)
  const [all, some, same, none] = await Promise.all([0, 1, 2, 3].map(() => startHashing(t)))
  const { connect, gateway } = await startGateway(t, {
    routes: {
      '/*': proxy(target.url, {
        mirror: [
          { target: all?.url ?? '' },
          { target: some?.url ?? '', percent: 30 },
          { target: same?.url ?? '', percent: 30 },
          { target: none?.url ?? '', percent: 0 },
        ],
      }),
    },
  })
  const client = await connect()
  for (let n = 0; n < 200; n++) await client.ask(request(`/${n}`))
  await until('the copies', () => {
    const { sent, inFlight } = gateway.stats().total.mirrors
    return inFlight === 0 && sent >= 200
  })
  const paths = (one: typeof all) => one?.received.map(({ target: path }) => path).sort()
  t.is(all?.received.length, 200)
  const chosen = some?.received.length ?? 0
  t.true(chosen > 20 && chosen < 110, String(chosen))
  t.deepEqual(paths(some), paths(same))
  t.is(none?.received.length, 0)
})

test('who waits for leave to send the body gets it from the target', async (t) => {
  const target = await startHashing(t)
  const mirror = await startHashing(t)
  const { connect, gateway } = await startGateway(t, {
    routes: { '/*': proxy(target.url, { mirror: patient(mirror.url) }) },
  })
  const client = await connect()
  client.write(request('/', { Expect: '100-continue', 'Content-Length': '3' }, 'POST'))
  t.is((await client.read()).status, 100)
  client.write('abc')
  t.is((await client.read()).status, 200)
  await until('the copy', () => gateway.stats().total.mirrors.sent === 1)
  t.is(mirror.received[0]?.bytes, 3)
  t.is(mirror.received[0]?.fields.expect, undefined)
  t.is(target.received[0]?.fields.expect, '100-continue')
})

test('upgrades are not mirrored', async (t) => {
  const upstream = await startUpstream(t, async (peer) => {
    await peer.head()
    peer.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n')
  })
  const mirror = await startHashing(t)
  const { connect, gateway } = await startGateway(t, {
    routes: { '/*': proxy(upstream.url, { mirror: mirror.url }) },
  })
  const client = await connect()
  const reply = await client.ask(request('/', { Connection: 'upgrade', Upgrade: 'x' }))
  t.is(reply.status, 101)
  t.is(mirror.connections().made, 0)
  t.is(gateway.stats().total.mirrors.sent, 0)
})

testOnBothTwins('a request that is tried again is mirrored once', async (t, transfer) => {
  const dying = await startUpstream(t, (peer) => void peer.socket.destroy())
  const target = await startHashing(t)
  const mirror = await startHashing(t)
  const { connect, gateway } = await startGateway(t, {
    transfer,
    routes: {
      '/*': proxy([dying.url as 'http://a', { url: target.url, backup: true }], {
        retry: { unsafe: true },
        mirror: mirror.url,
      }),
    },
  })
  const client = await connect()
  const reply = await client.ask(`${request('/', { 'Content-Length': '5' }, 'POST')}hello`)
  t.is(reply.status, 200)
  await until('the copy', () => gateway.stats().total.mirrors.sent === 1)
  t.is(dying.peers.length, 1)
  t.is(target.received.length, 1)
  t.is(mirror.received.length, 1)
  t.is(mirror.received[0]?.digest, target.received[0]?.digest)
})

test('the Host of a mirror is that of the client, or its own if that is wanted', async (t) => {
  const target = await startHashing(t)
  const mirror = await startHashing(t)
  const { get, gateway } = await startGateway(t, {
    routes: {
      '/*': proxy(target.url, { mirror: mirror.url }),
      '/own/*': proxy(target.url, { mirror: mirror.url, host: 'target' }),
      '/fixed/*': proxy(target.url, { mirror: mirror.url, host: 'example.com' }),
    },
  })
  for (const path of ['/a', '/own/a', '/fixed/a']) await get(path, { Host: 'client.example' })
  await until('the copies', () => gateway.stats().total.mirrors.sent === 3)
  const hosts = Object.fromEntries(
    mirror.received.map(({ target: path, fields }) => [path, fields.host]),
  )
  const own = mirror.url.slice('http://'.length)
  t.deepEqual(hosts, { '/a': 'client.example', '/own/a': own, '/fixed/a': 'example.com' })
})

test('a mirror on a unix socket, by the name of its upstream', async (t) => {
  const target = await startHashing(t)
  const mirror = await startUpstream(t, answering(response('no')), { unix: true })
  const { port, gateway } = await startGateway(t, {
    upstreams: { shadow: { targets: mirror.url } },
    routes: { '/*': proxy(target.url, { mirror: { target: 'shadow' } }) },
  })
  const sent = await sendBody(port, 3 * mb)
  t.is(sent.status, 200)
  await until('the copy', () => gateway.stats().total.mirrors.sent === 1)
  const shadow = gateway.stats().upstreams.find(({ name }) => name === 'shadow')
  t.is(shadow?.targets[0]?.requests, 1)
})

test('the answer of a mirror is not waited for', async (t) => {
  const target = await startTarget(t, 'quick')
  const held: (() => void)[] = []
  const mirror = await startTarget(t, 'slow', (_request, response) => {
    held.push(() => response.end('late'))
  })
  const { connect, gateway } = await startGateway(t, {
    routes: { '/*': proxy(target.url, { mirror: patient(mirror.url) }) },
  })
  const client = await connect()
  for (let n = 0; n < 5; n++) t.is((await client.ask(request('/'))).body.toString(), 'quick')
  await until('the copies', () => held.length === 5)
  t.is(gateway.stats().total.mirrors.inFlight, 5)
  for (const finish of held) finish()
  await until('their answers', () => gateway.stats().total.mirrors.sent === 5)
})
