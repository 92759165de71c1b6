// Which route takes a request: the most specific key, by host, path and method; 404 and 405.
// The table itself is tested in test/native/route; here it is what a client sees.

import test from 'ava'
import { respond } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'

const keys = [
  '/*',
  '/a',
  '/a/*',
  '/a/:x',
  '/a/b',
  '/a/:x/c',
  '/a/b/*',
  'POST /a/b',
  'GET /only/get',
  'PUT /only/:name',
  'DELETE /only/:name',
  'one.example/*',
  '*.example/*',
  '*.deep.example/*',
  'one.example/a',
] as const

const expected: [string, string, string, string][] = [
  ['GET', 'test', '/', '/*'],
  ['GET', 'test', '/a', '/a'],
  ['GET', 'test', '/a/', '/a/*'],
  ['GET', 'test', '/ab', '/*'],
  ['GET', 'test', '/a/z', '/a/:x'],
  ['GET', 'test', '/a/b', '/a/b'],
  ['POST', 'test', '/a/b', 'POST /a/b'],
  ['GET', 'test', '/a/%62', '/a/b'],
  ['GET', 'test', '/a/b?x', '/a/b'],
  ['GET', 'test', '/a/b/', '/a/b/*'],
  ['GET', 'test', '/a/z/c', '/a/:x/c'],
  ['GET', 'test', '/a/b/c', '/a/b/*'],
  ['GET', 'test', '/a/z/d', '/a/*'],
  ['GET', 'test', '/only/get', 'GET /only/get'],
  ['PUT', 'test', '/only/get', 'PUT /only/:name'],
  ['GET', 'one.example', '/a', 'one.example/a'],
  ['GET', 'ONE.example:8080', '/x', 'one.example/*'],
  ['GET', 'two.example', '/a', '*.example/*'],
  ['GET', 'x.deep.example', '/a', '*.deep.example/*'],
  ['GET', 'y.x.deep.example', '/a', '*.deep.example/*'],
  ['GET', 'example', '/a', '/a'],
  ['GET', '127.0.0.1', '/a', '/a'],
  ['GET', '[::1]:80', '/a', '/a'],
]

test('the most specific key wins, whatever the order', async (t) => {
  const entries = keys.map((key) => [key, respond(200, key)] as const)
  for (const order of [entries, entries.toReversed()]) {
    const { connect } = await startGateway(t, { routes: Object.fromEntries(order) })
    const client = await connect()
    for (const [method, host, target, key] of expected) {
      const reply = await client.ask(request(target, { Host: host, 'Content-Length': '0' }, method))
      t.is(reply.body.toString(), key, `${method} ${host} ${target}`)
    }
  }
})

test('nothing routed is 404, another method 405 with what is allowed', async (t) => {
  const { connect, gateway } = await startGateway(t, {
    routes: { 'GET /a': respond(200, 'a'), 'POST /a': respond(200, 'b'), 'PUT /b': respond(200) },
  })
  const client = await connect()
  const missing = await client.ask(request('/c'))
  t.is(missing.status, 404)
  const refused = await client.ask(request('/a', { 'Content-Length': '0' }, 'DELETE'))
  t.is(refused.status, 405)
  t.deepEqual(refused.field('allow')?.split(', ').toSorted(), ['GET', 'HEAD', 'POST'])
  t.is((await client.ask(request('/b'))).field('allow'), 'PUT')
  t.is((await client.ask(request('/a', {}, 'HEAD'))).status, 200)
  const { errors } = gateway.stats().total
  t.is(errors['no-route'], 1)
  t.is(errors['method-not-allowed'], 2)
})

test('targets in absolute form and for OPTIONS', async (t) => {
  const { connect } = await startGateway(t, {
    routes: { 'one.example/a': respond(200, 'one'), 'OPTIONS /a': respond(204) },
  })
  const client = await connect()
  const absolute = await client.ask(request('http://one.example/a?b', { Host: 'one.example' }))
  t.is(absolute.body.toString(), 'one')
  t.is((await client.ask(request('/a', {}, 'OPTIONS'))).status, 204)
})

test('OPTIONS * is answered for the server as a whole, whatever the routes', async (t) => {
  const { connect } = await startGateway(t, { routes: { '/*': respond(200, 'ok') } })
  const client = await connect()
  for (const target of ['*', 'http://test']) {
    const reply = await client.ask(request(target, {}, 'OPTIONS'))
    t.is(reply.status, 204)
    t.is(reply.field('allow'), 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS')
  }
  t.is((await client.ask(request('/'))).status, 200)
})

test('CONNECT is refused, and what follows it is not taken for requests', async (t) => {
  const { connect, gateway } = await startGateway(t, { routes: { '/*': respond(200, 'ok') } })
  const client = await connect()
  client.write(request('example.com:443', { Host: 'example.com:443' }, 'CONNECT'))
  client.write(request('/'))
  const reply = await client.read()
  t.is(reply.status, 501)
  t.is(reply.field('connection'), 'close')
  t.is((await client.readToEnd()).length, 0)
  t.is(gateway.stats().total.requests, 1)
  t.is(gateway.stats().total.errors['no-tunnels'], 1)
})
