// Upgrades: after the 101 a tunnel, in which no byte is lost that came with a head, each side may
// shut before the other, and nothing of HTTP is left.

import test, { type ExecutionContext } from 'ava'
import { proxy } from '../../src/index.ts'
import { type RawClient, request } from '../support/client.ts'
import {
  type RunningGateway,
  startGateway,
  type TransferMode,
  testOnBothTwins,
} from '../support/gateway.ts'
import { Random } from '../support/random.ts'
import { patternBytes } from '../support/site.ts'
import { answering, type Peer, response, startUpstream } from '../support/upstream.ts'
import { until } from '../support/wait.ts'

const wanted = { Connection: 'keep-alive, Upgrade', Upgrade: 'chat/1', 'Sec-Token': 'x' }
const switched = [
  'HTTP/1.1 101 Switching Protocols',
  'Connection: Upgrade',
  'Upgrade: chat/1',
  'Sec-Accept: y',
  '\r\n',
].join('\r\n')

interface Tunnel extends RunningGateway {
  client: RawClient
  peer: Peer
}

/** A tunnel that is open: both ends of it. */
async function openTunnel(
  t: ExecutionContext,
  transfer: TransferMode,
  { early = '', first = '', options = {} } = {},
): Promise<Tunnel> {
  const upstream = await startUpstream(t)
  const running = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(upstream.url, options) },
  })
  const client = await running.connect()
  client.socket.allowHalfOpen = true
  client.write(request('/chat', wanted) + early)
  const peer = await upstream.peer(0)
  const head = await peer.head()
  t.is(head.field('connection'), 'upgrade')
  t.is(head.field('upgrade'), 'chat/1')
  t.is(head.field('sec-token'), 'x')
  peer.write(switched + first)
  const reply = await client.read()
  t.is(reply.status, 101)
  t.is(reply.field('connection'), 'upgrade')
  t.is(reply.field('upgrade'), 'chat/1')
  t.is(reply.field('sec-accept'), 'y')
  return { ...running, client, peer }
}

testOnBothTwins('bytes go both ways, as they come', async (t, transfer) => {
  const { client, peer } = await openTunnel(t, transfer)
  for (let n = 0; n < 20; n++) {
    client.write(`ping ${n};`)
    t.is((await peer.takeUntil(';')).toString(), `ping ${n};`)
    peer.write(`pong ${n};`)
    t.is((await client.takeUntil(';')).toString(), `pong ${n};`)
  }
})

testOnBothTwins('bytes that came with either head are not lost', async (t, transfer) => {
  const { client, peer } = await openTunnel(t, transfer, { early: 'early;', first: 'first;' })
  t.is((await peer.takeUntil(';')).toString(), 'early;')
  t.is((await client.takeUntil(';')).toString(), 'first;')
})

testOnBothTwins('much, both ways at once', async (t, transfer) => {
  const { client, peer, gateway, engineBytes } = await openTunnel(t, transfer)
  const up = patternBytes(5_000_000)
  const down = Buffer.from(up).reverse()
  const random = new Random(5)
  for (const [socket, bytes] of [
    [client.socket, up],
    [peer.socket, down],
  ] as const) {
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + random.below(300_000)
      socket.write(bytes.subarray(at, at + size))
      at += size
    }
    socket.end()
  }
  const [got, answered] = await Promise.all([peer.readToEnd(), client.readToEnd()])
  t.true(got.equals(up))
  t.true(answered.equals(down))
  await until('the tunnel to be over', () => gateway.stats().total.connections === 0)
  const bytes = engineBytes()
  t.is((bytes.splice ?? 0) > 0, transfer === 'auto')
  t.is((bytes.splice ?? 0) + (bytes.copy ?? 0), 10_000_000)
})

testOnBothTwins('the client may shut first, and still gets everything', async (t, transfer) => {
  const { client, peer, gateway } = await openTunnel(t, transfer)
  client.socket.end('last words')
  t.is((await peer.readToEnd()).toString(), 'last words')
  const answer = patternBytes(3_000_000)
  peer.socket.end(answer)
  t.true((await client.readToEnd()).equals(answer))
  await until('the tunnel to be over', () => gateway.stats().total.connections === 0)
  t.is(client.error, undefined)
  t.is(peer.error, undefined)
})

testOnBothTwins('the target may shut first, and still gets everything', async (t, transfer) => {
  const { client, peer, gateway } = await openTunnel(t, transfer)
  peer.socket.end('last words')
  t.is((await client.readToEnd()).toString(), 'last words')
  peer.socket.pause()
  const upload = patternBytes(20_000_000)
  client.socket.end(upload)
  // What the client has sent and shut after waits in the kernel while the target does not read.
  await until('the kernel to be full', () => client.socket.bytesWritten > 1_000_000)
  peer.socket.resume()
  t.true((await peer.readToEnd()).equals(upload))
  await until('the tunnel to be over', () => gateway.stats().total.connections === 0)
  t.is(client.error, undefined)
})

testOnBothTwins('both may shut while much is still on its way', async (t, transfer) => {
  const { client, peer, gateway } = await openTunnel(t, transfer)
  // Less than what the kernel holds for a connection, more than what it holds for both.
  const upload = patternBytes(600_000)
  peer.socket.pause()
  peer.socket.end()
  await client.readToEnd()
  client.socket.end(upload)
  await until('all of it to be with the kernel', () => client.socket.writableLength === 0)
  await until('the gateway to have seen both ends', () => {
    const { bytesIn } = gateway.stats().total
    return transfer === 'auto' || bytesIn >= 300_000
  })
  peer.socket.resume()
  t.true((await peer.readToEnd()).equals(upload))
  await until('the tunnel to be over', () => gateway.stats().total.connections === 0)
})

for (const who of ['client', 'target'] as const) {
  testOnBothTwins(`a reset by the ${who} ends both connections`, async (t, transfer) => {
    const { client, peer, gateway } = await openTunnel(t, transfer)
    client.write('some;')
    await peer.takeUntil(';')
    if (who === 'client') client.reset()
    else peer.reset()
    await (who === 'client' ? peer : client).readToEnd()
    await until('the tunnel to be over', () => gateway.stats().total.connections === 0)
    t.is(gateway.stats().upstreams[0]?.targets[0]?.active, 0)
    t.is(gateway.stats().upstreams[0]?.targets[0]?.connections, 0)
  })
}

testOnBothTwins('the last words of a target that closes in mid-sentence', async (t, transfer) => {
  for (let round = 0; round < 10; round++) {
    const { client, peer } = await openTunnel(t, transfer)
    peer.socket.pause()
    client.write('x'.repeat(100_000))
    // Closing with unread bytes is a reset that follows the last words.
    peer.socket.write('goodbye;', () => peer.socket.destroy())
    t.is((await client.takeUntil(';')).toString(), 'goodbye;')
  }
})

test('a silent tunnel ends after timeout.tunnel, which alone is for tunnels', async (t) => {
  const options = { timeout: { tunnel: '3s', between: '1s', total: '2s' } }
  const { client, peer, gateway } = await openTunnel(t, 'auto', { options })
  await Promise.all([client.readToEnd(), peer.readToEnd()])
  t.like(gateway.stats().total.errors, { 'tunnel-timeout': 1 })
  t.is(gateway.stats().total.errors['total-timeout'], undefined)
})

testOnBothTwins('bodyBytes is for bodies, not for tunnels', async (t, transfer) => {
  const options = { bodyBytes: 1000 }
  const { client, peer } = await openTunnel(t, transfer, { options })
  const bytes = patternBytes(500_000)
  client.socket.end(bytes)
  t.true((await peer.readToEnd()).equals(bytes))
})

test('a target may decline: its answer is an ordinary one', async (t) => {
  const upstream = await startUpstream(t, answering(response('no', {}, '400 Bad Request')))
  const { connect } = await startGateway(t, { routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  // A client must not send anything more before the 101; one that does sends a request.
  client.write(request('/chat', wanted) + request('/next'))
  t.is((await client.read()).status, 400)
  t.is((await client.read()).status, 400)
  t.is(upstream.peers.length, 1)
})

for (const [what, text] of [
  ['nobody asked for', request('/')],
  ['asked for with a body', `${request('/', { ...wanted, 'Content-Length': '1' })}x`],
  ['asked for by HTTP/1.0', 'GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: chat/1\r\n\r\n'],
  ['named but not asked for by Connection', request('/', { Upgrade: 'chat/1' })],
  ['h2c', request('/', { ...wanted, Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQAAP__' })],
] as const) {
  test(`an upgrade is not passed on and a 101 is 502: ${what}`, async (t) => {
    const upstream = await startUpstream(t, async (peer) => {
      const head = await peer.request()
      t.is(head.field('upgrade'), undefined)
      peer.write(switched)
    })
    const { connect } = await startGateway(t, { routes: { '/*': proxy(upstream.url) } })
    const client = await connect()
    t.is((await client.ask(text)).status, 502)
    await until('the target to be let go', () => upstream.peers[0]?.ended)
  })
}

test('a 101 without Upgrade is 502', async (t) => {
  const upstream = await startUpstream(t, answering('HTTP/1.1 101 Switching Protocols\r\n\r\n'))
  const { connect } = await startGateway(t, { routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  t.is((await client.ask(request('/', wanted))).status, 502)
})
