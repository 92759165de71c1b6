// Targets that fail or are wrong before their answer has begun: the client gets a clear status, the
// connection to the target is not used again, and nobody else sees what it said.

import test, { type ExecutionContext } from 'ava'
import { proxy } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import {
  answering,
  deadUrl,
  type Peer,
  response,
  type Script,
  startUpstream,
} from '../support/upstream.ts'
import { until } from '../support/wait.ts'

type Options = Parameters<typeof proxy>[1]

/** A gateway before a target whose first connection follows `script`; later ones answer 'ok'. */
async function before(t: ExecutionContext, script: Script, options: Options = {}) {
  const ok = answering(response())
  const upstream = await startUpstream(t, (peer, index) => (index === 0 ? script : ok)(peer, index))
  const running = await startGateway(t, { routes: { '/*': proxy(upstream.url, options) } })
  /** The target's connections are gone and nothing is under way; and it still answers others. */
  const settled = async () => {
    await until('the bad connection to be let go', () => upstream.peers[0]?.ended)
    const target = () => running.gateway.stats().upstreams[0]?.targets[0]
    await until('nothing to be under way', () => target()?.active === 0)
    const other = await running.get('/other')
    t.is(other.status, 200)
    t.is(other.body.toString(), 'ok')
    t.is(upstream.peers.length, 2)
  }
  return { ...running, upstream, settled }
}

test('a target that refuses is 502', async (t) => {
  const { get, gateway } = await startGateway(t, { routes: { '/*': proxy(await deadUrl()) } })
  t.is((await get('/')).status, 502)
  t.is(gateway.stats().total.errors['upstream-refused'], 1)
})

test('a unix socket that is not there is 502', async (t) => {
  const { get } = await startGateway(t, { routes: { '/*': proxy('unix:/nowhere/target.sock') } })
  t.is((await get('/')).status, 502)
})

test('a target that refuses is left for another one, also by POST', async (t) => {
  const upstream = await startUpstream(t, answering(response()))
  const { connect, gateway } = await startGateway(t, {
    upstreams: { app: { targets: [await deadUrl(), upstream.url], balance: 'round-robin' } },
    routes: { '/*': proxy('app') },
  })
  const client = await connect()
  for (let n = 0; n < 4; n++) {
    const post = request('/', { 'Content-Length': '4' }, 'POST')
    t.is((await client.ask(n % 2 === 0 ? request('/') : `${post}body`)).status, 200)
  }
  t.true((gateway.stats().upstreams[0]?.targets[0]?.retries ?? 0) > 0)
})

test('a target that accepts and says nothing is 504', async (t) => {
  const { get, gateway, settled } = await before(t, () => {}, { timeout: { firstByte: '2s' } })
  t.is((await get('/')).status, 504)
  t.is(gateway.stats().total.errors['first-byte-timeout'], 1)
  await settled()
})

test('a target that trickles its head is 504 by timeout.total', async (t) => {
  const script: Script = async (peer) => {
    for (const byte of `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(10_000)}`) {
      if (peer.ended) return
      peer.write(byte)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const { get, gateway, settled } = await before(t, script, { timeout: { total: '2s' } })
  t.is((await get('/')).status, 504)
  t.is(gateway.stats().total.errors['total-timeout'], 1)
  await settled()
})

test('POST is not tried elsewhere once it may have been carried out, GET is', async (t) => {
  const dying: Script = async (peer) => {
    await peer.request()
    peer.socket.end()
  }
  const targets = [await startUpstream(t, dying), await startUpstream(t, dying)]
  const { connect } = await startGateway(t, {
    upstreams: { app: { targets: targets.map(({ url }) => url), ejection: false } },
    routes: { '/*': proxy('app') },
  })
  const asked = () => targets.reduce((sum, { peers }) => sum + peers.length, 0)
  const client = await connect()
  t.is((await client.ask(`${request('/', { 'Content-Length': '1' }, 'POST')}x`)).status, 502)
  t.is(asked(), 1)
  t.is((await client.ask(request('/'))).status, 502)
  t.is(asked(), 3)
})

for (const [what, ends] of [
  ['before the head', (peer: Peer) => peer.socket.end()],
  ['before the head, by reset', (peer: Peer) => peer.reset()],
  ['in the head', (peer: Peer) => peer.socket.end('HTTP/1.1 200 OK\r\nContent-Le')],
  ['in the status line', (peer: Peer) => peer.socket.end('HTTP/1.1 2')],
  ['after an interim head', (peer: Peer) => peer.socket.end('HTTP/1.1 103 Early Hints\r\n\r\n')],
] as const) {
  test(`a target that dies ${what} is 502`, async (t) => {
    const { connect, settled } = await before(t, async (peer) => {
      await peer.request()
      ends(peer)
    })
    const client = await connect()
    let reply = await client.ask(request('/', {}, 'POST'))
    if (reply.status === 103) reply = await client.read()
    t.is(reply.status, 502)
    // The client's connection is as good as before.
    t.is((await client.ask(request('/'))).status, 200)
    await settled()
  })
}

const big = 'x'.repeat(2 * 1024 * 1024)
const wrongHeads: Record<string, string> = {
  'two lengths that differ': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok',
  'two lengths that agree': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok',
  'a list of lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok',
  'a negative length': 'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok',
  'a length with chunked':
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'an unknown coding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  'chunked in HTTP/1.0': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'a head of 2 MB': `HTTP/1.1 200 OK\r\nX: ${big}\r\n\r\n`,
  'a line of 2 MB': `HTTP/1.1 200 ${big}`,
  'many fields': `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(5_000)}\r\n`,
  'a bare CR in a value': 'HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 2\r\n\r\nok',
  'a bare LF': 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
  'a NUL in a value': 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok',
  'a folded field': 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok',
  'a space before the colon': 'HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok',
  'a field without a name': 'HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/2': 'HTTP/2 200\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/0.9': '<html>hello',
  'status 99': 'HTTP/1.1 099 No\r\nContent-Length: 2\r\n\r\nok',
  'status 600': 'HTTP/1.1 600 No\r\nContent-Length: 2\r\n\r\nok',
  'a status of two digits': 'HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok',
  'another protocol': 'SSH-2.0-OpenSSH_9.2\r\n',
}

for (const [what, bytes] of Object.entries(wrongHeads)) {
  test(`a wrong head is 502: ${what}`, async (t) => {
    const { connect, settled } = await before(t, async (peer) => {
      await peer.request()
      peer.write(bytes)
    })
    const client = await connect()
    t.is((await client.ask(request('/'))).status, 502)
    t.is((await client.ask(request('/'))).body.toString(), 'ok')
    await settled()
  })
}

for (const [what, first] of [
  ['garbage behind a length', `${response().toString()}HTTP/1.1 200 OK\r\n\r\nothers`],
  ['a body longer than its length', `${response().toString()}longer`],
  ['a body behind 204', 'HTTP/1.1 204 No Content\r\n\r\nbody'],
  ['a body behind 304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nbody'],
  [
    'garbage behind the last chunk',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200',
  ],
] as const) {
  test(`nobody sees ${what}, and the connection ends`, async (t) => {
    const { connect, settled } = await before(t, async (peer) => {
      await peer.request()
      peer.write(first)
    })
    const client = await connect()
    const reply = await client.ask(request('/'))
    t.true([200, 204, 304].includes(reply.status))
    if (reply.status === 200) t.is(reply.body.toString(), 'ok')
    t.is((await client.ask(request('/'))).body.toString(), 'ok')
    t.is(client.unread, 0)
    await settled()
  })
}

test('nobody sees a body behind the answer to HEAD', async (t) => {
  const { connect, settled } = await before(t, async (peer) => {
    await peer.request()
    peer.write(response())
  })
  const client = await connect()
  t.is((await client.ask(request('/', {}, 'HEAD'))).field('content-length'), '2')
  t.is((await client.ask(request('/'))).body.toString(), 'ok')
  await settled()
})

test('a target that fails again and again gets nothing for a while', async (t) => {
  const bad = await startUpstream(t, async (peer) => {
    await peer.request()
    peer.socket.end()
  })
  const good = await startUpstream(t, answering(response()))
  const { get, gateway } = await startGateway(t, {
    upstreams: {
      app: { targets: [bad.url, good.url], balance: 'round-robin', ejection: { failures: 3 } },
    },
    routes: { '/*': proxy('app') },
  })
  for (let n = 0; n < 30; n++) t.is((await get('/')).status, 200)
  t.is(bad.peers.length, 3)
  t.true(gateway.stats().upstreams[0]?.targets[0]?.ejected)
})

test('how large the head of an answer may be can be set', async (t) => {
  const upstream = await startUpstream(t, async (peer) => {
    for (;;) {
      const { target } = await peer.request()
      peer.write(response('ok', { 'X-Large': 'x'.repeat(Number(target.slice(1))) }))
    }
  })
  const routes = { '/*': proxy(upstream.url) }
  const usual = await startGateway(t, { routes })
  t.is((await usual.get('/65000')).status, 200)
  t.is((await usual.get('/66000')).status, 502)
  const small = await startGateway(t, { routes, limits: { responseHeadBytes: '2kb' } })
  t.is((await small.get('/1500')).status, 200)
  t.is((await small.get('/3000')).status, 502)
  t.is(small.gateway.stats().total.errors['upstream-head-too-large'], 1)
  const large = await startGateway(t, { routes, limits: { responseHeadBytes: '1mb' } })
  t.is((await large.get('/1000000')).field('x-large')?.length, 1_000_000)
})

test('a circuit opens, lets one request try, and closes with its answer', async (t) => {
  let isWell = false
  const upstream = await startUpstream(t, async (peer) => {
    for (;;) {
      const { target } = await peer.request()
      if (target === '/trial') return // says nothing yet
      if (!isWell) return void peer.socket.end()
      peer.write(response())
    }
  })
  const ejection = { failures: 2, time: 100, failFast: true }
  const { get, connect, gateway } = await startGateway(t, {
    upstreams: { app: { targets: upstream.url, ejection } },
    routes: { '/*': proxy('app', { retry: false }) },
  })
  const circuit = () => gateway.stats().upstreams[0]?.targets[0]?.circuit
  t.is(circuit(), 'closed')
  t.is((await get('/')).status, 502)
  t.is((await get('/')).status, 502)
  t.not(circuit(), 'closed')
  await until('its time to be over', () => circuit() === 'half-open')
  const client = await connect()
  client.write(request('/trial'))
  const peer = await upstream.peer(2)
  // Nobody else meanwhile: they are answered at once.
  for (let n = 0; n < 5; n += 1) t.is((await get('/')).status, 503)
  t.is(upstream.peers.length, 3)
  peer.socket.destroy()
  t.is((await client.read()).status, 502)
  t.not(circuit(), 'closed')
  isWell = true
  await until('its time to be over again', () => circuit() === 'half-open')
  t.is((await get('/')).status, 200)
  t.is(circuit(), 'closed')
  t.is((await get('/')).status, 200)
})

test('a trial whose client leaves makes room for the next', async (t) => {
  let isWell = false
  const upstream = await startUpstream(t, async (peer) => {
    await peer.request()
    if (isWell) peer.write(response())
    else peer.socket.end()
  })
  const ejection = { failures: 1, time: 100, failFast: true }
  const { get, connect, gateway } = await startGateway(t, {
    upstreams: { app: { targets: upstream.url, ejection } },
    routes: { '/*': proxy('app', { retry: false }) },
  })
  const target = () => gateway.stats().upstreams[0]?.targets[0]
  t.is((await get('/')).status, 502)
  await until('its time to be over', () => target()?.circuit === 'half-open')
  const client = await connect()
  client.write('POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n')
  await until('the trial', () => target()?.active === 1)
  client.socket.destroy()
  await until('its end', () => target()?.active === 0)
  t.is(target()?.circuit, 'half-open')
  isWell = true
  t.is((await get('/')).status, 200)
  t.is(target()?.circuit, 'closed')
})

test('where there is no other target nothing is tried again', async (t) => {
  const upstream = await startUpstream(t, async (peer) => {
    await peer.request()
    peer.socket.end()
  })
  const { get, gateway } = await startGateway(t, {
    upstreams: { app: { targets: upstream.url, ejection: false } },
    routes: { '/*': proxy('app', { retry: 3 }) },
  })
  for (let n = 0; n < 30; n += 1) t.is((await get('/')).status, 502)
  t.like(gateway.stats().upstreams[0]?.targets[0], { requests: 30, failures: 30, retries: 0 })
  t.is(upstream.peers.length, 30)
})
