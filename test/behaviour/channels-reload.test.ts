// Channels while the configuration is replaced: a name stays the same channel, its clients stay
// where their route does, and what has left ends in peace.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { channel, type GatewayConfig, handler, respond } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import type { RawClient } from '../support/client.ts'
import { startConfigured } from '../support/configured.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeFolder, patternBytes } from '../support/site.ts'
import { eventOf, nextChunk, openStream } from '../support/stream.ts'
import { put } from '../support/upload.ts'
import { until } from '../support/wait.ts'

const base = { listen: 0, workers: 2 }

function start(t: ExecutionContext, config: GatewayConfig) {
  return startGateway(t, { ...base, ...config })
}

async function dataOf(client: RawClient): Promise<string> {
  return eventOf(await nextChunk(client)).data
}

testOnBothTwins('a stream whose route stays goes on', async (t, transfer) => {
  const large = patternBytes(100_000).toString('hex')
  const stays = channel('c', { history: 2 })
  const { connect, gateway } = await start(t, { transfer, routes: { '/c': stays } })
  const clients: RawClient[] = []
  for (let n = 0; n < 8; n++) {
    const client = await connect()
    clients.push(client)
    await openStream(client, '/c')
  }
  let last = gateway.publish('c', 'before')
  for (let round = 0; round < 3; round++) {
    const routes = { '/c': stays, '/raw': channel('c', { as: 'raw' }), '/n': respond(round + 200) }
    await gateway.reload({ ...base, transfer, routes })
    const id = gateway.publish('c', large + round)
    t.is(id, ++last)
  }
  for (const client of clients) {
    t.is(await dataOf(client), 'before')
    for (let round = 0; round < 3; round++) t.is(await dataOf(client), large + round)
  }
  await until('the first ones to be gone', () => gateway.stats().generation.live === 1)
  t.like(gateway.stats().channels, [{ name: 'c', clients: 8, published: 4, skipped: 0 }])
  const late = await connect()
  await openStream(late, '/c')
  t.is(await dataOf(late), `${large}1`)
  t.is(await dataOf(late), `${large}2`)
  const raw = await connect()
  await openStream(raw, '/raw')
  gateway.publish('c', 'both')
  t.is((await nextChunk(raw))?.toString(), 'both')
  t.is(await dataOf(late), 'both')
})

test('a stream whose route has changed goes on while it has time', async (t) => {
  const { connect, gateway } = await start(t, { routes: { '/c': channel('c') } })
  const client = await connect()
  await openStream(client, '/c')
  await gateway.reload({ ...base, routes: { '/c': channel('c', { heartbeat: '5s' }) } })
  gateway.publish('c', 'still')
  t.is(await dataOf(client), 'still')
  t.is(gateway.stats().generation.live, 2)
})

test('a stream whose route has changed ends behind a message, when its time is over', async (t) => {
  const timeouts = { drain: 300 }
  const { connect, gateway } = await start(t, { timeouts, routes: { '/c': channel('c') } })
  const client = await connect()
  await openStream(client, '/c')
  gateway.publish('c', 'before')
  t.is(await dataOf(client), 'before')
  const routes = { '/c': channel('c', { heartbeat: '5s' }) }
  await gateway.reload({ ...base, timeouts, routes })
  t.is(await nextChunk(client), undefined)
  await client.readToEnd()
  await until('the first to be gone', () => gateway.stats().generation.live === 1)
  t.like(gateway.stats().channels, [{ clients: 0, published: 1 }])
})

test('a client that takes nothing does not keep an old configuration', async (t) => {
  const timeouts = { drain: 300 }
  const { connect, gateway } = await start(t, { timeouts, routes: { '/c': channel('c') } })
  const slow = await connect()
  await openStream(slow, '/c')
  slow.socket.pause()
  for (let n = 0; n < 40; n++) gateway.publish('c', new Uint8Array(1_000_000))
  await gateway.reload({ ...base, timeouts, routes: { '/c': respond(204) } })
  await until('the first to be gone', () => gateway.stats().generation.live === 1)
  t.is(gateway.stats().total.errors.draining, 1)
})

test('a name that has left is none; when it comes again it has no past', async (t) => {
  const timeouts = { drain: 200 }
  const options = { history: 5 }
  const { connect, gateway } = await start(t, {
    timeouts,
    routes: { '/a': channel('a', options), '/b': channel('b', options) },
  })
  const client = await connect()
  await openStream(client, '/a')
  const id = gateway.publish('a', 'old')
  t.is(await dataOf(client), 'old')
  await gateway.reload({ ...base, timeouts, routes: { '/b': channel('b', options) } })
  t.throws(() => gateway.publish('a', 'x'), { message: /no route is channel\('a'\)/ })
  gateway.publish('b', 'for b')
  t.is(await nextChunk(client), undefined)
  await until('the first to be gone', () => gateway.stats().generation.live === 1)
  t.deepEqual(
    gateway.stats().channels.map(({ name }) => name),
    ['b'],
  )
  await gateway.reload({
    ...base,
    timeouts,
    routes: { '/z': channel('z'), '/a': channel('a', options), '/b': channel('b', options) },
  })
  const again = await connect()
  await openStream(again, '/a', { 'Last-Event-ID': String(id) })
  t.true(gateway.publish('a', 'new') > id)
  t.is(await dataOf(again), 'new')
  const other = await connect()
  await openStream(other, '/b')
  t.is(await dataOf(other), 'for b')
})

test('many names come and go', async (t) => {
  const { connect, gateway } = await start(t, { routes: { '/c': channel('c') } })
  const client = await connect()
  await openStream(client, '/c')
  for (let round = 0; round < 80; round++) {
    const routes = { '/x': channel(`x${round}`, { history: 9 }), '/c': channel('c') }
    await gateway.reload({ ...base, routes })
    gateway.publish(`x${round}`, String(round))
    gateway.publish('c', String(round))
    const other = await connect()
    await openStream(other, '/x')
    t.is(await dataOf(other), String(round))
    t.is(await dataOf(client), String(round))
    other.socket.destroy()
    await until('the one before to be gone', () => gateway.stats().generation.live === 1)
  }
})

test('handlers and clients publish on what is served now', async (t) => {
  const token = 'a-token-of-some-length'
  const say = (text: string) =>
    handler((_request, { publish }) => {
      publish('c', text)
      return new Response()
    })
  const stays = channel('c', { token })
  const { connect, gateway, port } = await start(t, { routes: { '/c': stays, '/say': say('1') } })
  const client = await connect()
  await openStream(client, '/c')
  t.is((await ask(port, '/say')).status, 200)
  t.is(await dataOf(client), '1')
  await gateway.reload({ ...base, routes: { '/c': stays, '/b': channel('b'), '/say': say('2') } })
  t.is((await ask(port, '/say')).status, 200)
  t.is(await dataOf(client), '2')
  const bearer = { Authorization: `Bearer ${token}` }
  t.is((await put(await connect(), '/c', '3', bearer, 'POST')).status, 204)
  t.is(await dataOf(client), '3')
})

test.serial('an app publishes, and the app after it', async (t) => {
  const file = join(makeFolder(t), 'gateway.config.ts')
  const write = (text: string, more = '') =>
    writeFileSync(
      file,
      `import { channel, handler } from 'sluice'
       export default { listen: 0, workers: 2, routes: { ${more}
         '/events': channel('c'),
         '/say': handler((_request, { publish }) => {
           publish('c', '${text}')
           return new Response()
         }),
       } }`,
    )
  write('one')
  const { gateway, ask: get, port } = await startConfigured(t, file)
  const { connect } = await start(t, { routes: { '/': respond(204) } })
  const client = await connect({ port, host: '127.0.0.1' })
  await openStream(client, '/events')
  t.is((await get('/say')).status, 200)
  t.is(await dataOf(client), 'one')
  write('two', "'/other': channel('b'),")
  await gateway.reload()
  t.is((await get('/say')).status, 200)
  t.is(await dataOf(client), 'two')
})
