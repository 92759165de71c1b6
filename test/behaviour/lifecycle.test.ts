// createGateway() as a program uses it: listeners of every kind, several gateways, taken ports,
// shutdown with and without draining, and what keeps a process alive.

import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { createGateway } from '../../src/gateway.ts'
import { files, respond } from '../../src/index.ts'
import { RawClient, request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { runProgram } from '../support/program.ts'
import { makeFolder, makeSite, patternBytes } from '../support/site.ts'
import { until } from '../support/wait.ts'

const routes = { '/*': respond(200, 'ok') } as const

test('listens on TCP and a unix socket at once, and removes the socket', async (t) => {
  const path = join(makeFolder(t), 'socket')
  const listen = [0, { path }]
  const { addresses, connect, gateway } = await startGateway(t, { listen, workers: 2, routes })
  t.regex(addresses[0]?.url ?? '', /^http:\/\/127\.0\.0\.1:\d+$/)
  t.deepEqual(addresses[1], { kind: 'unix', path, url: `unix:${path}` })
  for (const client of [await connect(), await connect({ path })]) {
    t.is((await client.ask(request('/'))).body.toString(), 'ok')
  }
  await gateway.close({ drain: false })
  t.false(existsSync(path))
})

test('listens on IPv6', async (t) => {
  const hasIPv6 = Object.values(networkInterfaces())
    .flat()
    .some((each) => each?.address === '::1')
  if (!hasIPv6) {
    t.pass('this machine has no IPv6')
    return
  }
  const { addresses, connect } = await startGateway(t, { listen: { host: '::1', port: 0 }, routes })
  t.regex(addresses[0]?.url ?? '', /^http:\/\/\[::1\]:\d+$/)
  t.is((await (await connect()).ask(request('/'))).body.toString(), 'ok')
})

test("'::' takes IPv4 clients too", async (t) => {
  const { addresses, connect } = await startGateway(t, { listen: { host: '::', port: 0 }, routes })
  const port = addresses[0]?.kind === 'tcp' ? addresses[0].port : 0
  const client = await connect({ host: '127.0.0.1', port })
  t.is((await client.ask(request('/'))).body.toString(), 'ok')
})

test('a port of somebody else is an error that names it', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const gateway = await createGateway({ listen: port, routes })
  const error = await t.throwsAsync(gateway.listen(), { code: 'ERR_SLUICE_LISTEN' })
  t.true(error.message.includes(`127.0.0.1:${port}`), error.message)
  await gateway.close()
})

test('a port of another gateway is an error too, though workers share ports', async (t) => {
  const { port, get } = await startGateway(t, { routes })
  const second = await createGateway({ listen: port, routes })
  await t.throwsAsync(second.listen(), { code: 'ERR_SLUICE_LISTEN' })
  t.is((await get('/')).status, 200)
})

test('a unix socket in use is an error, a leftover is replaced', async (t) => {
  const path = join(makeFolder(t), 'socket')
  const { get } = await startGateway(t, { listen: { path }, routes })
  const second = await createGateway({ listen: { path }, routes })
  const error = await t.throwsAsync(second.listen(), { code: 'ERR_SLUICE_LISTEN' })
  t.true(error.message.includes(path))
  t.is((await get('/')).status, 200)
})

test('two gateways in one process do not know each other', async (t) => {
  const one = await startGateway(t, { routes: { '/*': respond(200, 'one') } })
  const two = await startGateway(t, { routes: { '/*': respond(200, 'two') } })
  t.is((await one.get('/')).body.toString(), 'one')
  t.is((await two.get('/')).body.toString(), 'two')
  await one.gateway.close()
  t.is((await two.get('/')).body.toString(), 'two')
  t.is(two.gateway.stats().total.requests, 2)
})

test('stats stay readable after the end, and a gateway starts only once', async (t) => {
  const { gateway, get } = await startGateway(t, { routes })
  await get('/')
  await t.throwsAsync(gateway.listen(), { code: 'ERR_SLUICE_STATE' })
  await gateway.close()
  t.is(gateway.stats().total.requests, 1)
  await gateway.close({ drain: false })
  await t.throwsAsync(gateway.listen(), { code: 'ERR_SLUICE_STATE' })
})

test('the configuration may be in a file', async (t) => {
  const { root, path, add } = makeSite(t, { 'public/a.txt': 'from the file' })
  add(
    'gateway.config.ts',
    `import { defineGateway, files } from 'sluice'
     export default defineGateway({ listen: 0, workers: 1, routes: { '/*': files('public') } })`,
  )
  const gateway = await createGateway({ configFile: path('gateway.config.ts') })
  t.teardown(() => gateway.close({ drain: false }))
  t.is(gateway.resolved.file, join(root, 'gateway.config.ts'))
  const [address] = await gateway.listen()
  const response = await fetch(`${address?.url}/a.txt`)
  t.is(await response.text(), 'from the file')
})

test('a gateway that never listened closes', async (t) => {
  const gateway = await createGateway({ listen: 0, routes })
  t.is(gateway.stats().total.requests, 0)
  await gateway.close()
  await t.throwsAsync(gateway.listen(), { code: 'ERR_SLUICE_STATE' })
})

test('draining finishes what runs and takes nothing new', async (t) => {
  const content = patternBytes(12_000_000)
  const site = makeSite(t, { big: content })
  const running = await startGateway(t, { workers: 2, routes: { '/*': files(site.root) } })
  const busy = await running.connect()
  const idle = await running.connect()
  await idle.ask(request('/missing'))
  busy.write(request('/big'))
  await busy.arrived(1)
  busy.socket.pause()
  const closed = running.gateway.close()
  t.is((await idle.readToEnd()).length, 0, 'an idle connection is closed')
  await until('the listener to be gone', () =>
    RawClient.connect({ port: running.port }).then(
      ({ socket }) => void socket.destroy(),
      () => true,
    ),
  )
  busy.socket.resume()
  t.true((await busy.read()).body.equals(content))
  await closed
  t.is(running.gateway.stats().total.connections, 0)
})

test('who has connected before and asks a moment later is served', async (t) => {
  const running = await startGateway(t, { timeouts: { drain: '30s' }, routes })
  const fresh = await running.connect()
  const idle = await running.connect()
  await idle.ask(request('/'))
  await until('both to be there', () => running.gateway.stats().total.connections === 2)
  const closed = running.gateway.close()
  // A client whose kept connection ends asks again elsewhere; one that has just connected does not.
  await idle.readToEnd()
  const reply = await fresh.ask(request('/'))
  t.is(reply.status, 200)
  t.is(reply.field('connection'), 'close')
  await closed
})

test('draining ends after its timeout, whatever clients do', async (t) => {
  const site = makeSite(t, { big: patternBytes(30_000_000) })
  const config = { timeouts: { drain: '1s' }, routes: { '/*': files(site.root) } } as const
  const { connect, gateway } = await startGateway(t, config)
  const client = await connect()
  client.write(request('/big'))
  await client.arrived(1)
  client.socket.pause()
  await gateway.close()
  t.is(gateway.stats().total.connections, 0)
})

test('a hard close does not wait', async (t) => {
  const site = makeSite(t, { big: patternBytes(30_000_000) })
  const { connect, gateway } = await startGateway(t, { routes: { '/*': files(site.root) } })
  const client = await connect()
  client.write(request('/big'))
  await client.arrived(1)
  client.socket.pause()
  const drained = gateway.close()
  await gateway.close({ drain: false })
  await drained
  client.socket.resume()
  t.true((await client.readToEnd()).length < 30_000_000)
})

test('an open gateway keeps the process alive, a closed one does not', async (t) => {
  const { child, exit, line } = runProgram(
    t,
    `const never = await createGateway({ listen: 0, routes: { '/*': respond(200) } })
     const gateway = await createGateway({ listen: 0, routes: { '/*': respond(200, 'ok') } })
     const [{ port }] = await gateway.listen()
     process.once('SIGUSR2', () => gateway.close())
     console.log(port)`,
  )
  const client = await RawClient.connect({ port: Number(await line()) })
  t.is((await client.ask(request('/'))).body.toString(), 'ok')
  child.kill('SIGUSR2')
  t.is(await exit, 0)
})

test('a busy JavaScript thread does not delay what is remembered', async (t) => {
  const site = makeSite(t, { a: 'a', big: patternBytes(100_000) })
  const flag = join(makeFolder(t), 'flag')
  const { child, line } = runProgram(
    t,
    `const routes = { '/*': files(${JSON.stringify(site.root)}), '/ok': respond(200, 'ok') }
     const gateway = await createGateway({ listen: 0, workers: 1, routes })
     const [{ port }] = await gateway.listen()
     process.once('SIGUSR2', () => {
       console.log('busy')
       while (!existsSync(${JSON.stringify(flag)}));
       console.log('free')
     })
     console.log(port)`,
  )
  const client = await RawClient.connect({ port: Number(await line()) })
  t.teardown(() => client.socket.destroy())
  for (const target of ['/a', '/big', '/missing']) await client.ask(request(target))
  child.kill('SIGUSR2')
  t.is(await line(), 'busy')
  t.is((await client.ask(request('/a'))).body.toString(), 'a')
  t.is((await client.ask(request('/big'))).body.length, 100_000)
  t.is((await client.ask(request('/missing'))).status, 404)
  t.is((await client.ask(request('/ok'))).body.toString(), 'ok')
  writeFileSync(flag, '')
  t.is(await line(), 'free')
})
