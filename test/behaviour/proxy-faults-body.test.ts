// Targets that fail or are wrong in the middle of a body: the client can tell that it was cut, by
// whatever framing it has, and the connection to the target ends.

import { proxy } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { patternBytes } from '../support/site.ts'
import { chunked, response, startUpstream } from '../support/upstream.ts'
import { until } from '../support/wait.ts'

testOnBothTwins('a target that resets while a client uploads is 502', async (t, transfer) => {
  const upstream = await startUpstream(t, async (peer) => {
    await peer.head()
    await peer.arrived(100_000)
    peer.reset()
  })
  const { connect, gateway } = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(upstream.url) },
  })
  const client = await connect()
  client.write(request('/', { 'Content-Length': '50000000' }, 'POST'))
  client.socket.write(Buffer.alloc(5_000_000))
  t.is((await client.read()).status, 502)
  t.is(gateway.stats().upstreams[0]?.targets[0]?.active, 0)
})

const body = patternBytes(1_000_000)
const cuts: Record<string, { head: string; part: Uint8Array; framing: string }> = {
  'a length': {
    head: `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`,
    part: body.subarray(0, 600_000),
    framing: 'length',
  },
  'one chunk': {
    head: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    part: chunked(body).subarray(0, 600_000),
    framing: 'chunked',
  },
  'chunks, between two': {
    head: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    part: chunked(body.subarray(0, 500_000), 100_000).subarray(0, -5),
    framing: 'chunked',
  },
}

for (const [what, { head, part, framing }] of Object.entries(cuts)) {
  for (const how of ['end', 'reset'] as const) {
    testOnBothTwins(`a body cut in ${what} (${how}) is seen to be cut`, async (t, transfer) => {
      const upstream = await startUpstream(t, async (peer) => {
        await peer.request()
        peer.write(head)
        peer.socket.write(part, () => (how === 'end' ? peer.socket.end() : peer.reset()))
      })
      const { connect, gateway } = await startGateway(t, {
        transfer,
        routes: { '/*': proxy(upstream.url) },
      })
      const client = await connect()
      client.write(request('/'))
      const { field } = await client.readHead()
      t.is(field('transfer-encoding') === undefined ? 'length' : 'chunked', framing)
      const rest = await client.readToEnd()
      t.true(rest.length < body.length)
      if (framing === 'chunked') t.false(rest.toString('latin1').endsWith('0\r\n\r\n'))
      await until('it to be counted', () => gateway.stats().total.errors['upstream-cut-body'] === 1)
      t.is(gateway.stats().upstreams[0]?.targets[0]?.active, 0)
    })

    testOnBothTwins(`to HTTP/1.0, ${what} cut (${how}) ends by reset`, async (t, transfer) => {
      const upstream = await startUpstream(t, async (peer) => {
        await peer.request()
        peer.write(head)
        peer.socket.write(part, () => (how === 'end' ? peer.socket.end() : peer.reset()))
      })
      const { connect } = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
      const client = await connect()
      client.write('GET / HTTP/1.0\r\n\r\n')
      await client.closed()
      if (framing === 'length') t.is(client.error, undefined)
      else t.is((client.error as NodeJS.ErrnoException | undefined)?.code, 'ECONNRESET')
    })
  }
}

testOnBothTwins('a close-delimited body that is reset is seen to be cut', async (t, transfer) => {
  const upstream = await startUpstream(t, async (peer) => {
    await peer.request()
    peer.write('HTTP/1.1 200 OK\r\n\r\n')
    await new Promise((resolve) => peer.socket.write(body, resolve))
    peer.reset()
  })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  client.write(request('/'))
  await client.readHead()
  t.false((await client.readToEnd()).toString('latin1').endsWith('0\r\n\r\n'))
  const old = await connect()
  old.write('GET / HTTP/1.0\r\n\r\n')
  await old.closed()
  t.is((old.error as NodeJS.ErrnoException | undefined)?.code, 'ECONNRESET')
})

for (const [what, bytes] of [
  ['a size that is none', 'xyz\r\n'],
  ['no size', '\r\n'],
  ['a negative size', '-1\r\n'],
  ['a size beyond 64 bits', '10000000000000000\r\n'],
  ['a bare LF', '2\nok\n0\n\n'],
  ['a chunk that is too long', '2\r\nokay\r\n0\r\n\r\n'],
  ['an endless extension', `2;${'x'.repeat(100_000)}`],
] as const) {
  testOnBothTwins(`bad chunks cut the answer: ${what}`, async (t, transfer) => {
    const upstream = await startUpstream(t, async (peer, index) => {
      await peer.request()
      const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n'
      peer.write(index === 0 ? head + bytes : response())
    })
    const { connect, gateway, get } = await startGateway(t, {
      transfer,
      routes: { '/*': proxy(upstream.url) },
    })
    const client = await connect()
    client.write(request('/'))
    const rest = (await client.readToEnd()).toString('latin1')
    t.false(rest.endsWith('0\r\n\r\n'), rest)
    t.is(gateway.stats().total.errors['upstream-bad-body'], 1)
    t.is((await get('/')).body.toString(), 'ok')
    t.is(upstream.peers.length, 2)
  })
}

testOnBothTwins('a body that stops coming ends after timeout.between', async (t, transfer) => {
  const upstream = await startUpstream(t, async (peer) => {
    await peer.request()
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nstart')
  })
  const { connect, gateway } = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(upstream.url, { timeout: { between: '200ms' } }) },
  })
  const client = await connect()
  client.write(request('/'))
  await client.readHead()
  t.is((await client.readToEnd()).toString(), 'start')
  t.is(gateway.stats().total.errors['between-timeout'], 1)
  await until('the target to be let go', () => upstream.peers[0]?.ended)
})
