// How fast a client must take and send bodies: timeouts.minimumRate, and what counts as progress.
// Periods are short so that a test is: the rate is counted over one, the grace is one and a half.

import test, { type ExecutionContext } from 'ava'
import { files, proxy, respond } from '../../src/index.ts'
import type { RawClient } from '../support/client.ts'
import { request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { startTarget } from '../support/target.ts'
import { until } from '../support/wait.ts'

const size = 30_000_000

/** Lets at most a chunk through now and then. */
function readSlowly({ socket }: RawClient, everyMs: number): NodeJS.Timeout {
  socket.pause()
  socket.on('data', () => socket.pause())
  return setInterval(() => socket.resume(), everyMs)
}

testOnBothTwins('a client that takes too little is closed', async (t, transfer) => {
  const site = makeSite(t, { big: patternBytes(size) })
  const { connect, gateway } = await startGateway(t, {
    transfer,
    timeouts: { write: '500ms', minimumRate: '100mb' },
    routes: { '/*': files(site.root) },
  })
  const client = await connect()
  const timer = readSlowly(client, 20)
  t.teardown(() => clearInterval(timer))
  client.write(request('/big'))
  await until('the rate to be missed', () => gateway.stats().total.errors['too-slow'] === 1)
  t.is(gateway.stats().total.errors['write-timeout'], undefined)
  await until('the connection to be gone', () => gateway.stats().total.connections === 0)
})

testOnBothTwins('without a rate a slow client gets every byte', async (t, transfer) => {
  const content = patternBytes(size)
  const site = makeSite(t, { big: content })
  const { connect, gateway } = await startGateway(t, {
    transfer,
    timeouts: { write: '500ms', minimumRate: 0 },
    routes: { '/*': files(site.root) },
  })
  const client = await connect()
  const timer = readSlowly(client, 2)
  t.teardown(() => clearInterval(timer))
  t.true((await client.ask(request('/big'))).body.equals(content))
  t.deepEqual(gateway.stats().total.errors, {})
})

test('a body that comes too slowly closes the connection', async (t) => {
  const { connect, gateway } = await startGateway(t, {
    timeouts: { body: '500ms', minimumRate: '10kb' },
    routes: { '/*': respond(200, 'ok') },
  })
  const client = await connect()
  client.write(request('/', { 'Content-Length': '60000' }, 'POST'))
  t.is((await client.read()).status, 200)
  const timer = setInterval(() => client.write('x'), 50)
  t.teardown(() => clearInterval(timer))
  await until('the rate to be missed', () => gateway.stats().total.errors['too-slow'] === 1)
  t.is((await client.readToEnd()).length, 0)
})

test('a body that comes fast enough is read, and the next request answered', async (t) => {
  const { connect, gateway } = await startGateway(t, {
    timeouts: { body: '500ms', minimumRate: '1kb' },
    routes: { '/*': respond(200, 'ok') },
  })
  const client = await connect()
  client.write(request('/', { 'Content-Length': '30000' }, 'POST'))
  t.is((await client.read()).status, 200)
  let left = 30_000
  const timer = setInterval(() => {
    client.write('x'.repeat(Math.min(left, 1000)))
    left -= Math.min(left, 1000)
    if (left === 0) clearInterval(timer)
  }, 50)
  t.teardown(() => clearInterval(timer))
  await until('the body to be sent', () => left === 0)
  t.is((await client.ask(request('/'))).status, 200)
  t.deepEqual(gateway.stats().total.errors, {})
})

/** A target with one large answer, and one that reads what is sent to it. */
async function target(t: ExecutionContext, content: Uint8Array): Promise<string> {
  const { url } = await startTarget(t, 'target', (message, response) => {
    if (message.method === 'POST') message.resume()
    else response.end(content)
  })
  return url
}

testOnBothTwins('a client that takes too little of a forwarded answer', async (t, transfer) => {
  const { connect, gateway } = await startGateway(t, {
    transfer,
    timeouts: { write: '500ms', minimumRate: '100mb' },
    routes: { '/*': proxy(await target(t, patternBytes(size))) },
  })
  const client = await connect()
  const timer = readSlowly(client, 20)
  t.teardown(() => clearInterval(timer))
  client.write(request('/big'))
  await until('the rate to be missed', () => gateway.stats().total.errors['too-slow'] === 1)
  await until('the connection to be gone', () => gateway.stats().total.connections === 0)
  t.is(gateway.stats().upstreams[0]?.targets[0]?.active, 0)
})

testOnBothTwins('without a rate a slow client gets all of it', async (t, transfer) => {
  const content = patternBytes(size)
  const { connect, gateway } = await startGateway(t, {
    transfer,
    timeouts: { write: '500ms', minimumRate: 0 },
    routes: { '/*': proxy(await target(t, content)) },
  })
  const client = await connect()
  const timer = readSlowly(client, 2)
  t.teardown(() => clearInterval(timer))
  client.write(request('/big', { Connection: 'close' }))
  const bytes = await client.readToEnd()
  t.true(bytes.includes(content.subarray(0, 1_000)))
  t.true(bytes.length > size)
  t.deepEqual(gateway.stats().total.errors, {})
})

test('a client that sends a forwarded body too slowly', async (t) => {
  const { connect, gateway } = await startGateway(t, {
    timeouts: { body: '500ms', minimumRate: '10kb' },
    routes: { '/*': proxy(await target(t, new Uint8Array())) },
  })
  const client = await connect()
  client.write(request('/', { 'Content-Length': '60000' }, 'POST'))
  const timer = setInterval(() => client.write('x'), 50)
  t.teardown(() => clearInterval(timer))
  await until('the rate to be missed', () => gateway.stats().total.errors['too-slow'] === 1)
  await until('the target to be free', () => {
    return gateway.stats().upstreams[0]?.targets[0]?.active === 0
  })
  t.is(gateway.stats().total.errors['body-timeout'], undefined)
})
