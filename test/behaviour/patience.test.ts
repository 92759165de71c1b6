// Slow and overly eager clients: heads that do not end, answers that nobody takes, idle
// connections, and answers given before the request body has been sent. Bounds are as low as they
// go.

import test from 'ava'
import { files, respond } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { until } from '../support/wait.ts'

const routes = { '/*': respond(200, 'ok') } as const

test('a head that does not end is 408, also when bytes keep trickling', async (t) => {
  const { connect, gateway } = await startGateway(t, { timeouts: { head: '1s' }, routes })
  const client = await connect()
  client.write('GET / HTTP/1.1\r\nHost: a\r\n')
  const trickle = setInterval(() => client.write('A: b\r\n'), 100)
  t.teardown(() => clearInterval(trickle))
  const reply = await client.read()
  clearInterval(trickle)
  t.is(reply.status, 408)
  t.is(reply.field('connection'), 'close')
  await client.readToEnd()
  t.is(gateway.stats().total.errors['head-timeout'], 1)
})

test('a connection without a request is closed without a word', async (t) => {
  const { connect, gateway } = await startGateway(t, {
    timeouts: { head: '1s', idle: '1s' },
    routes,
  })
  const fresh = await connect()
  const used = await connect()
  await used.ask(request('/'))
  t.is((await fresh.readToEnd()).length, 0)
  t.is((await used.readToEnd()).length, 0)
  await until('both to be counted', () => gateway.stats().total.connections === 0)
})

testOnBothTwins('a client that takes nothing is closed', async (t, transfer) => {
  const size = 30_000_000
  const site = makeSite(t, { big: patternBytes(size) })
  const { connect, gateway } = await startGateway(t, {
    transfer,
    timeouts: { write: '1s' },
    routes: { '/*': files(site.root) },
  })
  const client = await connect()
  client.write(request('/big'))
  await client.arrived(1)
  client.socket.pause()
  await until('the timeout', () => gateway.stats().total.errors['write-timeout'] === 1)
  client.socket.resume()
  t.true((await client.readToEnd()).length < size)
  await until('the connection to be gone', () => gateway.stats().total.connections === 0)
})

test('an answer before the body is readable while the client still sends', async (t) => {
  const { connect } = await startGateway(t, { limits: { bodyBytes: '1kb' }, routes })
  for (const sent of [0, 1000, 100_000]) {
    const client = await connect()
    client.write(request('/', { 'Content-Length': '5000000' }, 'POST'))
    client.write(Buffer.alloc(sent, 'x'))
    const reply = await client.read()
    t.is(reply.status, 413)
    client.socket.end()
    t.is((await client.readToEnd()).length, 0)
    t.is(client.error, undefined)
  }
})

test('a malformed head with more behind it is answered readably', async (t) => {
  const { connect } = await startGateway(t, { routes })
  const client = await connect()
  client.write('BAD\r\n\r\n')
  client.write(Buffer.alloc(100_000, 'x'))
  t.is((await client.read()).status, 400)
  client.socket.end()
  await client.readToEnd()
  t.is(client.error, undefined)
})

test('a chunked body over the limit is refused', async (t) => {
  const { connect } = await startGateway(t, { limits: { bodyBytes: '1kb' }, routes })
  const client = await connect()
  client.write(request('/', { 'Transfer-Encoding': 'chunked' }, 'POST'))
  client.write(`1000\r\n${'x'.repeat(4096)}\r\n0\r\n\r\n${request('/')}`)
  const reply = await client.read()
  t.true([200, 413].includes(reply.status))
  t.is((await client.readToEnd()).length, 0, 'nothing after it is answered')
})
