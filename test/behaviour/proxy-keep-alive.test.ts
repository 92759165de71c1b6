// Connections to targets between requests: kept, bounded, checked before they are used again, and
// the one request more when a target had just closed.

import test, { type ExecutionContext } from 'ava'
import { proxy } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { type RunningGateway, startGateway, testOnBothTwins } from '../support/gateway.ts'
import { patternBytes } from '../support/site.ts'
import { answering, response, startUpstream, type Upstream } from '../support/upstream.ts'
import { until } from '../support/wait.ts'

const ok = answering(response())

function target({ gateway }: RunningGateway) {
  const [first] = gateway.stats().upstreams[0]?.targets ?? []
  if (first === undefined) throw new Error('no target')
  return first
}

async function start(t: ExecutionContext, upstream: Upstream, options = {}) {
  return startGateway(t, { routes: { '/*': proxy(upstream.url, options) } })
}

test('one connection carries the requests of many clients, one after the other', async (t) => {
  const upstream = await startUpstream(t, ok)
  const running = await start(t, upstream)
  for (let n = 0; n < 20; n++) t.is((await running.get('/')).body.toString(), 'ok')
  t.is(upstream.peers.length, 1)
  t.like(target(running), { requests: 20, connects: 1, connections: 1, active: 0, failures: 0 })
})

testOnBothTwins('a connection is kept after a large body', async (t, transfer) => {
  const body = patternBytes(1_000_000)
  const upstream = await startUpstream(t, answering(response(body)))
  const running = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
  for (let n = 0; n < 5; n++) t.true((await running.get('/')).body.equals(body))
  t.is(upstream.peers.length, 1)
  t.deepEqual(Object.keys(running.engineBytes()).includes('splice'), transfer === 'auto')
})

test('requests at once have connections of their own, of which so many are kept', async (t) => {
  const upstream = await startUpstream(t, async (peer) => {
    for (;;) {
      await peer.request()
      await until('five requests', () => upstream.peers.length >= 5)
      peer.write(response())
    }
  })
  const running = await start(t, upstream, { keepAlive: { connections: 2 } })
  const replies = await Promise.all(Array.from({ length: 5 }, () => running.get('/')))
  t.deepEqual(
    replies.map(({ status }) => status),
    [200, 200, 200, 200, 200],
  )
  await until('three connections to be closed', () => upstream.open() === 2)
  t.is(target(running).connections, 2)
})

test('no connection is kept when none may be', async (t) => {
  const upstream = await startUpstream(t, ok)
  const running = await start(t, upstream, { keepAlive: { connections: 0 } })
  for (let n = 0; n < 3; n++) t.is((await running.get('/')).status, 200)
  t.is(upstream.peers.length, 3)
  await until('all to be closed', () => upstream.open() === 0)
})

test('an idle connection ends after keepAlive.idle', async (t) => {
  const upstream = await startUpstream(t, ok)
  const running = await start(t, upstream, { keepAlive: { idle: 100 } })
  t.is((await running.get('/')).status, 200)
  await until('the connection to be closed', () => upstream.open() === 0)
  t.is(target(running).connections, 0)
  t.is((await running.get('/')).status, 200)
  t.is(upstream.peers.length, 2)
})

test("a target's own limit counts when it is shorter", async (t) => {
  const fields = { 'Keep-Alive': 'timeout=1, max=100' }
  const upstream = await startUpstream(t, answering(response('ok', fields)))
  const running = await start(t, upstream, { keepAlive: { idle: '1h' } })
  const reply = await running.get('/')
  t.is(reply.field('keep-alive'), undefined)
  await until('the connection to be closed', () => upstream.open() === 0)
})

for (const [what, fields, status] of [
  ['Connection: close', { Connection: 'close' }, '200 OK'],
  ['Keep-Alive: timeout=0', { 'Keep-Alive': 'timeout=0' }, '200 OK'],
  ['a 204 that tells of a body', { 'Content-Length': '5' }, '204 No Content'],
] as const) {
  test(`a connection is not used again after ${what}`, async (t) => {
    const body = status === '200 OK' ? 'ok' : ''
    const upstream = await startUpstream(t, answering(response(body, fields, status)))
    const running = await start(t, upstream)
    for (let n = 0; n < 3; n++) t.is((await running.get('/')).status, Number.parseInt(status, 10))
    t.is(upstream.peers.length, 3)
  })
}

test('an HTTP/1.0 target keeps its connection only when it says so', async (t) => {
  const upstream = await startUpstream(t, async (peer, index) => {
    for (;;) {
      await peer.request()
      const kept = index === 0 ? '' : 'Connection: keep-alive\r\n'
      peer.write(`HTTP/1.0 200 OK\r\n${kept}Content-Length: 2\r\n\r\nok`)
    }
  })
  const running = await start(t, upstream)
  for (let n = 0; n < 4; n++) t.is((await running.get('/')).body.toString(), 'ok')
  t.is(upstream.peers.length, 2)
})

test('bytes on an idle connection end it: they answer nobody', async (t) => {
  const upstream = await startUpstream(t, ok)
  const running = await start(t, upstream)
  t.is((await running.get('/')).status, 200)
  upstream.peers[0]?.write(response('poison'))
  await until('the connection to be closed', () => target(running).connections === 0)
  t.is((await running.get('/')).body.toString(), 'ok')
  t.is(upstream.peers.length, 2)
})

for (const [how, close] of [
  ['closes', (upstream: Upstream) => upstream.peers[0]?.socket.end()],
  ['resets', (upstream: Upstream) => upstream.peers[0]?.reset()],
] as const) {
  test(`a target that ${how} an idle connection is not noticed by anybody`, async (t) => {
    const upstream = await startUpstream(t, ok)
    const running = await start(t, upstream)
    t.is((await running.get('/')).status, 200)
    close(upstream)
    await until('the connection to be gone', () => target(running).connections === 0)
    t.is((await running.get('/')).status, 200)
    t.like(target(running), { connects: 2, failures: 0, retries: 0 })
  })
}

/** Takes a second request on the first connection and ends it without a word. */
async function dying(t: ExecutionContext, end: 'end' | 'reset'): Promise<Upstream> {
  return startUpstream(t, async (peer, index) => {
    await peer.request()
    peer.write(response())
    await peer.request()
    if (index > 0) peer.write(response('again'))
    else if (end === 'end') peer.socket.end()
    else peer.reset()
  })
}

for (const end of ['end', 'reset'] as const) {
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']) {
    test(`${method} on a connection that was just closed (${end}) is sent once more`, async (t) => {
      const upstream = await dying(t, end)
      const running = await start(t, upstream)
      t.is((await running.get('/')).status, 200)
      const client = await running.connect()
      const body = method === 'PUT' ? 'body' : ''
      const fields = body === '' ? {} : { 'Content-Length': '4' }
      const reply = await client.ask(request('/', fields, method) + body)
      t.is(reply.status, 200)
      t.is(upstream.peers.length, 2)
      t.like(target(running), { connects: 2, failures: 0, retries: 0 })
    })
  }
}

test('POST on a connection that was just closed is not sent twice', async (t) => {
  const upstream = await dying(t, 'end')
  const running = await start(t, upstream)
  t.is((await running.get('/')).status, 200)
  const client = await running.connect()
  const reply = await client.ask(`${request('/', { 'Content-Length': '4' }, 'POST')}body`)
  t.is(reply.status, 502)
  t.is(upstream.peers.length, 1)
})

test('a target that closes every fresh connection too is asked twice, not for ever', async (t) => {
  const upstream = await startUpstream(t, async (peer, index) => {
    await peer.request()
    if (index === 0) {
      peer.write(response())
      await peer.request()
    }
    peer.socket.end()
  })
  const running = await start(t, upstream)
  t.is((await running.get('/')).status, 200)
  t.is((await running.get('/')).status, 502)
  t.is(upstream.peers.length, 2)
  t.is(running.gateway.stats().total.statuses['502'], 1)
})

testOnBothTwins('targets on unix sockets', async (t, transfer) => {
  const body = patternBytes(700_000)
  const upstream = await startUpstream(t, answering(response(body)), { unix: true })
  const running = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
  for (let n = 0; n < 3; n++) t.true((await running.get('/')).body.equals(body))
  t.is(upstream.peers.length, 1)
})
