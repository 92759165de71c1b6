// The life of a connection: keep-alive, pipelining, HTTP/1.0, split and joined input, limits.
// Every response is read exactly, so that a byte too many or too few shows in the next one.

import test from 'ava'
import { files, respond } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { until } from '../support/wait.ts'

const routes = { '/*': respond(200, 'ok'), '/other': respond(200, 'other') } as const

test('a connection serves many requests', async (t) => {
  const { connect, gateway } = await startGateway(t, { routes })
  const client = await connect()
  for (let n = 0; n < 100; n++) {
    const reply = await client.ask(request('/'))
    t.is(reply.body.toString(), 'ok')
    t.is(reply.field('connection'), undefined)
  }
  t.is(gateway.stats().total.accepted, 1)
})

test('Connection: close is answered and obeyed', async (t) => {
  const { connect } = await startGateway(t, { routes })
  const client = await connect()
  const reply = await client.ask(request('/', { Connection: 'close' }))
  t.is(reply.field('connection'), 'close')
  t.is((await client.readToEnd()).length, 0)
})

test('HTTP/1.0 closes unless asked to keep alive', async (t) => {
  const { connect } = await startGateway(t, { routes })
  const once = await connect()
  once.write('GET / HTTP/1.0\r\n\r\n')
  t.is((await once.read()).body.toString(), 'ok')
  t.is((await once.readToEnd()).length, 0)
  const kept = await connect()
  for (let n = 0; n < 2; n++) {
    kept.write('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
    const reply = await kept.read()
    t.is(reply.field('connection')?.toLowerCase(), 'keep-alive')
    t.is(reply.body.toString(), 'ok')
  }
})

testOnBothTwins('pipelined requests are answered in order', async (t, transfer) => {
  const big = patternBytes(60_000)
  const site = makeSite(t, { big, small: 'small' })
  const { connect } = await startGateway(t, {
    transfer,
    routes: { '/*': respond(200, 'ok'), '/files/*': files(site.root) },
  })
  const client = await connect()
  const targets = ['/', '/files/big', '/files/small', '/files/missing', '/files/big', '/']
  const rounds = 30
  client.write(
    targets
      .map((target) => request(target))
      .join('')
      .repeat(rounds),
  )
  for (let round = 0; round < rounds; round++) {
    t.is((await client.read()).body.toString(), 'ok')
    t.true((await client.read()).body.equals(big))
    t.is((await client.read()).body.toString(), 'small')
    t.is((await client.read()).status, 404)
    t.true((await client.read()).body.equals(big))
    t.is((await client.read()).body.toString(), 'ok')
  }
})

test('a head may arrive byte by byte', async (t) => {
  const { connect } = await startGateway(t, { routes })
  const client = await connect()
  client.socket.setNoDelay(true)
  const text = request('/other', { 'X-Long': 'x'.repeat(50) })
  for (const byte of text) {
    client.write(byte)
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.is((await client.read()).body.toString(), 'other')
})

test('heads may be joined and cut anywhere', async (t) => {
  const { connect } = await startGateway(t, { routes })
  const text = request('/') + request('/other') + request('/', {}, 'HEAD') + request('/other')
  const client = await connect()
  client.socket.setNoDelay(true)
  for (let at = 1; at < text.length; at += 7) {
    client.write(text.slice(0, at))
    await new Promise((resolve) => setImmediate(resolve))
    client.write(text.slice(at))
    t.is((await client.read()).body.toString(), 'ok')
    t.is((await client.read()).body.toString(), 'other')
    t.is((await client.read({ head: true })).field('content-length'), '2')
    t.is((await client.read()).body.toString(), 'other')
  }
})

test('one empty line before a request is skipped', async (t) => {
  const { connect } = await startGateway(t, { routes })
  const client = await connect()
  client.write(`\r\n${request('/')}\r\n${request('/other')}`)
  t.is((await client.read()).body.toString(), 'ok')
  t.is((await client.read()).body.toString(), 'other')
})

test('Expect: 100-continue is answered before the body', async (t) => {
  const { connect } = await startGateway(t, { routes })
  const client = await connect()
  client.write(request('/', { 'Content-Length': '3', Expect: '100-continue' }, 'POST'))
  const first = await client.read()
  if (first.status === 100) {
    client.write('abc')
    t.is((await client.read()).body.toString(), 'ok')
  } else {
    // A final answer at once is as good: the body is not needed.
    t.is(first.body.toString(), 'ok')
  }
})

test('keepAliveRequests closes after so many', async (t) => {
  const { connect } = await startGateway(t, { limits: { keepAliveRequests: 3 }, routes })
  const client = await connect()
  client.write(request('/').repeat(5))
  const connections = []
  for (let n = 0; n < 3; n++) connections.push((await client.read()).field('connection'))
  t.deepEqual(connections, [undefined, undefined, 'close'])
  t.is((await client.readToEnd()).length, 0)
})

test('connectionsPerAddress bounds what one client opens', async (t) => {
  const { connect, gateway } = await startGateway(t, {
    workers: 2,
    limits: { connectionsPerAddress: 3 },
    routes,
  })
  const clients = []
  for (let n = 0; n < 3; n++) {
    const client = await connect()
    await client.ask(request('/'))
    clients.push(client)
  }
  const refused = await connect()
  refused.write(request('/'))
  await refused.readToEnd()
  t.is(gateway.stats().total.refused, 1)
  clients[0]?.socket.destroy()
  await until('room for another', async () => {
    const client = await connect()
    client.write(request('/'))
    const reply = await client.read().catch(() => undefined)
    client.socket.destroy()
    return reply?.status === 200
  })
})

test('a client that leaves in the middle of a request harms nobody', async (t) => {
  const { connect, gateway, get } = await startGateway(t, { routes })
  for (const start of ['', 'G', 'GET / HTTP/1.1\r\nHost: a', request('/')]) {
    const client = await connect()
    client.write(start)
    await new Promise<void>((resolve) => client.socket.end(() => resolve()))
    client.socket.destroy()
  }
  t.is((await get('/')).status, 200)
  await until('the connections to be gone', () => gateway.stats().total.connections === 0)
})

testOnBothTwins(
  'a client that resets in the middle of an answer harms nobody',
  async (t, transfer) => {
    const site = makeSite(t, { big: patternBytes(12_000_000), small: 'small' })
    const { connect, gateway, get } = await startGateway(t, {
      transfer,
      routes: { '/*': files(site.root) },
    })
    for (let n = 0; n < 5; n++) {
      const client = await connect()
      client.write(request('/big').repeat(2))
      await client.arrived(1)
      client.socket.resetAndDestroy()
    }
    t.is((await get('/small')).body.toString(), 'small')
    await until('the connections to be gone', () => gateway.stats().total.connections === 0)
  },
)
