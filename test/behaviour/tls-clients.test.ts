// Clients that speak TLS, but as nobody should: hellos beyond measure, renegotiation, tickets of
// somebody else, connections that are half closed.

import { once } from 'node:events'
import { createConnection } from 'node:net'
import { connect } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import { files, respond } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { startRelay } from '../support/relay.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { secure, TlsClient } from '../support/tls.ts'
import { until } from '../support/wait.ts'

const routes = { '/*': respond(200, 'ok') }
const alert = 21

const number = (value: number, bytes: number): Buffer => {
  const buffer = Buffer.alloc(bytes)
  buffer.writeUIntBE(value, 0, bytes)
  return buffer
}

/** With its length before it. */
const counted = (content: Buffer, bytes: number): Buffer =>
  Buffer.concat([number(content.length, bytes), content])

/** A ClientHello of TLS 1.2 in as many records as it takes, with this name and so much padding. */
function hello(name: Buffer, padding = 0): Buffer {
  const extension = (type: number, content: Buffer) =>
    Buffer.concat([number(type, 2), counted(content, 2)])
  const names = counted(Buffer.concat([Buffer.from([0]), counted(name, 2)]), 2)
  const extensions = [
    ...(name.length > 0 ? [extension(0, names)] : []),
    extension(10, counted(number(0x17, 2), 2)),
    extension(13, counted(Buffer.from('04030804', 'hex'), 2)),
    ...(padding > 0 ? [extension(21, Buffer.alloc(padding))] : []),
  ]
  const body = Buffer.concat([
    ...[number(0x0303, 2), Buffer.alloc(32, 7), Buffer.from([0])],
    ...[counted(number(0xc02b, 2), 2), counted(Buffer.from([0]), 1)],
    counted(Buffer.concat(extensions), 2),
  ])
  const message = Buffer.concat([Buffer.from([1]), counted(body, 3)])
  const records = []
  for (let at = 0; at < message.length; at += 16_000) {
    records.push(number(0x160301, 3), counted(message.subarray(at, at + 16_000), 2))
  }
  return Buffer.concat(records)
}

/** Type of the first record that comes back; 0: the connection ended without one. */
async function answerTo(t: ExecutionContext, port: number, bytes: Buffer): Promise<number> {
  const socket = createConnection({ port, host: '127.0.0.1' })
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  const answered = new Promise<number>((resolve) => {
    socket.once('data', (answer) => resolve(answer[0] ?? 0))
    socket.once('close', () => resolve(0))
  })
  socket.write(bytes)
  const type = await answered
  socket.destroy()
  return type
}

/** Its alert may be lost where bytes of ours were still on their way to it. */
async function isRefused(t: ExecutionContext, port: number, bytes: Buffer): Promise<void> {
  t.true([alert, 0].includes(await answerTo(t, port, bytes)))
}

async function isWell(t: ExecutionContext, port: number): Promise<void> {
  const client = await TlsClient.open(t, port)
  t.is((await client.ask(request('/'))).status, 200)
  client.tls.destroy()
}

test('a hello of 60 KB is a hello', async (t) => {
  const { port, gateway } = await startGateway(t, { listen: secure(), routes })
  t.is(await answerTo(t, port, hello(Buffer.from('localhost'))), 22)
  t.is(await answerTo(t, port, hello(Buffer.from('localhost'), 60_000)), 22)
  await until('the end', () => gateway.stats().total.connections === 0)
  await isWell(t, port)
})

test('a name of 10 KB is refused, and odd names are nobody', async (t) => {
  const { port, gateway } = await startGateway(t, { listen: secure(), routes })
  await isRefused(t, port, hello(Buffer.alloc(10_000, 'a')))
  await isRefused(t, port, hello(Buffer.from('local\0host')))
  for (const name of ['.', '*', '*.example.com', '..', '\xff\xfe', "a' OR 1=1", 'a'.repeat(255)]) {
    t.is(await answerTo(t, port, hello(Buffer.from(name, 'latin1'))), 22, name)
  }
  await until('the end', () => gateway.stats().total.connections === 0)
  await isWell(t, port)
})

test('a hello that says it is longer than any ends the connection', async (t) => {
  const { port, gateway } = await startGateway(t, { listen: secure(), routes })
  const start = Buffer.concat([number(0x160301, 3), counted(Buffer.from('01ffffff0303', 'hex'), 2)])
  await isRefused(t, port, start)
  await until('the end', () => gateway.stats().total.connections === 0)
  await isWell(t, port)
})

test('nobody renegotiates', async (t) => {
  const { port, gateway } = await startGateway(t, { listen: secure(), routes })
  const client = await TlsClient.open(t, port, { maxVersion: 'TLSv1.2' })
  t.is((await client.ask(request('/'))).status, 200)
  const failed = Promise.race([
    once(client.tls, 'error').then(
      ([error]) => error as Error,
      (error) => error as Error,
    ),
    new Promise<Error | null>((resolve) => void client.tls.renegotiate({}, resolve)),
  ])
  t.regex(String(await failed), /renegotiation/)
  client.tls.destroy()
  t.is(gateway.stats().total.tls.handshakes, 1)
  await isWell(t, port)
})

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a ticket of another gateway means a full handshake, ${version}`, async (t) => {
    const [one, other] = [
      await startGateway(t, { listen: secure(), routes }),
      await startGateway(t, { listen: secure(), routes }),
    ]
    const versions = { minVersion: version, maxVersion: version }
    const first = await TlsClient.open(t, one.port, versions)
    let session = first.tls.getSession()
    first.tls.on('session', (fresh) => {
      session = fresh
    })
    await first.ask(request('/'))
    const second = await TlsClient.open(t, other.port, { ...versions, session })
    t.false(second.tls.isSessionReused())
    t.is((await second.ask(request('/'))).status, 200)
    t.is(other.gateway.stats().total.tls.resumed, 0)
    const again = await TlsClient.open(t, one.port, { ...versions, session })
    t.true(again.tls.isSessionReused())
  })
}

test('a client that ends its side and reads on gets its answer whole', async (t) => {
  const content = patternBytes(3_000_000)
  const site = makeSite(t, { big: content })
  const { port, gateway } = await startGateway(t, {
    listen: secure(),
    routes: { '/*': files(site.root) },
  })
  const relay = await startRelay(t, port)
  const client = await TlsClient.open(t, relay.port)
  client.write(request('/big'))
  await client.arrived(1)
  relay.gateway().end()
  t.true((await client.read()).body.equals(content))
  await until('the end', () => gateway.stats().total.connections === 0)
})

test('handshakes that stop in the middle by hundreds leave nothing behind', async (t) => {
  const { port, gateway } = await startGateway(t, { listen: secure(), workers: 2, routes })
  const bytes = hello(Buffer.from('localhost'))
  for (let round = 0; round < 5; round += 1) {
    const sockets = Array.from({ length: 100 }, (_, index) => {
      const socket = createConnection({ port, host: '127.0.0.1' })
      socket.on('error', () => {})
      socket.write(index % 2 === 0 ? bytes : bytes.subarray(0, bytes.length - 1 - index))
      return socket
    })
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    for (const [index, socket] of sockets.entries()) {
      if (index % 3 === 0) socket.resetAndDestroy()
      else if (index % 3 === 1) socket.end()
      else socket.destroy()
    }
  }
  await until('the end', () => gateway.stats().total.connections === 0)
  t.is(gateway.stats().total.tls.underWay, 0)
  await isWell(t, port)
})

test('a client that closes within its handshake is no fault of ours', async (t) => {
  const { port, gateway, log } = await startGateway(t, { listen: secure(), routes })
  for (let i = 0; i < 20; i += 1) {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost' })
    socket.on('error', () => {})
    socket.once('connect', () => socket.destroy())
    await once(socket, 'close')
  }
  await until('the end', () => gateway.stats().total.connections === 0)
  t.deepEqual(
    log.filter(({ level }) => level === 'error'),
    [],
  )
  await isWell(t, port)
})
