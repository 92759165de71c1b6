// Who asked: what targets are told of the client, whom a proxy in front may speak for, the PROXY
// protocol both ways, and listeners that pass connections on as they are.

import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { proxy } from '../../src/index.ts'
import { startLogged } from '../support/access-log.ts'
import { type RawClient, request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { until } from '../support/wait.ts'

const trusted = '127.0.0.0/8'

async function listen(t: ExecutionContext, server: Server): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A target that answers with the fields that it got. */
async function mirror(t: ExecutionContext): Promise<string> {
  const server = createHttpServer((message: IncomingMessage, response) => {
    const body = JSON.stringify(message.headers)
    response.setHeader('content-length', body.length)
    response.end(body)
  })
  return listen(t, server)
}

/** A target that answers everything with what it got; `first` is told of the first bytes. */
async function echo(t: ExecutionContext, first: (bytes: Buffer) => void): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.once('data', first)
    socket.pipe(socket)
  })
  return listen(t, server)
}

test('nobody is trusted by default: what a client claims is replaced', async (t) => {
  const { get } = await startGateway(t, { routes: { '/*': proxy(await mirror(t)) } })
  const claims = {
    'X-Forwarded-For': '203.0.113.7',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'bank.example',
    Forwarded: 'for=203.0.113.7',
    'X-Real-IP': '203.0.113.7',
    X_Real_IP: '203.0.113.7',
    'X-Request-Id': 'mine',
  }
  const seen = JSON.parse((await get('/', claims)).body.toString())
  t.is(seen['x-forwarded-for'], '127.0.0.1')
  t.is(seen['x-forwarded-proto'], 'http')
  t.not(seen['x-forwarded-host'], 'bank.example')
  for (const gone of ['forwarded', 'x-real-ip', 'x_real_ip']) t.is(seen[gone], undefined, gone)
  t.regex(seen['x-request-id'], /^[0-9a-f]{32}$/)
})

test('a trusted proxy speaks for its client, and the list grows at its end', async (t) => {
  const { get } = await startGateway(t, {
    trustedProxies: trusted,
    routes: { '/*': proxy(await mirror(t), { forwarded: 'both' }) },
  })
  const seen = JSON.parse(
    (
      await get('/', {
        'X-Forwarded-For': '203.0.113.7, 127.0.0.9',
        'X-Forwarded-Proto': 'https',
        Forwarded: 'for=203.0.113.7',
        'X-Real-IP': '203.0.113.7',
        'X-Request-Id': 'theirs',
      })
    ).body.toString(),
  )
  t.is(seen['x-forwarded-for'], '203.0.113.7, 127.0.0.9, 127.0.0.1')
  t.is(seen['x-forwarded-proto'], 'https')
  t.regex(seen.forwarded, /^for=203\.0\.113\.7, for=127\.0\.0\.1;/)
  t.is(seen['x-real-ip'], '203.0.113.7')
  t.is(seen['x-request-id'], 'theirs')
})

for (const [whom, trustedProxies, id] of [
  ['nobody trusts', false, /^[0-9a-f]{32}$/],
  ['is trusted', trusted, /^theirs$/],
] as const) {
  test(`the log has the request id that the target got of a client that ${whom}`, async (t) => {
    const { get, logged } = await startLogged(t, {
      trustedProxies,
      routes: { '/*': proxy(await mirror(t)) },
    })
    const reply = await get('/', { 'X-Request-Id': 'theirs' })
    const seen = JSON.parse(reply.body.toString())['x-request-id']
    t.regex(seen, id)
    t.is((await logged(1))[0]?.requestId, seen)
  })
}

const v2 = (source: number[], port: number) =>
  Buffer.from([
    ...Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
    0x21,
    0x11,
    0,
    15,
    ...source,
    127,
    0,
    0,
    1,
    port >> 8,
    port & 255,
    0,
    80,
    // A TLV that nobody asked for.
    0x20,
    0,
    0,
  ])

for (const [name, header] of [
  ['1', Buffer.from('PROXY TCP4 203.0.113.9 127.0.0.1 4711 80\r\n')],
  ['2', v2([203, 0, 113, 9], 4711)],
] as const) {
  test(`PROXY protocol version ${name} says who the client is, in any pieces`, async (t) => {
    const { connect } = await startGateway(t, {
      listen: { port: 0, proxyProtocol: true },
      trustedProxies: trusted,
      routes: { '/*': proxy(await mirror(t)) },
    })
    const whole = Buffer.concat([header, Buffer.from(request('/'))])
    for (const cut of [1, 5, header.length - 1, header.length, header.length + 3]) {
      const client = await connect()
      client.socket.setNoDelay(true)
      client.write(whole.subarray(0, cut))
      await new Promise((resolve) => setImmediate(resolve))
      client.write(whole.subarray(cut))
      const reply = await client.read()
      t.is(JSON.parse(reply.body.toString())['x-forwarded-for'], '203.0.113.9', `cut at ${cut}`)
    }
  })
}

test('a connection that does not begin with the header is closed', async (t) => {
  const { connect, gateway } = await startGateway(t, {
    listen: { port: 0, proxyProtocol: true },
    trustedProxies: trusted,
    routes: { '/*': proxy(await mirror(t)) },
  })
  for (const bytes of [request('/'), 'PROXY TCP4 1.2.3.4\r\n', `PROXY ${'x'.repeat(200)}`]) {
    const client = await connect()
    client.write(bytes)
    t.is((await client.readToEnd()).length, 0)
  }
  t.is(gateway.stats().total.errors['bad-proxy-header'], 3)
})

test('only trusted peers may send the header', async (t) => {
  const { connect, gateway } = await startGateway(t, {
    listen: { port: 0, proxyProtocol: true },
    trustedProxies: '10.0.0.0/8',
    routes: { '/*': proxy(await mirror(t)) },
  })
  const client = await connect()
  client.write(`PROXY TCP4 203.0.113.9 127.0.0.1 1 80\r\n${request('/')}`)
  t.is((await client.readToEnd()).length, 0)
  t.is(gateway.stats().total.errors['untrusted-peer'], 1)
})

testOnBothTwins('the header is sent to a target that wants it', async (t, transfer) => {
  for (const version of ['v1', 'v2'] as const) {
    const heard: Buffer[] = []
    const server = createServer((socket) => {
      socket.once('data', (bytes) => {
        heard.push(bytes)
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    const { connect } = await startGateway(t, {
      transfer,
      upstreams: { app: { targets: await listen(t, server), proxyProtocol: version } },
      routes: { '/*': proxy('app') },
    })
    const client = await connect()
    t.is((await client.ask(request('/'))).status, 200)
    t.is((await client.ask(request('/'))).status, 200)
    t.is(heard.length, 2, 'a connection of its own for each request')
    const own = client.socket.localPort ?? 0
    for (const bytes of heard) {
      if (version === 'v1') {
        t.true(bytes.toString('latin1').startsWith(`PROXY TCP4 127.0.0.1 127.0.0.1 ${own} `))
      } else {
        t.is(bytes.subarray(0, 12).toString('latin1'), '\r\n\r\n\0\r\nQUIT\n')
        t.is(bytes.readUInt16BE(24), own)
        t.true(bytes.subarray(28).toString('latin1').startsWith('GET / HTTP/1.1\r\n'))
      }
    }
  }
})

testOnBothTwins(
  'a tcp listener passes everything on, both ways, to its end',
  async (t, transfer) => {
    const firsts: Buffer[] = []
    const target = await echo(t, (bytes) => firsts.push(bytes))
    const { connect, gateway } = await startGateway(t, {
      transfer,
      listen: { port: 0, tcp: 'raw' },
      upstreams: { raw: { targets: target } },
      routes: {},
    })
    const sent = Buffer.alloc(3_000_000, 'no HTTP at all\0\r\n')
    const client = await connect()
    client.write(sent)
    client.socket.end()
    t.true((await client.readToEnd()).equals(sent))
    await until('the tunnel to be over', () => gateway.stats().total.connections === 0)
    const { engines } = gateway.stats().total
    const other = transfer === 'copy' ? 'splice' : 'copy'
    t.true((engines[transfer === 'copy' ? 'copy' : 'splice']?.bytes ?? 0) > 0)
    if (transfer === 'copy') t.is(engines[other]?.bytes ?? 0, 0)
  },
)

testOnBothTwins(
  'a reset of the target is a reset of the client: not the end of what it sent',
  async (t, transfer) => {
    const sockets: Socket[] = []
    const server = createServer((socket) => void sockets.push(socket))
    const { connect, gateway } = await startGateway(t, {
      transfer,
      listen: { port: 0, tcp: 'raw' },
      upstreams: { raw: { targets: await listen(t, server) } },
      routes: {},
    })
    const client = await connect()
    await until('the target to be connected', () => sockets.length === 1)
    sockets[0]?.write('a part')
    await client.arrived(6)
    sockets[0]?.resetAndDestroy()
    await client.closed()
    t.is((client.error as NodeJS.ErrnoException | undefined)?.code, 'ECONNRESET')
    t.is(gateway.stats().total.errors['tunnel-broken'], 1)
  },
)

test('a target may speak first', async (t) => {
  const server = createServer((socket) => socket.write('220 hello\r\n'))
  const { connect } = await startGateway(t, {
    listen: { port: 0, tcp: 'raw' },
    upstreams: { raw: { targets: await listen(t, server) } },
    routes: {},
  })
  const client: RawClient = await connect()
  await client.arrived(11)
  t.is(client.unread, 11)
})

test('a tcp listener whose target refuses closes the connection', async (t) => {
  const server = createServer()
  const target = await listen(t, server)
  server.close()
  const { connect, gateway } = await startGateway(t, {
    listen: { port: 0, tcp: 'raw' },
    upstreams: { raw: { targets: target } },
    routes: {},
  })
  const client = await connect()
  t.is((await client.readToEnd()).length, 0)
  t.is(gateway.stats().total.errors['upstream-refused'], 1)
})
