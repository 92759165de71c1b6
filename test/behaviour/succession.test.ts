// One process takes over from another while clients keep asking: nobody sees a failed request, and
// what was under way is finished by the one that has it.

import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, request as send } from 'node:http'
import { createConnection } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { WebSocket, WebSocketServer } from 'ws'
import { inheritFrom } from '../../src/cli/succession.ts'
import { ask } from '../support/ask.ts'
import { RawClient, request } from '../support/client.ts'
import { type Running, startSluice } from '../support/command-line.ts'
import { freePort } from '../support/ports.ts'
import { makeSite } from '../support/site.ts'
import { startTarget } from '../support/target.ts'
import { until } from '../support/wait.ts'

interface Place {
  config(version: string): string
  path(name: string): string
  start(version: string): Promise<Running>
  port: number
}

/** Configurations that differ in what they answer, and share their ports. */
async function place(t: ExecutionContext, target: string, oldLimits: object = {}): Promise<Place> {
  const port = await freePort()
  const site = makeSite(t)
  const config = (version: string) => {
    const name = `${version}.config.ts`
    site.add(
      name,
      `import { defineGateway, proxy, respond } from 'sluice'
      export default defineGateway({
        listen: [${port}, { path: 'front.sock' }],
        admin: { path: 'admin.sock' },
        workers: ${version === 'old' ? 2 : 3},
        timeouts: { drain: '20s' },
        limits: ${version === 'old' ? JSON.stringify(oldLimits) : '{}'},
        routes: { '/version': respond(200, '${version}'), '/*': proxy('${target}') },
      })`,
    )
    return site.path(name)
  }
  const start = async (version: string) => {
    const rendezvous = ['--handover', site.path('handover.sock')]
    const args = ['run', '--config', config(version), '--config-timeout', '1m', ...rendezvous]
    const running = startSluice(t, args)
    t.is(await running.line(), `listening on http://127.0.0.1:${port}`)
    t.is(await running.line(), `listening on unix:${site.path('front.sock')}`)
    return running
  }
  return { config, path: site.path, start, port }
}

/** Clients that keep asking, each on its own connection and on fresh ones; what went wrong. */
function keepAsking(port: number, socketPath: string) {
  let going = true
  const failures: string[] = []
  const versions: Record<string, number> = {}
  const one = async (ask_: () => Promise<{ status: number; body: string }>) => {
    while (going) {
      try {
        const { status, body } = await ask_()
        if (status === 200) versions[body] = (versions[body] ?? 0) + 1
        else failures.push(`${status} ${body}`)
      } catch (error) {
        failures.push(String(error))
      }
    }
  }
  const clients = [
    ...Array.from({ length: 4 }, () => one(() => ask(port, '/version'))),
    ...Array.from({ length: 2 }, () => one(() => ask(port, '/proxied'))),
    one(() => ask(0, '/version', { socketPath })),
  ]
  const stop = async () => {
    going = false
    await Promise.all(clients)
  }
  return { failures, versions, stop }
}

/** A target whose WebSockets say again what they are told, with a mark. Its URL. */
async function startEcho(t: ExecutionContext): Promise<string> {
  const echo = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  t.teardown(() => echo.close())
  await once(echo, 'listening')
  echo.on('connection', (socket) => socket.on('message', (data) => socket.send(`${data}!`)))
  const { port } = echo.address() as { port: number }
  return `http://127.0.0.1:${port}`
}

test('a successor takes over under load, and no request fails', async (t) => {
  t.timeout(120_000)
  const target = await startTarget(t, 'proxied')
  const { start, path, port } = await place(t, target.url)
  const old = await start('old')
  const asking = keepAsking(port, path('front.sock'))
  await until('the old one to answer', () => (asking.versions.old ?? 0) > 50)
  const next = await start('new')
  t.like(await old.outcome, { code: 0 })
  t.regex(old.stderr(), /has taken over/)
  const before = asking.versions.new ?? 0
  await until('the new one to answer alone', () => (asking.versions.new ?? 0) > before + 50)
  await asking.stop()
  t.deepEqual(asking.failures, [])
  t.true((asking.versions.proxied ?? 0) > 0)
  // The paths are the successor's, and go with it.
  t.is((await ask(0, '/readyz', { socketPath: path('admin.sock') })).status, 200)
  next.child.kill('SIGTERM')
  t.like(await next.outcome, { code: 0 })
  t.deepEqual(
    ['front.sock', 'admin.sock', 'handover.sock'].filter((name) => existsSync(path(name))),
    [],
  )
})

test('a request and a WebSocket that run are finished by the old process', async (t) => {
  t.timeout(120_000)
  const answer = Promise.withResolvers<void>()
  const target = await startTarget(t, 'slow', (_request, response) => {
    response.write('begun ')
    void answer.promise.then(() => response.end('done'))
  })
  const { start, port } = await place(t, await startEcho(t))
  const slow = await place(t, target.url)
  const oldSlow = await slow.start('old')
  const old = await start('old')
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
  await once(socket, 'open')
  const asked = send({ port: slow.port, host: '127.0.0.1', path: '/slow', agent: false })
  const [response] = await once(asked.end(), 'response')
  let body = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    body += chunk
  })
  await start('new')
  await slow.start('new')
  await until(
    'both to hand over',
    () => /taken/.test(old.stderr()) && /taken/.test(oldSlow.stderr()),
  )
  socket.send('still')
  const [message] = await once(socket, 'message')
  t.is(String(message), 'still!')
  t.is((await ask(port, '/version')).body, 'new')
  answer.resolve()
  await once(response, 'end')
  t.is(body, 'begun done')
  socket.close()
  t.like(await old.outcome, { code: 0 })
  t.like(await oldSlow.outcome, { code: 0 })
})

/** Opens WebSockets one after the other and speaks on each; what went wrong. */
function keepTalking(port: number) {
  let going = true
  let spoken = 0
  const failures: string[] = []
  const talk = async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
    await once(socket, 'open')
    for (const word of ['one', 'two', 'three']) {
      socket.send(word)
      const [said] = await once(socket, 'message')
      if (String(said) !== `${word}!`) throw new Error(`${said} for ${word}`)
      spoken++
    }
    socket.close()
    await once(socket, 'close')
  }
  const client = async () => {
    while (going) await talk().catch((error) => void failures.push(String(error)))
  }
  const clients = [client(), client(), client()]
  const stop = async () => {
    going = false
    await Promise.all(clients)
  }
  return { failures, spoken: () => spoken, stop }
}

test('a successor takes over while WebSockets come and go, and none is cut off', async (t) => {
  t.timeout(120_000)
  const { start, port } = await place(t, await startEcho(t))
  const old = await start('old')
  const talking = keepTalking(port)
  await until('some to have spoken', () => talking.spoken() > 30)
  await start('new')
  t.like(await old.outcome, { code: 0 })
  const before = talking.spoken()
  await until('others to speak to the successor', () => talking.spoken() > before + 30)
  await talking.stop()
  t.deepEqual(talking.failures, [])
})

test('a successor is given the listeners of the last reload', async (t) => {
  t.timeout(120_000)
  const second = await freePort()
  const { root, add, path } = makeSite(t)
  const write = (ports: number[], version: string) =>
    add(
      'gateway.config.ts',
      `import { defineGateway, respond } from 'sluice'
      export default defineGateway({
        listen: ${JSON.stringify(ports)}, routes: { '/': respond(200, '${version}') },
      })`,
    )
  const args = ['run', '--config-timeout', '1m', '--handover', path('handover.sock')]
  write([await freePort()], 'first')
  const old = startSluice(t, args, { cwd: root })
  await old.line()
  write([second], 'second')
  old.child.kill('SIGHUP')
  t.is(await old.line(), `listening on http://127.0.0.1:${second}`)
  write([second], 'third')
  const next = startSluice(t, args, { cwd: root })
  t.is(await next.line(), `listening on http://127.0.0.1:${second}`)
  t.like(await old.outcome, { code: 0 })
  t.is((await ask(second, '/')).body, 'third')
})

test('connections that wait in a queue are served by the successor', async (t) => {
  t.timeout(120_000)
  const target = await startTarget(t, 'proxied')
  const { start, port } = await place(t, target.url, { connectionsPerWorker: 1 })
  const old = await start('old')
  // Both workers have as many as they may: who comes now waits in the queues of their sockets.
  const sockets = Array.from({ length: 30 }, () => createConnection({ port, host: '127.0.0.1' }))
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  const answers = sockets.map((socket) => new RawClient(socket).ask(request('/version')))
  const settled = Promise.allSettled(answers)
  await start('new')
  const bodies = (await settled).map((answer) => {
    return answer.status === 'fulfilled' ? answer.value.body.toString() : String(answer.reason)
  })
  for (const socket of sockets) socket.destroy()
  t.deepEqual([...new Set(bodies)].sort(), ['new', 'old'])
  t.true(bodies.filter((body) => body === 'old').length < 10)
  t.like(await old.outcome, { code: 0 })
})

test('a predecessor that is killed meanwhile leaves its sockets to the successor', async (t) => {
  t.timeout(120_000)
  const target = await startTarget(t, 'proxied')
  const { start, path, port } = await place(t, target.url)
  const old = await start('old')
  const before = inheritFrom(path('handover.sock'))
  old.child.kill('SIGKILL')
  await old.outcome
  t.notThrows(() => before?.ready())
  const own = before?.sockets.filter(({ address }) => 'port' in address && address.port === port)
  t.is(own?.length, 2)
  for (const { fd } of own ?? []) {
    const server = createServer((_request, response) => void response.end('successor'))
    t.teardown(() => server.close())
    server.listen({ fd })
  }
  for (let i = 0; i < 10; i++) t.is((await ask(port, '/')).body, 'successor')
})

test('a successor that cannot start changes nothing', async (t) => {
  t.timeout(120_000)
  const target = await startTarget(t, 'proxied')
  const { start, path, port } = await place(t, target.url)
  const old = await start('old')
  const taken = startSluice(t, [
    ...['run', '--config', broken(t), '--config-timeout', '1m'],
    ...['--handover', path('handover.sock')],
  ])
  t.like(await taken.outcome, { code: 1 })
  t.is((await ask(port, '/version')).body, 'old')
  t.is((await ask(0, '/version', { socketPath: path('front.sock') })).body, 'old')
  old.child.kill('SIGTERM')
  t.like(await old.outcome, { code: 0 })
})

/** A configuration without the listeners that it would be given. */
function broken(t: ExecutionContext): string {
  const { path } = makeSite(t, {
    'gateway.config.ts': `import { defineGateway, respond } from 'sluice'
      export default defineGateway({ listen: 0, routes: { '/': respond(200, 'ok') } })`,
  })
  return path('gateway.config.ts')
}
