// Relays: one upstream connection for any number of clients of all workers, each of whom begins at
// a boundary and gets every byte in order; opened for the first, closed after the last.

import test from 'ava'
import { relay } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { event, startRelay, take, takeText as text } from '../support/live-relay.ts'
import { patternBytes } from '../support/site.ts'
import { nextChunk } from '../support/stream.ts'
import { deadUrl } from '../support/upstream.ts'
import { until } from '../support/wait.ts'

const raw = { as: 'raw' } as const

testOnBothTwins('many clients, one upstream connection, every byte', async (t, transfer) => {
  const { source, join, counts, engineBytes } = await startRelay(t, { config: { transfer } })
  const joined = await Promise.all(Array.from({ length: 100 }, () => join()))
  t.is(source.streams.length, 1)
  const [first] = joined
  t.is(first?.head.line, 'HTTP/1.1 200 OK')
  t.is(first?.head.field('content-type'), 'text/event-stream')
  const stream = await source.stream(0)
  t.like(stream.asked, { method: 'GET', target: '/feed' })
  const large = `data: ${patternBytes(50_000).toString('hex')}\n\n`
  const all: string[] = []
  for (let n = 0; n < 50; n++) {
    const piece = n % 10 === 5 ? large : event(n)
    stream.write(piece)
    all.push(piece)
  }
  const whole = all.join('')
  const received = await Promise.all(joined.map(({ client }) => text(client, whole.length)))
  t.true(received.every((one) => one === whole))
  t.is(source.streams.length, 1)
  t.like(counts(), { clients: 100, connections: 1, opened: 1, reconnects: 0, skipped: 0, cut: 0 })
  const { memory = 0, sendfile = 0, copy = 0 } = engineBytes()
  if (transfer === 'copy') t.true(copy + memory > 0 && sendfile === 0)
  else t.true(memory > 0 && sendfile > 0)
})

test('the upstream opens for the first client and closes after the last', async (t) => {
  const { source, join, counts } = await startRelay(t, { options: { linger: 50 } })
  t.is(source.open(), 0)
  const { client } = await join()
  const other = await join()
  t.is(source.open(), 1)
  client.socket.destroy()
  const stream = await source.stream(0)
  await until('one client', () => counts().clients === 1)
  stream.write(event(1))
  t.is(await text(other.client, event(1).length), event(1))
  other.client.socket.destroy()
  await until('the upstream to be closed', () => source.open() === 0)
  t.like(counts(), { clients: 0, connections: 0, opened: 1 })
  const again = await join()
  ;(await source.stream(1)).write(event(2))
  t.is(await text(again.client, event(2).length), event(2))
})

test('nothing of a client reaches the upstream', async (t) => {
  const { source, join } = await startRelay(t, {
    options: { headers: { request: { set: { Authorization: 'Bearer ours' } } } },
  })
  await join({ Cookie: 'a=b', Authorization: 'Basic x', 'X-Forwarded-For': '1.2.3.4' })
  const { asked } = await source.stream(0)
  t.is(asked.field('cookie'), undefined)
  t.is(asked.field('x-forwarded-for'), undefined)
  t.is(asked.field('forwarded'), undefined)
  t.is(asked.field('authorization'), 'Bearer ours')
  t.is(asked.field('accept'), 'text/event-stream')
  t.is(asked.field('accept-encoding'), 'identity')
  t.is(asked.field('host'), source.url.slice('http://'.length))
  t.regex(asked.field('via') ?? '', /sluice/)
})

test('of the answer what is for one client stays', async (t) => {
  const fields = 'Set-Cookie: a=b\r\nETag: "x"\r\nX-Own: kept\r\nKeep-Alive: timeout=5\r\n'
  const { join } = await startRelay(t, { answer: { fields } })
  const { head } = await join()
  t.is(head.field('set-cookie'), undefined)
  t.is(head.field('etag'), undefined)
  t.is(head.field('keep-alive'), undefined)
  t.is(head.field('x-own'), 'kept')
  t.is(head.field('connection'), 'close')
})

test('a late joiner begins with the next event', async (t) => {
  const { source, join, counts } = await startRelay(t, {})
  const { client } = await join()
  const stream = await source.stream(0)
  stream.write(`${event(1)}id: 2\nda`)
  t.is(await text(client, event(1).length), event(1))
  const late = await join()
  await until('both', () => counts().clients === 2)
  stream.write(`ta: event 2\n\n${event(3)}`)
  // Not whole when it came: the event is one piece for both.
  const rest = event(2) + event(3)
  t.is(await text(client, rest.length), rest)
  t.is(await text(late.client, rest.length), rest)
})

test('a late joiner begins with the next line', async (t) => {
  const { source, join } = await startRelay(t, {
    answer: { type: 'application/x-ndjson' },
    options: { as: 'ndjson' },
  })
  const { client, head } = await join()
  t.is(head.field('content-type'), 'application/x-ndjson')
  const stream = await source.stream(0)
  stream.write('{"n":1}\n{"n"')
  t.is(await text(client, 8), '{"n":1}\n')
  const late = await join()
  stream.write(':2}\n')
  t.is(await text(late.client, 8), '{"n":2}\n')
  stream.write('{"n":3}')
  stream.end()
  for (const each of [client, late.client]) {
    const rest = each === client ? '{"n":2}\n{"n":3}' : '{"n":3}'
    t.is(await text(each, rest.length), rest)
    t.is(await nextChunk(each), undefined)
  }
})

testOnBothTwins('a late joiner begins with the next marker', async (t, transfer) => {
  const { source, join } = await startRelay(t, {
    answer: { type: 'multipart/x-mixed-replace; boundary=x' },
    options: { ...raw, marker: '--x' },
    config: { transfer },
  })
  const { client } = await join()
  const stream = await source.stream(0)
  const frame = Buffer.concat([Buffer.from('--x\r\n'), patternBytes(40_000)])
  stream.write(frame)
  t.deepEqual(await take(client, frame.length), frame)
  const late = await join()
  const rest = Buffer.from('the rest of that frame')
  stream.write(Buffer.concat([rest, Buffer.from('-')]))
  stream.write(Buffer.concat([Buffer.from('-x'), frame]))
  t.deepEqual(await take(late.client, 3), Buffer.from('--x'))
  t.deepEqual(await take(late.client, frame.length), frame)
  const expected = Buffer.concat([rest, Buffer.from('--x'), frame])
  t.deepEqual(await take(client, expected.length), expected)
})

test('bytes are relayed as they come, also those that end with the connection', async (t) => {
  const { source, connect, join } = await startRelay(t, {
    answer: { type: 'audio/mpeg' },
    options: { ...raw, outage: 0 },
  })
  const old = await connect()
  old.write('GET /live HTTP/1.0\r\nHost: test\r\n\r\n')
  const head = await old.readHead()
  t.is(head.field('transfer-encoding'), undefined)
  const { client } = await join()
  const stream = await source.stream(0)
  const bytes = patternBytes(200_000)
  stream.write(bytes)
  t.deepEqual(await take(client, bytes.length), bytes)
  t.deepEqual(await old.takeBytes(bytes.length), bytes)
  stream.end()
  t.is(await nextChunk(client), undefined)
  t.is((await old.readToEnd()).length, 0)
})

test('history is so many pieces, or so many bytes', async (t) => {
  for (const options of [{ history: 2 }, { historyBytes: 70 }]) {
    const { source, join } = await startRelay(t, { options })
    const { client } = await join()
    const stream = await source.stream(0)
    const events = [1, 2, 3, 4].map(event)
    stream.write(events.join(''))
    await text(client, events.join('').length)
    const late = await join()
    const expected = events.slice(2).join('')
    t.is(await text(late.client, expected.length), expected)
    const resumed = await join({ 'Last-Event-ID': '1' })
    const rest = events.slice(1).join('')
    t.is(await text(resumed.client, rest.length), rest)
  }
})

test('who comes before the upstream has answered waits for it', async (t) => {
  const answered = Promise.withResolvers<void>()
  const { source, connect, gateway } = await startRelay(t, { answer: { after: answered.promise } })
  const clients = await Promise.all([connect(), connect(), connect()])
  for (const client of clients) client.write(request('/live'))
  await source.stream(0)
  await until('all to wait', () => gateway.stats().total.blockedOn.stream === 3)
  clients[2]?.socket.end()
  await until('one to have gone', () => gateway.stats().total.blockedOn.stream === 2)
  answered.resolve()
  for (const client of clients.slice(0, 2)) {
    t.is((await client.readHead()).line, 'HTTP/1.1 200 OK')
  }
  t.is(source.streams.length, 1)
})

test('no answer, or none that fits, is an error for those who wait', async (t) => {
  const dead = await startGateway(t, {
    routes: { '/live': relay((await deadUrl()) as `http://${string}`) },
  })
  t.is((await dead.get('/live')).status, 502)
  t.is((await dead.get('/live')).status, 502)

  const never = Promise.withResolvers<void>()
  const silent = await startRelay(t, {
    answer: { after: never.promise },
    options: { timeout: { firstByte: 100 }, retry: 0 },
  })
  t.is((await silent.get('/live')).status, 504)

  for (const answer of [
    { status: '500 Oops' },
    { type: 'text/html' },
    { fields: 'Content-Encoding: gzip\r\n' },
    { status: '204 No Content' },
  ]) {
    const { get, counts, log } = await startRelay(t, { answer })
    t.is((await get('/live')).status, 502, JSON.stringify(answer))
    t.like(counts(), { clients: 0, connections: 0, opened: 0 })
    await until('a line in the log', () => log.some(({ code }) => code === 'unfit-stream'))
  }
})

test('a stream that breaks is opened again where it was', async (t) => {
  const { source, join, counts } = await startRelay(t, {})
  const { client } = await join()
  const first = await source.stream(0)
  first.write(`${event('a1')}id: a2\ndata: not who`)
  t.is(await text(client, event('a1').length), event('a1'))
  first.break()
  const second = await source.stream(1)
  t.is(second.asked.field('last-event-id'), 'a1')
  second.write(event('a2'))
  t.is(await text(client, event('a2').length), event('a2'))
  t.like(counts(), { clients: 1, connections: 1, opened: 2, reconnects: 1 })
  second.end() // as event streams do when their server restarts
  const third = await source.stream(2)
  t.is(third.asked.field('last-event-id'), 'a2')
})

test('an upstream that stays away ends the streams, in time', async (t) => {
  const { source, join, counts } = await startRelay(t, {
    answer: (index) => (index === 0 ? {} : { status: '503 Away' }),
    options: { outage: 3_000 },
  })
  const { client } = await join()
  ;(await source.stream(0)).break()
  await source.stream(1)
  await t.throwsAsync(nextChunk(client))
  await until('nobody to be there', () => counts().clients === 0)
})

test('other methods, and HEAD', async (t) => {
  const { source, connect } = await startRelay(t, {})
  const client = await connect()
  const head = await client.ask(request('/live', {}, 'HEAD'))
  t.is(head.status, 200)
  t.is(head.field('content-type'), 'text/event-stream')
  const refused = await client.ask(request('/live', {}, 'POST'))
  t.is(refused.status, 405)
  t.is(refused.field('allow'), 'GET, HEAD')
  t.is(source.streams.length, 0)
})

test('a silent stream of events has signs of life, others none', async (t) => {
  const { join } = await startRelay(t, { options: { heartbeat: 50 } })
  const { client } = await join()
  t.is(await text(client, 3), ':\n\n')
  t.is(await text(client, 3), ':\n\n')
})

test('a gateway that drains ends streams between pieces', async (t) => {
  const { source, join, gateway } = await startRelay(t, {})
  const { client } = await join()
  const stream = await source.stream(0)
  stream.write(event(1))
  t.is(await text(client, event(1).length), event(1))
  const closed = gateway.close()
  t.is(await nextChunk(client), undefined)
  await closed
  await until('the upstream to be closed', () => source.open() === 0)
})
