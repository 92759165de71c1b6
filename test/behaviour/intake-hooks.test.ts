// Hooks around what is taken in: asked before the first byte of a file or a message, told of the
// answer, and their fields on answers and streams. Uploads while the configuration is replaced.

import { readFileSync } from 'node:fs'
import test from 'ava'
import { channel, cors, files, hook, respond } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { eventOf, nextChunk, openStream } from '../support/stream.ts'
import { digestOf, everythingIn, put, putChunked, uploadHead } from '../support/upload.ts'
import { until } from '../support/wait.ts'

const large = patternBytes(1_500_000)

testOnBothTwins('what a hook refuses is not taken in', async (t, transfer) => {
  const site = makeSite(t)
  const hooks = hook((head) => {
    if (head.header('authorization') === 'mine') return { response: { set: { 'X-Who': 'me' } } }
    return new Response('no', { status: 403 })
  })
  const { connect } = await startGateway(t, {
    transfer,
    routes: { '/*': files(site.root, { upload: { delete: true }, hooks }) },
  })
  const refused = await put(await connect(), '/a', large)
  t.is(refused.status, 403)
  t.is((await put(await connect(), '/a', 'short')).status, 403)
  t.deepEqual(everythingIn(site.root), [])
  const client = await connect()
  const mine = { Authorization: 'mine' }
  const taken = await put(client, '/a', large, mine)
  t.is(taken.status, 201)
  t.is(taken.field('x-who'), 'me')
  t.is((await putChunked(client, '/a', large, 50_000, mine)).status, 204)
  t.true(readFileSync(site.path('a')).equals(large))
  t.is((await client.ask(request('/a', {}, 'DELETE'))).status, 403)
  t.is((await client.ask(request('/a', mine, 'DELETE'))).status, 204)
  t.deepEqual(everythingIn(site.root), [])
})

testOnBothTwins(
  'onResponse is told of an upload once, and changes its answer',
  async (t, transfer) => {
    const site = makeSite(t)
    const told: string[] = []
    const hooks = hook({
      async onResponse({ status, header, request: { method, path } }) {
        told.push(`${method} ${path} ${status} ${header('location') ?? '-'}`)
        return { set: { 'X-Told': String(told.length) }, remove: ['location'] }
      },
    })
    const { connect, gateway } = await startGateway(t, {
      transfer,
      routes: { '/*': files(site.root, { upload: { delete: true }, hooks }) },
    })
    const client = await connect()
    for (const [size, name] of [
      [0, 'none'],
      [5, 'few'],
      [1_500_000, 'many'],
    ] as const) {
      const reply = await put(client, `/${name}`, large.subarray(0, size))
      t.is(reply.status, 201)
      t.is(reply.field('x-told'), String(told.length))
      t.is(reply.field('location'), undefined)
      t.true(readFileSync(site.path(name)).equals(large.subarray(0, size)))
    }
    t.is((await putChunked(client, '/many', large, 70_000)).status, 204)
    t.is((await client.ask(request('/few', {}, 'DELETE'))).status, 204)
    t.is((await client.ask(request('/many'))).body.length, large.length)
    t.deepEqual(told, [
      'PUT /none 201 /none',
      'PUT /few 201 /few',
      'PUT /many 201 /many',
      'PUT /many 204 -',
      'DELETE /few 204 -',
      'GET /many 200 -',
    ])
    t.is(gateway.stats().total.requests, 6)
  },
)

testOnBothTwins('onError answers in the place of an upload that failed', async (t, transfer) => {
  const site = makeSite(t)
  const hooks = hook({
    onError: ({ code, status }) => new Response(`sorry: ${code}`, { status }),
  })
  const { connect } = await startGateway(t, {
    transfer,
    routes: { '/*': files(site.root, { upload: { bodyBytes: '2mb' }, hooks }) },
  })
  const client = await connect()
  const wrong = { 'Content-Digest': digestOf('something else') }
  const reply = await put(client, '/a', large, wrong)
  t.is(reply.status, 400)
  t.is(reply.body.toString(), 'sorry: digest-mismatch')
  t.is((await put(client, '/b', large)).status, 201)
  const chunks = await putChunked(await connect(), '/c', Buffer.concat([large, large]), 100_000)
  t.is(chunks.status, 413)
  t.is(chunks.body.toString(), 'sorry: body-too-large')
  const unnamed = await put(await connect(), '/folder/', 'x')
  t.is(unnamed.body.toString(), 'sorry: upload-conflict')
  t.deepEqual(everythingIn(site.root), ['b'])
})

test('a body of a failed upload is not taken for the next request', async (t) => {
  const site = makeSite(t, { b: 'b' })
  const asked: string[] = []
  const hooks = hook({
    onError({ request: { path } }) {
      asked.push(path)
    },
  })
  const { connect } = await startGateway(t, {
    routes: { '/*': files(site.root, { upload: { replace: false }, hooks }) },
  })
  const client = await connect()
  const hidden = request('/smuggled')
  client.write(uploadHead('PUT', '/b', { 'Content-Length': String(hidden.length) }))
  client.write(hidden)
  t.is((await client.read()).status, 409)
  await client.readToEnd()
  t.deepEqual(asked, ['/b'])
})

testOnBothTwins('streams pass hooks, and carry their fields', async (t, transfer) => {
  const token = 'a-token-of-some-length'
  const told: number[] = []
  const watch = hook({
    onRequest: (head) => (head.query === '?no' ? new Response('no', { status: 403 }) : undefined),
    onResponse({ status }) {
      told.push(status)
      return { set: { 'X-Told': 'yes' } }
    },
  })
  const { connect, gateway } = await startGateway(t, {
    transfer,
    routes: {
      '/c': channel('c', { token, hooks: [cors({ origins: ['https://a.example'] }), watch] }),
    },
  })
  const client = await connect()
  const head = await openStream(client, '/c', { Origin: 'https://a.example' })
  t.is(head.field('access-control-allow-origin'), 'https://a.example')
  t.is(head.field('x-told'), 'yes')
  t.is((await (await connect()).ask(request('/c?no'))).status, 403)
  const bearer = { Authorization: `Bearer ${token}` }
  const other = await connect()
  for (const text of ['one', 'two']) {
    const reply = await put(other, '/c', text, bearer, 'POST')
    t.is(reply.status, 204)
    t.is(reply.field('x-told'), 'yes')
    t.is(eventOf(await nextChunk(client)).data, text)
  }
  t.deepEqual(told, [200, 403, 204, 204])
  t.is(gateway.stats().channels[0]?.clients, 1)
})

testOnBothTwins('an upload under way outlives a reload, if its time does', async (t, transfer) => {
  const site = makeSite(t)
  const route = files(site.root, { upload: true })
  const base = { listen: 0, workers: 1, transfer, timeouts: { drain: 300 } }
  const { connect, gateway } = await startGateway(t, { ...base, routes: { '/*': route } })
  const begin = async (name: string) => {
    const client = await connect()
    client.write(uploadHead('PUT', name, { 'Content-Length': String(large.length) }))
    const received = gateway.stats().total.bytesIn
    client.write(large.subarray(0, 700_000))
    await until('some of it', () => gateway.stats().total.bytesIn > received + 100_000)
    return client
  }
  const stays = await begin('/stays')
  await gateway.reload({ ...base, routes: { '/*': route, '/x': respond(204) } })
  const finishes = await begin('/finishes')
  const lingers = await begin('/lingers')
  const routes = { '/*': files(site.root, { upload: { replace: false } }) }
  await gateway.reload({ ...base, routes })
  finishes.write(large.subarray(700_000))
  t.is((await finishes.read()).status, 201)
  await until('the others to be gone', () => gateway.stats().generation.live === 1)
  await lingers.readToEnd()
  await stays.readToEnd()
  await until('nothing to be left', () => everythingIn(site.root).length === 1)
  t.true(readFileSync(site.path('finishes')).equals(large))
  t.is((await put(await connect(), '/finishes', 'x')).status, 409)
})
