// Bodies through the proxy: every framing in either direction, on both twins, byte for byte, as
// they come and whatever the pace of either side.

import { createServer } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import test from 'ava'
import { proxy } from '../../src/index.ts'
import { RawClient, request } from '../support/client.ts'
import { startGateway, type TransferMode, testOnBothTwins } from '../support/gateway.ts'
import { Random } from '../support/random.ts'
import { patternBytes } from '../support/site.ts'
import { answering, chunked, response, startUpstream } from '../support/upstream.ts'
import { until } from '../support/wait.ts'

const large = patternBytes(3_000_000)

/** Whether bodies of this size may have gone by splice; 'copy' never does. */
function assertEngines(
  t: { is(actual: unknown, expected: unknown, message?: string): boolean },
  bytes: Record<string, number>,
  transfer: TransferMode,
): void {
  t.is((bytes.splice ?? 0) > 0, transfer === 'auto', JSON.stringify(bytes))
}

testOnBothTwins('responses of known length, of many sizes', async (t, transfer) => {
  const sizes = [0, 1, 1_000, 65_535, 65_536, 65_537, 131_072, 262_145, 3_000_000]
  const upstream = await startUpstream(t, async (peer) => {
    for (;;) {
      const { target } = await peer.request()
      peer.write(response(large.subarray(0, Number(target.slice(1)))))
    }
  })
  const { connect, engineBytes } = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(upstream.url) },
  })
  const client = await connect()
  for (const size of sizes) {
    const reply = await client.ask(request(`/${size}`))
    t.is(reply.framing, 'length')
    t.true(reply.body.equals(large.subarray(0, size)), String(size))
  }
  const bytes = engineBytes()
  assertEngines(t, bytes, transfer)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  t.is((bytes.splice ?? 0) + (bytes.copy ?? 0), total)
})

for (const size of [1, 100, 5_000, 200_000, 3_000_000]) {
  testOnBothTwins(`a response in chunks of ${size} bytes`, async (t, transfer) => {
    const body = size < 100 ? large.subarray(0, 20_000) : large
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
    const bytes = Buffer.concat([Buffer.from(head), chunked(body, size)])
    const upstream = await startUpstream(t, answering(bytes))
    const { connect, engineBytes } = await startGateway(t, {
      transfer,
      routes: { '/*': proxy(upstream.url) },
    })
    const client = await connect()
    for (let n = 0; n < 2; n++) {
      const reply = await client.ask(request('/'))
      t.is(reply.framing, 'chunked')
      t.true(reply.body.equals(body))
    }
    t.is(upstream.peers.length, 1)
    if (size === 3_000_000) assertEngines(t, engineBytes(), transfer)
  })
}

testOnBothTwins('chunk extensions do not go on', async (t, transfer) => {
  const upstream = await startUpstream(
    t,
    answering(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0;last="1"\r\n\r\n',
    ),
  )
  const { get } = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
  t.is((await get('/')).body.toString(), 'ok')
})

testOnBothTwins('a body that ends with the connection becomes chunked', async (t, transfer) => {
  const upstream = await startUpstream(t, async (peer) => {
    await peer.request()
    peer.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n')
    peer.write(large)
    peer.socket.end()
  })
  const { connect, engineBytes } = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(upstream.url) },
  })
  const client = await connect()
  for (let n = 0; n < 2; n++) {
    const reply = await client.ask(request('/'))
    t.is(reply.framing, 'chunked')
    t.true(reply.body.equals(large))
  }
  t.is(upstream.peers.length, 2)
  assertEngines(t, engineBytes(), transfer)
})

for (const kind of ['chunked', 'close'] as const) {
  testOnBothTwins(`an HTTP/1.0 client gets a ${kind} body as it is`, async (t, transfer) => {
    const upstream = await startUpstream(t, async (peer) => {
      await peer.request()
      const coding = kind === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : ''
      peer.write(`HTTP/1.1 200 OK\r\n${coding}\r\n`)
      peer.write(kind === 'chunked' ? chunked(large, 100_000) : large)
      if (kind === 'close') peer.socket.end()
    })
    const { connect } = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
    const client = await connect()
    client.write('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
    const reply = await client.read()
    t.is(reply.framing, 'close')
    t.is(reply.field('connection'), 'close')
    t.true(reply.body.equals(large))
    t.is(client.error, undefined)
  })
}

test('an HTTP/1.0 client keeps its connection when the length is known', async (t) => {
  const upstream = await startUpstream(t, answering(response()))
  const { connect } = await startGateway(t, { routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  for (let n = 0; n < 2; n++) {
    client.write('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
    const reply = await client.read()
    t.is(reply.field('connection'), 'keep-alive')
    t.is(reply.body.toString(), 'ok')
  }
})

for (const [what, method, head] of [
  ['HEAD with a length', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n'],
  ['HEAD with chunked', 'HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['HEAD with neither', 'HEAD', 'HTTP/1.1 200 OK\r\n\r\n'],
  ['204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
  ['204 with a length', 'GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n'],
  ['304 with a length', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n'],
] as const) {
  test(`no body follows: ${what}`, async (t) => {
    const upstream = await startUpstream(t, answering(head))
    const { connect } = await startGateway(t, { routes: { '/*': proxy(upstream.url) } })
    const client = await connect()
    for (let n = 0; n < 3; n++) {
      const reply = await client.ask(request('/', {}, method))
      t.is(reply.status, Number(head.slice(9, 12)))
      const length = /^HTTP\/1.1 204/.test(head) ? undefined : /Length: (\d+)/.exec(head)?.[1]
      t.is(reply.field('content-length'), length)
      t.is(reply.field('transfer-encoding'), undefined)
    }
    t.is(client.unread, 0)
    t.is(upstream.peers.length, 1)
  })
}

testOnBothTwins('uploads of known length', async (t, transfer) => {
  const sizes = [0, 1, 20_000, 131_073, 3_000_000]
  const upstream = await startUpstream(t, async (peer) => {
    for (;;) {
      const { body, framing } = await peer.request()
      const same = body.equals(large.subarray(0, body.length))
      peer.write(response(`${framing} ${body.length} ${same}`))
    }
  })
  const { connect, engineBytes } = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(upstream.url) },
  })
  const client = await connect()
  for (const size of sizes) {
    client.write(request('/', { 'Content-Length': String(size) }, 'POST'))
    client.write(large.subarray(0, size))
    t.is((await client.read()).body.toString(), `length ${size} true`)
  }
  t.is(upstream.peers.length, 1)
  assertEngines(t, engineBytes(), transfer)
})

for (const size of [1, 3_000, 500_000]) {
  testOnBothTwins(`an upload in chunks of ${size} bytes`, async (t, transfer) => {
    const body = size === 1 ? large.subarray(0, 5_000) : large
    const upstream = await startUpstream(t, async (peer) => {
      for (;;) {
        const got = await peer.request()
        peer.write(response(`${got.framing} ${got.body.equals(body)}`))
      }
    })
    const { connect } = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
    const client = await connect()
    for (let n = 0; n < 2; n++) {
      client.write(request('/', { 'Transfer-Encoding': 'chunked' }, 'POST'))
      client.write(chunked(body, size))
      t.is((await client.read()).body.toString(), 'chunked true')
    }
  })
}

testOnBothTwins('an echo of chunks at random cuts, both ways at once', async (t, transfer) => {
  const server = createServer((incoming, outgoing) => void incoming.pipe(outgoing))
  server.listen(0, '127.0.0.1')
  t.teardown(() => void server.close())
  await until('the server', () => server.listening)
  const address = server.address()
  if (address === null || typeof address === 'string') return t.fail()
  const { connect } = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(`http://127.0.0.1:${address.port}`) },
  })
  const random = new Random(7)
  const client = await connect()
  client.socket.setNoDelay(true)
  for (let round = 0; round < 5; round++) {
    const body = large.subarray(0, 400_000 + random.below(400_000))
    const wire = chunked(body, 1 + random.below(150_000))
    client.write(request('/', { 'Transfer-Encoding': 'chunked' }, 'POST'))
    for (let at = 0; at < wire.length; ) {
      const size = 1 + random.below(random.below(2) === 0 ? 50 : 100_000)
      client.write(wire.subarray(at, at + size))
      at += size
      if (random.below(4) === 0) await nextTurn()
    }
    const reply = await client.read()
    t.true(reply.body.equals(body), String(round))
  }
})

testOnBothTwins('pipelined requests are answered in order', async (t, transfer) => {
  const upstream = await startUpstream(t, async (peer) => {
    for (;;) {
      const { target, body } = await peer.request()
      const size = Number(target.slice(1))
      peer.write(response(Buffer.concat([body, large.subarray(0, size)])))
    }
  })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  const sizes = [0, 10, 300_000, 1, 70_000]
  for (const size of sizes) {
    client.write(`${request(`/${size}`, { 'Content-Length': '4' }, 'POST')}body${request('/5')}`)
  }
  for (const size of sizes) {
    const expected = Buffer.concat([Buffer.from('body'), large.subarray(0, size)])
    t.true((await client.read()).body.equals(expected), String(size))
    t.true((await client.read()).body.equals(large.subarray(0, 5)))
  }
})

test('bodyBytes: a length over it is 413 at once, and names the setting', async (t) => {
  const upstream = await startUpstream(t, answering(response()))
  const { connect, log } = await startGateway(t, {
    routes: { '/*': proxy(upstream.url, { bodyBytes: 1000 }) },
  })
  const client = await connect()
  client.write(`${request('/', { 'Content-Length': '1000' }, 'POST')}${'x'.repeat(1000)}`)
  t.is((await client.read()).status, 200)
  client.write(request('/', { 'Content-Length': '1001' }, 'POST'))
  t.is((await client.read()).status, 413)
  t.is(upstream.peers.length, 1)
  await until('the line', () => log.some(({ message }) => message.includes('bodyBytes')))
  t.pass()
})

testOnBothTwins(
  'bodyBytes: chunks over it are 413, and the target is given up',
  async (t, transfer) => {
    const upstream = await startUpstream(t, async (peer) => void (await peer.request()))
    const { connect } = await startGateway(t, {
      transfer,
      routes: { '/*': proxy(upstream.url, { bodyBytes: 200_000 }) },
    })
    const client = await connect()
    client.write(request('/', { 'Transfer-Encoding': 'chunked' }, 'POST'))
    client.write(chunked(large.subarray(0, 1_000_000), 300_000))
    const reply = await client.read()
    t.is(reply.status, 413)
    await until('the target to be given up', () => upstream.peers[0]?.ended)
  },
)

test('many clients at once get their own bytes', async (t) => {
  const upstream = await startUpstream(t, async (peer) => {
    for (;;) {
      const { target } = await peer.request()
      const [, from, size] = target.split('/').map(Number) as [number, number, number]
      peer.write(response(large.subarray(from, from + size)))
    }
  })
  const { port } = await startGateway(t, { workers: 2, routes: { '/*': proxy(upstream.url) } })
  const random = new Random(3)
  const work = Array.from({ length: 30 }, async () => {
    const client = await RawClient.connect({ port })
    for (let n = 0; n < 10; n++) {
      const from = random.below(1_000_000)
      const size = random.below(random.below(2) === 0 ? 2_000 : 1_000_000)
      const { body } = await client.ask(request(`/${from}/${size}`))
      t.true(body.equals(large.subarray(from, from + size)))
    }
    client.socket.destroy()
  })
  await Promise.all(work)
})
