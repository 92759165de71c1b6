// Relays whose clients or whose upstream are slow, rude or endless, and relays through reloads:
// nobody waits for another, memory stays bounded, and no client gets half of a piece.

import test from 'ava'
import { relay, respond } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { event, startRelay, take, takeText } from '../support/live-relay.ts'
import { startLiveSource } from '../support/live-source.ts'
import { patternBytes } from '../support/site.ts'
import { nextChunk, openStream } from '../support/stream.ts'
import { deadUrl } from '../support/upstream.ts'
import { until } from '../support/wait.ts'

const mb = 1024 * 1024
const frame = Buffer.concat([Buffer.from('--frame\r\n'), patternBytes(200_000)])
const camera = { as: 'raw', marker: '--frame\r\n', buffer: '1mb' } as const
/** So many of them are more than the kernel and the buffer hold for a client. */
const enough = 80

testOnBothTwins('who falls behind skips to a marker and stalls nobody', async (t, transfer) => {
  const { source, join, counts } = await startRelay(t, { options: camera, config: { transfer } })
  const { client: fast } = await join()
  const { client: slow } = await join()
  slow.socket.pause()
  const stream = await source.stream(0)
  for (let sent = 0; counts().skipped === 0; sent++) {
    if (sent === 400) return t.fail('nobody fell behind')
    stream.write(frame)
    t.true((await take(fast, frame.length)).equals(frame))
    if (sent === enough) slow.socket.resume()
  }
  // A chunk belongs to one frame, and what comes after a gap begins one.
  let at = 0
  for (let gaps = 0, whole = 0; gaps === 0 || whole < 2; ) {
    if (gaps > 0) stream.write(frame)
    const chunk = await nextChunk(slow)
    if (chunk === undefined) return t.fail('the stream has ended')
    if (!chunk.equals(frame.subarray(at, at + chunk.length))) {
      gaps += 1
      at = 0
      t.true(chunk.equals(frame.subarray(0, chunk.length)))
    }
    at = (at + chunk.length) % frame.length
    if (gaps > 0 && at === 0) whole += 1
  }
  t.is(counts().cut, 0)
})

test('who falls behind is disconnected where the route says so', async (t) => {
  const { source, join, counts } = await startRelay(t, {
    options: { ...camera, slow: 'disconnect' },
  })
  const { client: fast } = await join()
  const { client: slow } = await join()
  slow.socket.pause()
  const stream = await source.stream(0)
  for (let sent = 0; counts().cut === 0; sent++) {
    if (sent === 400) return t.fail('nobody was disconnected')
    stream.write(frame)
    await take(fast, frame.length)
    // It is looked at again when its socket takes something.
    if (sent === enough) slow.socket.resume()
  }
  await until('one to be left', () => counts().clients === 1)
  t.is(counts().skipped, 0)
})

test('an upstream that breaks off within an endless line cuts those who have a part', async (t) => {
  const { source, join } = await startRelay(t, {
    answer: { type: 'application/x-ndjson' },
    options: { as: 'ndjson', buffer: '256kb' },
  })
  const { client } = await join()
  const first = await source.stream(0)
  first.write(Buffer.alloc(200_000, 'x'))
  await take(client, 100_000)
  const late = await join()
  first.break()
  const second = await source.stream(1)
  second.write('whole\n')
  t.is(await takeText(late.client, 6), 'whole\n')
  await client.closed()
})

test('garbage and a trickle are passed on as they are', async (t) => {
  const { source, join } = await startRelay(t, { options: { ...camera, buffer: '8mb' } })
  const { client } = await join()
  const stream = await source.stream(0)
  const noise = patternBytes(3 * mb)
  for (let at = 0; at < noise.length; at += 100_000) stream.write(noise.subarray(at, at + 100_000))
  t.true((await take(client, noise.length)).equals(noise))
  for (const byte of frame.subarray(0, 40)) stream.write(Buffer.from([byte]))
  t.deepEqual(await take(client, 40), frame.subarray(0, 40))
})

test('chunks that are none break the stream, which is opened again', async (t) => {
  const { source, join, counts } = await startRelay(t, {})
  const { client } = await join()
  const first = await source.stream(0)
  first.write(event(1))
  t.is(await takeText(client, event(1).length), event(1))
  first.peer.write('no chunk\r\n')
  const second = await source.stream(1)
  second.write(event(2))
  t.is(await takeText(client, event(2).length), event(2))
  t.is(counts().reconnects, 1)
})

test('clients that come and go in storms leave nothing behind', async (t) => {
  const { source, join, connect, counts, gateway } = await startRelay(t, {
    options: { linger: 0 },
  })
  for (let round = 0; round < 8; round++) {
    const clients = await Promise.all(Array.from({ length: 40 }, () => connect()))
    for (const [n, client] of clients.entries()) {
      client.write(request('/live'))
      if (n % 3 === 0) client.socket.destroy()
      if (n % 3 === 1) client.socket.resetAndDestroy()
    }
    source.streams.at(-1)?.write(event(round))
    await Promise.all(
      clients.filter((_, n) => n % 3 === 2).map(async (client) => client.readHead()),
    )
    for (const client of clients) client.socket.destroy()
  }
  await until('all to have gone', () => counts().clients === 0 && source.open() === 0)
  await until('no connection', () => gateway.stats().total.connections === 0)
  const { client } = await join()
  source.streams.at(-1)?.write(event('last'))
  t.is(await takeText(client, event('last').length), event('last'))
})

testOnBothTwins('a stream goes on through reloads', async (t, transfer) => {
  const { source, live, base, join, counts, gateway } = await startRelay(t, {
    config: { transfer },
  })
  const joined = await Promise.all(Array.from({ length: 8 }, () => join()))
  const stream = await source.stream(0)
  for (let round = 0; round < 4; round++) {
    await gateway.reload({ ...base, routes: { '/live': live, '/other': respond(200 + round) } })
    stream.write(event(round))
    for (const { client } of joined) {
      t.is(await takeText(client, event(round).length), event(round))
    }
  }
  await until('the first ones to be gone', () => gateway.stats().generation.live === 1)
  t.is(source.streams.length, 1)
  t.like(counts(), { clients: 8, opened: 1 })
})

test('a reload that removes the route ends its streams and closes the upstream', async (t) => {
  const config = { timeouts: { drain: 300 } }
  const { source, base, join, gateway } = await startRelay(t, { config })
  const { client } = await join()
  const stream = await source.stream(0)
  stream.write(event(1))
  t.is(await takeText(client, event(1).length), event(1))
  await gateway.reload({ ...base, routes: { '/': respond(204) } })
  t.deepEqual(gateway.stats().relays, [])
  stream.write(event(2))
  t.is(await takeText(client, event(2).length), event(2))
  await client.closed()
  await until('the upstream to be closed', () => source.open() === 0)
  await until('the first to be gone', () => gateway.stats().generation.live === 1)
})

test('a reload that asks the upstream for something else opens another stream', async (t) => {
  const { source, base, join, gateway, connect } = await startRelay(t, {})
  const { client } = await join()
  const first = await source.stream(0)
  const routes = { '/live': relay(source.url, { path: '/elsewhere' }) }
  await gateway.reload({ ...base, routes })
  const other = await connect()
  await openStream(other, '/live')
  const second = await source.stream(1)
  t.is(second.asked.target, '/elsewhere')
  first.write(event('old'))
  second.write(event('new'))
  t.is(await takeText(client, event('old').length), event('old'))
  t.is(await takeText(other, event('new').length), event('new'))
})

test('routes with one name share the upstream, others do not', async (t) => {
  const source = await startLiveSource(t)
  const shared = { name: 'news', path: '/feed' }
  const { connect, gateway } = await startGateway(t, {
    workers: 2,
    routes: {
      '/a': relay(source.url, shared),
      '/b': relay(source.url, { ...shared, history: 1 }),
      '/c': relay(source.url, { path: '/feed' }),
    },
  })
  const clients = []
  for (const path of ['/a', '/b', '/c']) {
    const client = await connect()
    await openStream(client, path)
    clients.push(client)
  }
  t.is(source.streams.length, 2)
  for (const { write } of source.streams) write(event(1))
  for (const client of clients) t.is(await takeText(client, event(1).length), event(1))
  t.deepEqual(
    gateway.stats().relays.map(({ name, clients: count }) => [name, count]),
    [
      ['news', 2],
      ['/c', 1],
    ],
  )
})

test('another target is asked when one is dead, at first and after a break', async (t) => {
  const source = await startLiveSource(t)
  const dead = (await deadUrl()) as `http://${string}`
  const { connect } = await startGateway(t, {
    routes: { '/live': relay([dead, source.url], { balance: 'round-robin', path: '/feed' }) },
  })
  const client = await connect()
  await openStream(client, '/live')
  for (let n = 0; n < 3; n++) {
    const stream = await source.stream(n)
    stream.write(event(n))
    t.is(await takeText(client, event(n).length), event(n))
    stream.break()
  }
})

test('who waits while the upstream stays away is answered when it is given up', async (t) => {
  const never = Promise.withResolvers<void>()
  const { source, join, get, counts } = await startRelay(t, {
    answer: (index) => {
      if (index === 1) return { status: '503 Away' }
      return index === 2 ? { after: never.promise } : {}
    },
    options: { outage: 2_000 },
  })
  const { client } = await join()
  ;(await source.stream(0)).break()
  await source.stream(2)
  // No try has ended but the one that failed: this one waits for the next.
  const late = get('/live')
  await client.closed()
  t.is((await late).status, 502)
  await until('nobody to be there', () => counts().clients === 0)
})
