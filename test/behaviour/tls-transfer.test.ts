// Bytes over TLS: files, ranges, pipelined requests, proxied bodies both ways, uploads, tunnels,
// and clients that are slow, on both twins; and how the end of a body is told from a cut.

import { createHash } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { WebSocket, WebSocketServer } from 'ws'
import { files, proxy, respond } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway, type TransferMode, testOnBothTwins } from '../support/gateway.ts'
import { startRelay } from '../support/relay.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { pem, secure, TlsClient } from '../support/tls.ts'
import { answering, chunked, response, startUpstream } from '../support/upstream.ts'
import { until } from '../support/wait.ts'

const alert = 21
const sizes = [0, 1, 4_095, 4_097, 16_383, 16_384, 16_385, 32_768, 70_001, 3_000_000]

testOnBothTwins('files of every size arrive whole, and parts of them', async (t, transfer) => {
  const contents = Object.fromEntries(sizes.map((size) => [`f${size}`, patternBytes(size)]))
  const site = makeSite(t, contents)
  const { port, engineBytes } = await startGateway(t, {
    listen: secure(),
    transfer,
    routes: { '/*': files(site.root) },
  })
  const client = await TlsClient.open(t, port)
  for (const [name, content] of Object.entries(contents)) {
    const whole = await client.ask(request(`/${name}`))
    t.true(whole.body.equals(content), name)
    if (content.length < 100) continue
    const part = await client.ask(request(`/${name}`, { Range: 'bytes=7-4091' }))
    t.true(part.body.equals(content.subarray(7, 4_092)), name)
    const end = await client.ask(request(`/${name}`, { Range: 'bytes=-4000' }))
    t.true(end.body.equals(content.subarray(-4_000)), name)
  }
  t.deepEqual(Object.keys(engineBytes()), ['tls-copy'])
})

testOnBothTwins('pipelined requests are answered in order', async (t, transfer) => {
  const big = patternBytes(300_000)
  const site = makeSite(t, { big, small: 'small' })
  const { port } = await startGateway(t, {
    listen: secure(),
    transfer,
    routes: { '/*': files(site.root) },
  })
  const client = await TlsClient.open(t, port)
  const names = ['small', 'big', 'small', 'small', 'big', 'none']
  client.write(names.map((name) => request(`/${name}`)).join(''))
  for (const name of names) {
    const reply = await client.read()
    if (name === 'none') t.is(reply.status, 404)
    else t.true(reply.body.equals(name === 'big' ? big : Buffer.from('small')), name)
  }
})

testOnBothTwins('a client that reads slowly gets every byte', async (t, transfer) => {
  const content = patternBytes(6_000_000)
  const site = makeSite(t, { big: content })
  const target = await startUpstream(t, answering(response(content)))
  const { port, gateway } = await startGateway(t, {
    listen: secure(),
    transfer,
    routes: { '/*': files(site.root), '/up': proxy(target.url) },
  })
  for (const path of ['/big', '/up']) {
    const client = await TlsClient.open(t, port)
    client.tls.pause()
    client.write(request(path))
    const { turns } = gateway.stats().total
    await until('a turn', () => gateway.stats().total.turns > turns)
    const stalled = () => gateway.stats().total.bytesOut
    let before = -1
    await until('the socket to be full', () => {
      const now = stalled()
      const same = now === before && now > 0
      before = now
      return same
    })
    client.tls.resume()
    const reply = await client.read()
    t.true(reply.body.equals(content), path)
    t.is((await client.ask(request('/none'))).status, 404)
  }
})

testOnBothTwins(
  'proxied bodies arrive as they were sent, in every framing',
  async (t, transfer) => {
    const content = patternBytes(1_500_000)
    const until_end = `HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n`
    const target = await startUpstream(t, async (peer) => {
      const { target: path } = await peer.request()
      if (path === '/length') return peer.write(response(content, { Connection: 'close' }))
      if (path === '/chunked') {
        peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n')
        return peer.write(chunked(content, 30_011))
      }
      peer.write(until_end)
      peer.socket.end(content)
    })
    const { port, engineBytes } = await startGateway(t, {
      listen: secure(),
      transfer,
      routes: { '/*': proxy(target.url) },
    })
    const client = await TlsClient.open(t, port)
    for (const path of ['/length', '/chunked', '/close']) {
      const reply = await client.ask(request(path))
      t.true(reply.body.equals(content), path)
    }
    t.deepEqual(Object.keys(engineBytes()), ['tls-copy'])
  },
)

testOnBothTwins('uploads reach the target whole', async (t, transfer) => {
  const content = patternBytes(2_000_000)
  const target = await startUpstream(t, async (peer) => {
    for (;;) {
      const { body } = await peer.request()
      peer.write(response(createHash('sha256').update(body).digest('hex')))
    }
  })
  const { port } = await startGateway(t, {
    listen: secure(),
    transfer,
    routes: { '/*': proxy(target.url) },
  })
  const client = await TlsClient.open(t, port)
  const expected = createHash('sha256').update(content).digest('hex')
  client.write(request('/', { 'Content-Length': String(content.length) }, 'POST'))
  client.write(content)
  t.is(String((await client.read()).body), expected)
  client.write(request('/', { 'Transfer-Encoding': 'chunked' }, 'POST'))
  client.write(chunked(content, 9_999))
  t.is(String((await client.read()).body), expected)
})

testOnBothTwins('WebSockets work over TLS', async (t, transfer) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  t.teardown(() => server.close())
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)))
  await new Promise((resolve) => server.once('listening', resolve))
  const { port: origin } = server.address() as { port: number }
  const { port } = await startGateway(t, {
    listen: secure(),
    transfer,
    routes: { '/*': proxy(`http://127.0.0.1:${origin}`) },
  })
  const socket = new WebSocket(`wss://localhost:${port}/`, { ca: pem('ca.pem') })
  t.teardown(() => socket.terminate())
  await new Promise((resolve) => socket.once('open', resolve))
  for (const size of [1, 100_000, 1_000_000]) {
    const message = patternBytes(size)
    const back = new Promise<Buffer>((resolve) => socket.once('message', resolve))
    socket.send(message)
    t.true((await back).equals(message), String(size))
  }
  const closed = new Promise<number>((resolve) => socket.once('close', resolve))
  socket.close(1000)
  t.is(await closed, 1000)
})

testOnBothTwins('a body that ends with the connection ends with an alert', async (t, transfer) => {
  const target = await startUpstream(t, async (peer) => {
    await peer.request()
    peer.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nwhole')
    peer.socket.end()
  })
  const { port } = await startGateway(t, {
    listen: secure(),
    transfer,
    routes: { '/*': proxy(target.url), '/own': respond(200, 'own') },
  })
  for (const [path, body] of [
    ['/', 'whole'],
    ['/own', 'own'],
  ]) {
    const relay = await startRelay(t, port)
    const client = await TlsClient.open(t, relay.port, { maxVersion: 'TLSv1.2' })
    client.write(`GET ${path} HTTP/1.0\r\nHost: test\r\n\r\n`)
    t.true(String(await client.readToEnd()).endsWith(`\r\n\r\n${body}`))
    await until('the end', relay.isOver)
    t.is(relay.records().at(-1), alert, path)
  }
})

testOnBothTwins('a body that was cut off does not', async (t, transfer) => {
  const target = await startUpstream(t, async (peer) => {
    await peer.request()
    peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf-\r\n')
    peer.socket.end()
  })
  const { port, gateway } = await startGateway(t, {
    listen: secure(),
    transfer,
    routes: { '/*': proxy(target.url) },
  })
  const relay = await startRelay(t, port)
  const client = await TlsClient.open(t, relay.port, { maxVersion: 'TLSv1.2' })
  client.write('GET / HTTP/1.0\r\nHost: test\r\n\r\n')
  await until('the cut', () => gateway.stats().total.errors['upstream-cut-body'] === 1)
  await until('the end', relay.isOver)
  t.not(relay.records().at(-1), alert)
})

async function cutUpload(t: ExecutionContext, transfer: TransferMode, ends: boolean) {
  const target = await startUpstream(t, async (peer) => void (await peer.head()))
  const running = await startGateway(t, {
    listen: secure(),
    transfer,
    routes: { '/*': proxy(target.url) },
  })
  const relay = await startRelay(t, running.port)
  const client = await TlsClient.open(t, relay.port)
  client.write(`${request('/', { 'Content-Length': '10' }, 'POST')}half-`)
  const peer = await target.peer(0)
  await peer.head()
  await peer.takeBytes(5)
  if (ends) client.tls.end()
  else relay.gateway().end()
  await until('the count', () => running.gateway.stats().total.errors['client-gone'] === 1)
  t.is((await peer.readToEnd()).length, 0)
}

testOnBothTwins('an upload that ends too early, with an alert', async (t, transfer) => {
  await cutUpload(t, transfer, true)
})

testOnBothTwins('an upload that ends too early, without one', async (t, transfer) => {
  await cutUpload(t, transfer, false)
})

test('an idle connection that ends without an alert is no fault', async (t) => {
  const { port, gateway } = await startGateway(t, {
    listen: secure(),
    routes: { '/*': respond(200, 'ok') },
  })
  const relay = await startRelay(t, port)
  const client = await TlsClient.open(t, relay.port)
  await client.ask(request('/'))
  relay.gateway().end()
  await until('the end', () => gateway.stats().total.connections === 0)
  t.deepEqual(gateway.stats().total.errors, {})
})
