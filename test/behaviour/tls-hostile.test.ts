// Whoever comes to a TLS port with something else than TLS, or with too much of it.

import { once } from 'node:events'
import { createConnection } from 'node:net'
import test from 'ava'
import { respond } from '../../src/index.ts'
import { RawClient, request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { Random } from '../support/random.ts'
import { startRelay } from '../support/relay.ts'
import { fixture, helloOf, secure, TlsClient } from '../support/tls.ts'
import { until } from '../support/wait.ts'

const routes = { '/*': respond(200, 'ok') }

test('plain HTTP to a TLS port gets an answer that says so', async (t) => {
  const { port, gateway } = await startGateway(t, { listen: secure(), routes })
  const client = await RawClient.connect({ port, host: '127.0.0.1' })
  const reply = await client.ask(request('/'))
  t.is(reply.status, 400)
  t.regex(String(reply.body), /https:\/\//)
  await client.readToEnd()
  t.is(gateway.stats().total.errors['plain-request'], 1)
  t.is((await (await TlsClient.open(t, port)).ask(request('/'))).status, 200)
})

test('a hello that comes in small pieces is a hello', async (t) => {
  const timeouts = { head: '60s' } as const
  const { port, gateway } = await startGateway(t, { listen: secure(), routes, timeouts })
  const hello = await helloOf()
  const socket = createConnection({ port, host: '127.0.0.1', noDelay: true })
  t.teardown(() => socket.destroy())
  const answered = once(socket, 'data')
  for (let at = 0; at < hello.length; at += 29) {
    socket.write(hello.subarray(at, at + 29))
    await new Promise(setImmediate)
  }
  const [bytes] = await answered
  t.is(bytes[0], 22)
  t.is(gateway.stats().total.tls.underWay, 1)
  socket.destroy()
  await until('the end', () => gateway.stats().total.connections === 0)
  t.is(gateway.stats().total.tls.underWay, 0)
})

test('a hello that is cut anywhere leaves nothing behind', async (t) => {
  const { port, gateway } = await startGateway(t, { listen: secure(), routes })
  const hello = await helloOf()
  for (let length = 0; length < hello.length; length += 23) {
    const socket = createConnection({ port, host: '127.0.0.1' })
    socket.on('error', () => {})
    socket.end(hello.subarray(0, length))
    await once(socket, 'close')
  }
  await until('the end', () => gateway.stats().total.connections === 0)
  t.is(gateway.stats().total.tls.underWay, 0)
  t.is((await (await TlsClient.open(t, port)).ask(request('/'))).status, 200)
})

test('random bytes, and hellos with random damage, break nothing', async (t) => {
  const { port, gateway } = await startGateway(t, {
    listen: secure({ mtls: { ca: fixture('ca.pem'), mode: 'optional' } }),
    routes,
    timeouts: { head: 500 },
  })
  const random = new Random(20_261_127)
  const hello = await helloOf()
  const attempt = async (index: number) => {
    const isHello = index % 2 === 0
    const bytes = isHello ? Buffer.from(hello) : Buffer.alloc(1 + random.below(3_000))
    const damaged = isHello ? 1 + random.below(8) : bytes.length
    for (let i = 0; i < damaged; i += 1) {
      const at = isHello ? random.below(bytes.length) : i
      bytes[at] = random.below(256)
    }
    if (!isHello && index % 4 === 1) bytes[0] = 22
    const socket = createConnection({ port, host: '127.0.0.1' })
    socket.on('error', () => {})
    socket.on('data', () => {})
    socket.write(bytes)
    if (index % 3 === 0) socket.end()
    await once(socket, 'close')
  }
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(Array.from({ length: 10 }, (_, i) => attempt(round * 10 + i)))
  }
  await until('the end', () => gateway.stats().total.connections === 0)
  t.is(gateway.stats().total.tls.underWay, 0)
  // A busy machine may need more than timeouts.head for one.
  await until('an answer', async () => {
    const reply = TlsClient.open(t, port).then((client) => client.ask(request('/')))
    return (await reply.catch(() => undefined))?.status === 200
  })
})

test('random bytes after a handshake end that connection alone', async (t) => {
  const { port, gateway } = await startGateway(t, { listen: secure(), routes })
  const other = await TlsClient.open(t, port)
  const relay = await startRelay(t, port)
  const client = await TlsClient.open(t, relay.port)
  await client.ask(request('/'))
  relay.gateway().write(Buffer.from([23, 3, 3, 0, 32, ...Buffer.alloc(32, 7)]))
  await until('the end', relay.isOver)
  t.is((await other.ask(request('/'))).status, 200)
  t.is(gateway.stats().total.connections, 1)
})

test('a handshake that does not go on ends in time', async (t) => {
  const { port, gateway } = await startGateway(t, {
    listen: secure(),
    routes,
    timeouts: { head: 200 },
  })
  const hello = await helloOf()
  const silent = createConnection({ port, host: '127.0.0.1' })
  const begun = createConnection({ port, host: '127.0.0.1' })
  begun.on('data', () => {})
  begun.write(hello)
  silent.on('data', () => {})
  await Promise.all([once(silent, 'close'), once(begun, 'close')])
  t.is(gateway.stats().total.errors['head-timeout'], 2)
})

test('more handshakes at once than limits.handshakes are not begun', async (t) => {
  const { port, gateway } = await startGateway(t, {
    listen: secure(),
    routes,
    limits: { handshakes: 3 },
  })
  const hello = await helloOf()
  const sockets = Array.from({ length: 5 }, () => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    socket.on('data', () => {})
    socket.write(hello)
    return socket
  })
  await until('the refusals', () => gateway.stats().total.errors['too-many-handshakes'] === 2)
  t.is(gateway.stats().total.tls.underWay, 3)
  for (const socket of sockets) socket.destroy()
  await until('the end', () => gateway.stats().total.connections === 0)
  t.is((await (await TlsClient.open(t, port)).ask(request('/'))).status, 200)
})
