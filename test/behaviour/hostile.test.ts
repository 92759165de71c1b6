// Clients that mean harm, or are merely in a hurry: many at once, half gone, too eager, too slow.
// The gateway answers whom it can, and when they have gone nothing of them is left.

import { request as httpRequest } from 'node:http'
import test from 'ava'
import { files, respond } from '../../src/index.ts'
import { RawClient, request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { until } from '../support/wait.ts'

const routes = { '/*': respond(200, 'ok') } as const

test('heads that trickle in hold up nobody else, and get 408', async (t) => {
  const { connect, gateway, get } = await startGateway(t, { timeouts: { head: '1s' }, routes })
  const slow = await Promise.all(Array.from({ length: 100 }, () => connect()))
  const text = request('/', { 'X-Long': 'x'.repeat(100) })
  let at = 0
  const trickle = setInterval(() => {
    for (const client of slow) client.write(text.charAt(at))
    at = Math.min(at + 1, text.length - 2)
  }, 20)
  t.teardown(() => clearInterval(trickle))
  for (let n = 0; n < 20; n++) t.is((await get('/')).status, 200)
  for (const client of slow) t.is((await client.read()).status, 408)
  clearInterval(trickle)
  await until('them to be gone', () => gateway.stats().total.connections === 0)
  t.is(gateway.stats().total.errors['head-timeout'], 100)
})

testOnBothTwins('a client that reads slowly gets every byte', async (t, transfer) => {
  const content = patternBytes(9_000_000)
  const site = makeSite(t, { big: content })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const client = await connect()
  client.write(request('/big', { Connection: 'close' }))
  // Takes what is there, then nothing for a turn, until the end.
  const turns = setInterval(() => {
    if (client.socket.isPaused()) client.socket.resume()
    else client.socket.pause()
  }, 2)
  t.teardown(() => clearInterval(turns))
  t.true((await client.read()).body.equals(content))
})

test('a client may end its side after the request', async (t) => {
  const big = patternBytes(6_000_000)
  const site = makeSite(t, { big, small: 'small' })
  const { port, gateway } = await startGateway(t, {
    routes: { '/*': files(site.root), '/fixed': respond(200, 'fixed') },
  })
  const wanted = [
    ['/fixed', Buffer.from('fixed')],
    ['/small', Buffer.from('small')],
    ['/big', big],
  ] as const
  for (const [target, body] of wanted) {
    const client = await RawClient.connect({ port, allowHalfOpen: true })
    t.teardown(() => client.socket.destroy())
    client.socket.end(request(target) + request('/fixed'))
    t.true((await client.read()).body.equals(body), target)
    t.is((await client.read()).body.toString(), 'fixed')
    t.is((await client.readToEnd()).length, 0)
    t.is(client.error, undefined)
    client.socket.destroy()
  }
  await until('them to be gone', () => gateway.stats().total.connections === 0)
  t.is(gateway.stats().total.errors['client-gone'], undefined)
})

test('pipelined requests in one packet are all answered', async (t) => {
  const { connect } = await startGateway(t, {
    routes: { '/:n': respond(200, 'n'), '/long': respond(200, 'x'.repeat(4_000)) },
  })
  for (const count of [1, 63, 64, 65, 128, 500]) {
    const client = await connect()
    client.write(request('/n').repeat(count))
    for (let n = 0; n < count; n++) t.is((await client.read()).body.toString(), 'n')
    client.write(request('/long').repeat(count))
    for (let n = 0; n < count; n++) t.is((await client.read()).body.length, 4_000)
    client.socket.destroy()
  }
})

test('bodies between pipelined requests are skipped', async (t) => {
  const site = makeSite(t, { page: 'page' })
  const { connect, gateway } = await startGateway(t, {
    routes: { '/*': respond(200, 'ok'), '/files/*': files(site.root) },
  })
  const bodies: [Record<string, string>, string][] = [
    [{ 'Content-Length': '0' }, ''],
    [{ 'Content-Length': '5' }, 'GET /'],
    [{ 'Content-Length': '60000' }, request('/hidden').padEnd(60_000)],
    [{ 'Transfer-Encoding': 'chunked' }, '0\r\n\r\n'],
    [
      { 'Transfer-Encoding': 'chunked' },
      '5\r\nGET /\r\n10;a=b\r\n0123456789abcdef\r\n0\r\nX: y\r\n\r\n',
    ],
  ]
  const text = bodies
    .map(
      ([fields, body]) =>
        request('/', fields, 'POST') + body + request('/files/page', fields) + body,
    )
    .join('')
  for (const split of [text.length, 50_000, 40, 7]) {
    const client = await connect()
    for (let at = 0; at < text.length; at += split) client.write(text.slice(at, at + split))
    for (const _ of bodies) {
      t.is((await client.read()).body.toString(), 'ok')
      t.is((await client.read()).body.toString(), 'page')
    }
    client.socket.destroy()
  }
  t.is(gateway.stats().total.requests, 4 * 2 * bodies.length)
})

test('a client that waits for 100 (Continue) is answered on a route of files', async (t) => {
  const site = makeSite(t, { page: 'page' })
  const { connect } = await startGateway(t, { routes: { '/*': files(site.root) } })
  for (const method of ['GET', 'POST']) {
    const client = await connect()
    client.write(request('/page', { 'Content-Length': '9', Expect: '100-continue' }, method))
    const reply = await client.read()
    t.is(reply.status, method === 'GET' ? 200 : 405)
    t.is(reply.field('connection'), 'close')
    client.write('too late!')
    t.is((await client.readToEnd()).length, 0)
    t.is(client.error, undefined)
  }
})

test('the answer to an upload that nobody takes can be read', async (t) => {
  const site = makeSite(t, { page: 'page' })
  const { port } = await startGateway(t, { routes: { '/*': files(site.root) } })
  for (const megabytes of [1, 9, 30, 200]) {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const upload = httpRequest({ port, path: '/page', method: 'POST' }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      upload.setHeader('Content-Length', megabytes * 1_000_000)
      upload.on('error', reject)
      upload.end(Buffer.alloc(megabytes * 1_000_000))
    })
    t.is(status, megabytes > 10 ? 413 : 405)
  }
})

test('clients that reset in every state leave nothing', async (t) => {
  const site = makeSite(t, { big: patternBytes(5_000_000), small: 'small' })
  const { connect, gateway } = await startGateway(t, {
    workers: 2,
    routes: { '/*': files(site.root), '/fixed': respond(200, 'fixed') },
  })
  const beginnings = [
    '',
    'GET /',
    request('/small'),
    request('/missing'),
    request('/big'),
    request('/fixed').repeat(300),
    request('/fixed', { 'Content-Length': '500' }, 'POST'),
    request('/fixed', { 'Transfer-Encoding': 'chunked' }, 'POST').concat('5\r\nab'),
    request('/fixed', { 'Content-Length': '5000000' }, 'POST'),
    'BAD\r\n\r\n',
  ]
  for (const waits of [false, true]) {
    for (const text of beginnings) {
      const client = await connect()
      client.write(text)
      if (waits && text.length > 5) await client.arrived(1)
      client.socket.resetAndDestroy()
    }
  }
  await until('them to be gone', () => gateway.stats().total.connections === 0)
  await until('no question to be open', () => gateway.stats().total.parked === 0)
  t.is(gateway.stats().total.accepted, 2 * beginnings.length)
})

test('connectionsPerAddress is exact over four workers', async (t) => {
  const limit = 10
  const { connect, gateway } = await startGateway(t, {
    workers: 4,
    limits: { connectionsPerAddress: limit },
    routes,
  })
  const served = async (client: RawClient) => {
    client.write(request('/'))
    const reply = await client.read().catch(() => undefined)
    return reply?.status === 200
  }
  let clients = await Promise.all(Array.from({ length: 60 }, () => connect()))
  for (let round = 1; round <= 3; round++) {
    const answers = await Promise.all(clients.map(served))
    t.is(answers.filter(Boolean).length, limit)
    for (const { socket } of clients) socket.destroy()
    await until('them to be gone', () => gateway.stats().total.connections === 0)
    t.is(gateway.stats().total.refused, 50 * round)
    clients = await Promise.all(Array.from({ length: 60 }, () => connect()))
  }
})
