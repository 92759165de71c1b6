// Relays of targets that speak TLS, HTTP/2 or on a unix socket, behind hooks, and while the main
// thread is busy: the stream does not pass it.

import { existsSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import test from 'ava'
import { cors, rateLimit, relay } from '../../src/index.ts'
import { RawClient, request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { event, takeText } from '../support/live-relay.ts'
import { startLiveSource } from '../support/live-source.ts'
import { runProgram } from '../support/program.ts'
import { startWayTarget, type Way, ways } from '../support/secure-target.ts'
import { makeFolder } from '../support/site.ts'
import { openStream } from '../support/stream.ts'
import { startUpstream } from '../support/upstream.ts'
import { until } from '../support/wait.ts'

for (const way of Object.keys(ways) as Way[]) {
  test(`a stream over ${way}, again after a break`, async (t) => {
    const streams: { response: ServerResponse; id: string }[] = []
    const target = await startWayTarget(t, way, (asked, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      response.write(': hello\n\n')
      streams.push({ response, id: String(asked.headers['last-event-id'] ?? '') })
    })
    const { connect, gateway } = await startGateway(t, {
      workers: 2,
      routes: { '/live': relay(target.url, target.options as object) },
    })
    const clients = [await connect(), await connect()]
    for (const client of clients) await openStream(client, '/live')
    t.is(await takeText(clients[0] as RawClient, 9), ': hello\n\n')
    await until('the stream', () => streams.length === 1)
    streams[0]?.response.write(event('a'))
    t.is(await takeText(clients[0] as RawClient, event('a').length), event('a'))
    streams[0]?.response.destroy()
    await until('another stream', () => streams.length === 2)
    t.is(streams[1]?.id, 'a')
    streams[1]?.response.write(event('b'))
    const rest = `: hello\n\n${event('b')}`
    t.is(await takeText(clients[0] as RawClient, rest.length), rest)
    t.like(gateway.stats().relays, [{ clients: 2, connections: 1, opened: 2 }])
  })
}

test('a stream from a unix socket', async (t) => {
  const upstream = await startUpstream(
    t,
    async (peer) => {
      await peer.head()
      peer.write('HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n\r\nbytes until the end')
    },
    { unix: true },
  )
  const url = upstream.url as `unix:${string}`
  const { connect } = await startGateway(t, { routes: { '/live': relay(url, { as: 'raw' }) } })
  const client = await connect()
  await openStream(client, '/live')
  t.is(await takeText(client, 19), 'bytes until the end')
})

test('hooks pass before a stream, and fields come to its head', async (t) => {
  const source = await startLiveSource(t)
  const hooks = [cors({ origins: ['https://a.example'] }), rateLimit({ limit: 2, window: '1h' })]
  const { connect, get } = await startGateway(t, {
    routes: { '/live': relay(source.url, { hooks }) },
  })
  for (let n = 0; n < 2; n++) {
    const head = await openStream(await connect(), '/live', { Origin: 'https://a.example' })
    t.is(head.line, 'HTTP/1.1 200 OK')
    t.is(head.field('access-control-allow-origin'), 'https://a.example')
  }
  t.is((await get('/live')).status, 429)
  t.is(source.streams.length, 1)
})

test('a main thread that hangs stalls no stream, and no newcomer', async (t) => {
  const source = await startLiveSource(t)
  const over = join(makeFolder(t), 'over')
  const program = runProgram(
    t,
    `const routes = { '/live': relay('${source.url}', { history: 1 }) }
     const gateway = await createGateway({ listen: 0, workers: 2, routes })
     const [{ port }] = await gateway.listen()
     process.on('SIGUSR2', () => {
       console.log('hangs')
       while (!existsSync('${over}')) {}
     })
     console.log(port)`,
  )
  const port = Number(await program.line())
  const first = await RawClient.connect({ port, host: '127.0.0.1' })
  t.teardown(() => void first.socket.destroy())
  await openStream(first, '/live')
  program.child.kill('SIGUSR2')
  t.is(await program.line(), 'hangs')
  const stream = await source.stream(0)
  stream.write(event(1))
  t.is(await takeText(first, event(1).length), event(1))
  const late = await RawClient.connect({ port, host: '127.0.0.1' })
  t.teardown(() => void late.socket.destroy())
  late.write(request('/live'))
  await late.readHead()
  t.is(await takeText(late, event(1).length), event(1))
  stream.break()
  ;(await source.stream(1)).write(event(2))
  for (const client of [first, late]) t.is(await takeText(client, event(2).length), event(2))
  t.false(existsSync(over))
  writeFileSync(over, '')
})
