// Channels: what is published reaches every client of every worker, whole and in its order, by the
// engine for its size, and a slow client keeps nobody waiting.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import test from 'ava'
import { channel, handler } from '../../src/index.ts'
import type { RawClient } from '../support/client.ts'
import { request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { runProgram } from '../support/program.ts'
import { makeFolder, patternBytes } from '../support/site.ts'
import { eventOf, nextChunk, openStream } from '../support/stream.ts'
import { put } from '../support/upload.ts'
import { until } from '../support/wait.ts'

const token = 'a-token-of-some-length'
const large = patternBytes(300_000)

testOnBothTwins('every client of every worker gets every message in order', async (t, transfer) => {
  const { connect, gateway, engineBytes } = await startGateway(t, {
    workers: 2,
    transfer,
    routes: { '/raw': channel('news', { as: 'raw' }) },
  })
  const clients: RawClient[] = []
  for (let n = 0; n < 20; n++) {
    const client = await connect()
    clients.push(client)
    const head = await openStream(client, '/raw')
    t.is(head.line, 'HTTP/1.1 200 OK')
    t.is(head.field('content-type'), 'application/octet-stream')
  }
  const sizes = [1, 1_000, 16_000, 17_000, 300_000, 5, 70_000, 3]
  const bytes = new Uint8Array(300_000)
  for (const size of sizes) {
    bytes.set(large)
    gateway.publish('news', bytes.subarray(0, size))
    bytes.fill(0)
  }
  for (const client of clients) {
    for (const size of sizes) {
      t.true((await nextChunk(client))?.equals(large.subarray(0, size)), String(size))
    }
  }
  const engines = Object.keys(engineBytes())
  t.deepEqual(engines.sort(), transfer === 'copy' ? ['copy'] : ['memory', 'sendfile'])
  const [stats] = gateway.stats().channels
  t.like(stats, { name: 'news', clients: 20, published: sizes.length, skipped: 0, cut: 0 })
  for (const client of clients) client.socket.destroy()
  await until('the clients to be forgotten', () => gateway.stats().channels[0]?.clients === 0)
})

test('events have ids and types, and no text breaks out of its event', async (t) => {
  const { connect, gateway } = await startGateway(t, { routes: { '/': channel('c') } })
  const client = await connect()
  const head = await openStream(client, '/')
  t.is(head.field('content-type'), 'text/event-stream')
  t.is(head.field('cache-control'), 'no-store')
  const id = gateway.publish('c', 'one\ntwo\r\nthree\rdata: four')
  gateway.publish('c', { event: 'price', data: { a: [1, null] } })
  gateway.publish('c', '')
  const first = (await nextChunk(client))?.toString()
  t.is(first, `id: ${id}\ndata: one\ndata: two\ndata: three\ndata: data: four\n\n`)
  t.deepEqual(eventOf(await nextChunk(client)), {
    id: String(id + 1),
    event: 'price',
    data: '{"a":[1,null]}',
  })
  t.is(eventOf(await nextChunk(client)).data, '')
  t.throws(() => gateway.publish('c', { event: 'a\nb', data: '' }), { instanceOf: TypeError })
  t.throws(() => gateway.publish('none', 'x'), { message: /no route is channel\('none'\)/ })
})

test('a line is a line, and HTTP/1.0 gets it without chunks', async (t) => {
  const { connect, gateway } = await startGateway(t, {
    routes: { '/lines': channel('c', { as: 'ndjson' }), '/raw': channel('c', { as: 'raw' }) },
  })
  const client = await connect()
  await openStream(client, '/lines')
  const old = await connect()
  old.write('GET /raw HTTP/1.0\r\n\r\n')
  t.is((await old.readHead()).field('transfer-encoding'), undefined)
  gateway.publish('c', { data: { a: 1 } })
  gateway.publish('c', 'two\nlines')
  t.is((await nextChunk(client))?.toString(), '{"a":1}\n')
  t.is((await nextChunk(client))?.toString(), 'two lines\n')
  t.is((await old.takeBytes(16)).toString(), '{"a":1}two\nlines')
})

test('a newcomer gets the history, or what came after its Last-Event-ID', async (t) => {
  const { connect, gateway } = await startGateway(t, {
    workers: 2,
    routes: { '/': channel('c', { history: 2 }) },
  })
  const ids = ['a', 'b', 'c', 'd'].map((text) => gateway.publish('c', text))
  const read = async (fields: Record<string, string>, count: number) => {
    const client = await connect()
    await openStream(client, '/', fields)
    const data: string[] = []
    for (let n = 0; n < count; n++) data.push(eventOf(await nextChunk(client)).data)
    client.socket.destroy()
    return data.join('')
  }
  t.is(await read({}, 2), 'cd')
  t.is(await read({ 'Last-Event-ID': String(ids[0]) }, 3), 'bcd')
  t.is(await read({ 'Last-Event-ID': 'nonsense' }, 2), 'cd')
  t.is(await read({ 'Last-Event-ID': '1' }, 4), 'abcd')
  const late = await connect()
  await openStream(late, '/', { 'Last-Event-ID': String(ids[3]) })
  gateway.publish('c', 'e')
  t.is(eventOf(await nextChunk(late)).data, 'e')
})

/** A message that says its number, long enough to fill what the kernel holds for a client. */
const numbered = (n: number) => `${n}:${'x'.repeat(50_000)}`

/** Reads numbered messages up to `last` into `numbers`. */
async function readNumbers(client: RawClient, last: number, numbers: number[] = []) {
  while (numbers.at(-1) !== last) {
    numbers.push(Number.parseInt(eventOf(await nextChunk(client)).data, 10))
  }
  return numbers
}

testOnBothTwins(
  'a slow client skips to a boundary and keeps nobody waiting',
  async (t, transfer) => {
    const { connect, gateway } = await startGateway(t, {
      transfer,
      routes: { '/': channel('c', { buffer: '1mb' }) },
    })
    const slow = await connect()
    const fast = await connect()
    await openStream(slow, '/')
    await openStream(fast, '/')
    slow.socket.pause()
    const numbers: number[] = []
    const reading = readNumbers(fast, 599, numbers)
    for (let n = 0; n < 600; n++) {
      gateway.publish('c', numbered(n))
      if (n % 10 === 9) await until('the fast client to have it', () => numbers.length === n + 1)
    }
    t.deepEqual(
      await reading,
      Array.from({ length: 600 }, (_, n) => n),
    )
    slow.socket.resume()
    gateway.publish('c', numbered(600))
    const got = await readNumbers(slow, 600)
    t.true(got.length < 601)
    t.deepEqual(
      got,
      got.toSorted((a, b) => a - b),
    )
    t.true((gateway.stats().channels[0]?.skipped ?? 0) > 0)
  },
)

test('a slow client is disconnected where the route says so', async (t) => {
  const { connect, gateway } = await startGateway(t, {
    routes: { '/': channel('c', { buffer: '256kb', slow: 'disconnect' }) },
  })
  const slow = await connect()
  await openStream(slow, '/')
  slow.socket.pause()
  for (let n = 0; n < 600; n++) {
    gateway.publish('c', numbered(n))
    if (n % 10 === 9) await nextTurn()
  }
  // What the kernel holds goes out first; only then is it found to be behind.
  slow.socket.resume()
  await until('the client to be cut off', () => gateway.stats().channels[0]?.cut === 1)
  await slow.readToEnd()
  t.is(gateway.stats().total.errors['fell-behind'], 1)
})

test('who has the token may publish by POST', async (t) => {
  const { connect } = await startGateway(t, {
    workers: 2,
    routes: { '/': channel('c', { token, messageBytes: '200kb' }), '/closed': channel('c') },
  })
  const listener = await connect()
  await openStream(listener, '/')
  const client = await connect()
  const bearer = { Authorization: `Bearer ${token}` }
  const sent = await put(client, '/', 'hello', { ...bearer, 'Sluice-Event': 'greeting' }, 'POST')
  t.is(sent.status, 204)
  const event = eventOf(await nextChunk(listener))
  t.deepEqual(event, { id: sent.field('sluice-event-id') ?? '', event: 'greeting', data: 'hello' })
  const long = large.subarray(0, 190_000).toString('hex').slice(0, 190_000)
  t.is((await put(client, '/', long, bearer, 'POST')).status, 204)
  t.is(eventOf(await nextChunk(listener)).data, long)
  const refused = await put(client, '/', 'x', { Authorization: `Bearer ${token}x` }, 'POST')
  t.is(refused.status, 401)
  t.is(refused.field('www-authenticate'), 'Bearer')
  t.is((await put(client, '/', 'x', {}, 'POST')).status, 401)
  t.is((await put(client, '/closed', 'x', bearer, 'POST')).status, 405)
  t.is((await put(await connect(), '/', Buffer.alloc(300_000), bearer, 'POST')).status, 413)
})

test('handlers publish, in the process of the gateway and in their own', async (t) => {
  const { connect } = await startGateway(t, {
    routes: {
      '/events': channel('c'),
      '/say': handler((_request, { publish }) => {
        publish('c', { event: 'said', data: 'from a handler' })
        return new Response('said')
      }),
    },
  })
  const listener = await connect()
  await openStream(listener, '/events')
  t.is((await (await connect()).ask(request('/say'))).status, 200)
  t.like(eventOf(await nextChunk(listener)), { event: 'said', data: 'from a handler' })

  const file = join(makeFolder(t), 'gateway.config.ts')
  writeFileSync(
    file,
    `import { channel, handler } from 'sluice'
     export default { listen: 0, workers: 2, routes: {
       '/events': channel('c', { history: 1 }),
       '/say': handler((_request, { publish }) => {
         publish('c', 'from afar')
         return new Response()
       }),
     } }`,
  )
  const program = runProgram(
    t,
    `const gateway = await createGateway({ configFile: '${file}' })
     console.log((await gateway.listen())[0].port)`,
  )
  const port = Number(await program.line())
  const other = await connect({ port, host: '127.0.0.1' })
  await openStream(other, '/events')
  t.is((await (await connect({ port, host: '127.0.0.1' })).ask(request('/say'))).status, 200)
  t.is(eventOf(await nextChunk(other)).data, 'from afar')
})

test('a silent stream has a heartbeat, and one that drains an end', async (t) => {
  const { connect, gateway } = await startGateway(t, {
    routes: { '/': channel('c', { heartbeat: 50 }) },
  })
  const client = await connect()
  await openStream(client, '/')
  t.is((await nextChunk(client))?.toString(), ':\n\n')
  t.is((await nextChunk(client))?.toString(), ':\n\n')
  const closed = gateway.close()
  let chunk = await nextChunk(client)
  while (chunk !== undefined) chunk = await nextChunk(client)
  t.is(chunk, undefined)
  await closed
})

test('other methods, and HEAD', async (t) => {
  const { connect } = await startGateway(t, { routes: { '/': channel('c') } })
  const client = await connect()
  t.is((await client.ask(request('/', {}, 'HEAD'))).status, 200)
  const refused = await client.ask(request('/', {}, 'DELETE'))
  t.is(refused.status, 405)
  t.is(refused.field('allow'), 'GET, HEAD')
})
