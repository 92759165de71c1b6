// What comes before the final answer, and final answers that come early: 100 and 103, Expect, an
// answer while the upload still runs, clients that shut their side.

import test from 'ava'
import { proxy } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { patternBytes } from '../support/site.ts'
import { answering, response, startUpstream } from '../support/upstream.ts'
import { until } from '../support/wait.ts'

const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nKeep-Alive: x\r\n\r\n'

testOnBothTwins('interim responses go on at once, ahead of the final one', async (t, transfer) => {
  const upstream = await startUpstream(t)
  const { connect } = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  for (let n = 0; n < 2; n++) {
    client.write(request('/'))
    const peer = await upstream.peer(0)
    await peer.request()
    for (let hint = 0; hint < 3; hint++) {
      peer.write(hints)
      const early = await client.read()
      t.is(early.status, 103)
      t.is(early.field('link'), '</a.css>; rel=preload')
      t.is(early.field('keep-alive'), undefined)
    }
    peer.write(response())
    t.is((await client.read()).body.toString(), 'ok')
  }
  t.is(upstream.peers.length, 1)
})

test('interim responses and the final one in one packet', async (t) => {
  const bytes = Buffer.concat([Buffer.from(hints.repeat(20)), response()])
  const upstream = await startUpstream(t, answering(bytes))
  const { connect } = await startGateway(t, { routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  client.write(request('/'))
  for (let n = 0; n < 20; n++) t.is((await client.read()).status, 103)
  t.is((await client.read()).body.toString(), 'ok')
})

test('fields that a route removes from answers are not in interim ones either', async (t) => {
  const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nX-Inside: 10.0.0.1\r\n\r\n'
  const final = response('ok', { 'X-Inside': '10.0.0.1' })
  const upstream = await startUpstream(t, answering(Buffer.concat([Buffer.from(early), final])))
  const options = { headers: { response: { remove: ['x-inside'], set: { 'X-Ours': '1' } } } }
  const { connect } = await startGateway(t, { routes: { '/*': proxy(upstream.url, options) } })
  const client = await connect()
  client.write(request('/'))
  const hint = await client.read()
  t.is(hint.field('link'), '</a.css>')
  t.is(hint.field('x-inside'), undefined)
  t.is(hint.field('x-ours'), undefined)
  const reply = await client.read()
  t.is(reply.field('x-inside'), undefined)
  t.is(reply.field('x-ours'), '1')
})

test('an HTTP/1.0 client gets the final response only', async (t) => {
  const bytes = Buffer.concat([Buffer.from(hints), response()])
  const upstream = await startUpstream(t, answering(bytes))
  const { connect } = await startGateway(t, { routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  client.write('GET / HTTP/1.0\r\n\r\n')
  t.is((await client.read()).status, 200)
})

test('a target that only ever sends interim responses is given up', async (t) => {
  const upstream = await startUpstream(t, async (peer) => {
    await peer.request()
    for (let n = 0; n < 100_000 && !peer.ended; n++) {
      if (!peer.socket.write(hints)) {
        await new Promise((resolve) => peer.socket.once('drain', resolve).once('close', resolve))
      }
    }
  })
  const { connect } = await startGateway(t, { routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  client.write(request('/'))
  let status = 0
  while (status < 200) ({ status } = await client.read())
  t.is(status, 502)
})

test('Expect: 100-continue is the target to answer', async (t) => {
  const upstream = await startUpstream(t, async (peer) => {
    for (;;) {
      const head = await peer.head()
      if (head.field('expect') !== '100-continue') throw new Error('no Expect')
      peer.write('HTTP/1.1 100 Continue\r\n\r\n')
      peer.write(response((await peer.body(head)).body))
    }
  })
  const { connect } = await startGateway(t, { routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  for (const framing of [{ 'Content-Length': '4' }, { 'Transfer-Encoding': 'chunked' }]) {
    client.write(request('/', { ...framing, Expect: '100-continue' } as never, 'POST'))
    t.is((await client.read()).status, 100)
    client.write('Content-Length' in framing ? 'body' : '4\r\nbody\r\n0\r\n\r\n')
    t.is((await client.read()).body.toString(), 'body')
  }
})

test('a final answer instead of 100 ends the connection: the body may come or not', async (t) => {
  const upstream = await startUpstream(t, async (peer) => {
    await peer.head()
    peer.write(response('no', {}, '417 Expectation Failed'))
  })
  const { connect } = await startGateway(t, { routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  const fields = { 'Content-Length': '4', Expect: '100-continue' }
  client.write(request('/', fields, 'POST'))
  const reply = await client.read()
  t.is(reply.status, 417)
  t.is(reply.field('connection'), 'close')
  client.write('body')
  t.is((await client.readToEnd()).length, 0)
  await until('the target to be let go', () => upstream.peers[0]?.ended)
})

test('a target that keeps silent about Expect is 504, not the client’s fault', async (t) => {
  const upstream = await startUpstream(t)
  const { connect } = await startGateway(t, {
    timeouts: { body: '100ms' },
    routes: { '/*': proxy(upstream.url, { timeout: { firstByte: '300ms' } }) },
  })
  const client = await connect()
  client.write(request('/', { 'Content-Length': '4', Expect: '100-continue' }, 'POST'))
  t.is((await client.read()).status, 504)
})

testOnBothTwins('an answer while the upload still runs arrives at once', async (t, transfer) => {
  const size = 3_000_000
  const upstream = await startUpstream(t, async (peer) => {
    const head = await peer.head()
    peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n')
    const { body } = await peer.body(head)
    const late = String(body.equals(patternBytes(size)))
    peer.write(`${late.length.toString(16)}\r\n${late}\r\n0\r\n\r\n`)
    peer.write(response(await peer.request().then(({ target }) => target)))
  })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  client.write(request('/', { 'Content-Length': String(size) }, 'POST'))
  t.true((await client.takeUntil('early\r\n')).includes('200 OK'))
  client.write(patternBytes(size))
  t.is((await client.takeUntil('0\r\n\r\n')).toString(), '4\r\ntrue\r\n0\r\n\r\n')
  t.is((await client.ask(request('/next'))).body.toString(), '/next')
  t.is(upstream.peers.length, 1)
})

testOnBothTwins('an early refusal reaches a client that is still sending', async (t, transfer) => {
  const upstream = await startUpstream(t, async (peer) => {
    await peer.head()
    peer.write(response('too much', { Connection: 'close' }, '413 Content Too Large'))
    peer.socket.end()
  })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
  for (const framing of ['Content-Length: 50000000', 'Transfer-Encoding: chunked']) {
    const client = await connect()
    client.write(`POST / HTTP/1.1\r\nHost: test\r\n${framing}\r\n\r\n`)
    if (framing.startsWith('Transfer')) client.write('2faf080\r\n')
    client.socket.write(Buffer.alloc(5_000_000))
    const reply = await client.read()
    t.is(reply.status, 413)
    t.is(reply.body.toString(), 'too much')
  }
})

testOnBothTwins('an early refusal by reset is told when it was sent first', async (t, transfer) => {
  const upstream = await startUpstream(t, async (peer) => {
    await peer.head()
    peer.write(response('no', {}, '403 Forbidden'))
    await peer.arrived(1)
    peer.socket.destroy()
  })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  client.write(request('/', { 'Content-Length': '50000000' }, 'POST'))
  const reply = client.read()
  client.socket.write(Buffer.alloc(5_000_000))
  t.is((await reply).status, 403)
})

test('a client that shuts its side is taken to have gone', async (t) => {
  const upstream = await startUpstream(t)
  const { connect } = await startGateway(t, { routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  client.write(request('/'))
  const peer = await upstream.peer(0)
  await peer.request()
  client.socket.end()
  await until('the target to be let go', () => peer.ended)
  t.is((await client.readToEnd()).length, 0)
})

testOnBothTwins('halfClose: it still gets its answer', async (t, transfer) => {
  const body = patternBytes(2_000_000)
  const upstream = await startUpstream(t)
  const { connect } = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(upstream.url, { halfClose: true }) },
  })
  const client = await connect()
  client.write(request('/'))
  client.socket.end()
  const peer = await upstream.peer(0)
  await peer.request()
  peer.write(response(body))
  t.true((await client.read()).body.equals(body))
  t.is((await client.readToEnd()).length, 0)
})
