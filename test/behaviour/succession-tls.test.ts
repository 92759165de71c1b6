// One process takes over from another where TLS is spoken: no handshake and no request fails,
// sessions go on with the successor, and WebSockets stay with the process that has them.

import { once } from 'node:events'
import { Agent, request as send } from 'node:https'
import test, { type ExecutionContext } from 'ava'
import { WebSocket, WebSocketServer } from 'ws'
import { request } from '../support/client.ts'
import { type Running, startSluice } from '../support/command-line.ts'
import { freePort } from '../support/ports.ts'
import { makeSite } from '../support/site.ts'
import { fixture, pair, pem, TlsClient } from '../support/tls.ts'
import { until } from '../support/wait.ts'

const ca = pem('ca.pem')

interface Place {
  port: number
  start(version: string): Promise<Running>
}

/** Configurations that differ in what they answer, before a target whose WebSockets echo. */
async function place(t: ExecutionContext, extra: object = {}): Promise<Place> {
  const echo = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  t.teardown(() => echo.close())
  await once(echo, 'listening')
  echo.on('connection', (socket) => socket.on('message', (data) => socket.send(`${data}!`)))
  const { port: target } = echo.address() as { port: number }
  const port = await freePort()
  const site = makeSite(t)
  const listen = { port, tls: { certificates: pair('ecdsa'), ...extra } }
  const start = async (version: string) => {
    site.add(
      `${version}.config.ts`,
      `import { defineGateway, proxy, respond } from 'sluice'
      export default defineGateway({
        listen: ${JSON.stringify(listen)},
        workers: ${version === 'old' ? 2 : 3},
        timeouts: { drain: '20s' },
        routes: {
          '/version': respond(200, '${version}'),
          '/*': proxy('http://127.0.0.1:${target}'),
        },
      })`,
    )
    const running = startSluice(t, [
      ...['run', '--config', site.path(`${version}.config.ts`), '--config-timeout', '1m'],
      ...['--handover', site.path('handover.sock')],
    ])
    t.is(await running.line(), `listening on https://127.0.0.1:${port}`)
    return running
  }
  return { port, start }
}

/** One request; a new connection unless there is an agent. */
async function ask(port: number, options: object = {}): Promise<string> {
  const to = { port, host: '127.0.0.1', servername: 'localhost', path: '/version', ca }
  const [response] = await once(send({ ...to, agent: false, ...options }).end(), 'response')
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += chunk
  return `${response.statusCode} ${body}`
}

/** What runs again and again until it is stopped; counts what came of it. */
function keepGoing(clients: (() => Promise<string>)[]) {
  let going = true
  const failures: string[] = []
  const counts: Record<string, number> = {}
  const loops = clients.map(async (client) => {
    while (going) {
      try {
        const came = await client()
        counts[came] = (counts[came] ?? 0) + 1
      } catch (error) {
        failures.push(String(error))
        break
      }
    }
  })
  const stop = async () => {
    going = false
    await Promise.all(loops)
  }
  return { failures, count: (of: string) => counts[of] ?? 0, counts, stop }
}

test('a successor takes over under load of TLS, and no request fails', async (t) => {
  t.timeout(120_000)
  const { port, start } = await place(t)
  const old = await start('old')
  // Full handshakes, resumed ones, and connections that are kept.
  const resuming = new Agent({ keepAlive: false, maxCachedSessions: 10 })
  const keeping = new Agent({ keepAlive: true, maxSockets: 2 })
  const load = keepGoing([
    () => ask(port),
    () => ask(port),
    () => ask(port, { agent: resuming }),
    () => ask(port, { agent: keeping }),
    () => ask(port, { agent: keeping, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }),
  ])
  await until('the old one to answer', () => load.count('200 old') > 50)
  const next = await start('new')
  t.like(await old.outcome, { code: 0 })
  const before = load.count('200 new')
  await until('the new one to answer alone', () => load.count('200 new') > before + 50)
  await load.stop()
  keeping.destroy()
  t.deepEqual(load.failures, [])
  t.deepEqual(Object.keys(load.counts).sort(), ['200 new', '200 old'])
  next.child.kill('SIGTERM')
  t.like(await next.outcome, { code: 0 })
})

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`sessions of ${version} go on with the successor, and with the one after it`, async (t) => {
    t.timeout(120_000)
    const { port, start } = await place(t, { mtls: { ca: fixture('ca.pem') } })
    const own = { cert: pem('client.pem'), key: pem('client.key') }
    const versions = { minVersion: version, maxVersion: version }
    const open = (session?: Buffer) => TlsClient.open(t, port, { ...own, ...versions, session })
    let old = await start('old')
    const first = await open()
    let session = first.tls.getSession()
    first.tls.on('session', (fresh) => {
      session = fresh
    })
    await first.ask(request('/version'))
    first.tls.destroy()
    for (const name of ['second', 'third']) {
      const next = await start(name)
      t.like(await old.outcome, { code: 0 })
      const client = await open(session)
      t.true(client.tls.isSessionReused(), name)
      t.is(String((await client.ask(request('/version'))).body), name)
      client.tls.destroy()
      old = next
    }
  })
}

test('WebSockets over TLS come and go while a successor takes over', async (t) => {
  t.timeout(120_000)
  const { port, start } = await place(t)
  const old = await start('old')
  const open = async () => {
    const socket = new WebSocket(`wss://localhost:${port}/socket`, { ca })
    await once(socket, 'open')
    return socket
  }
  const say = async (socket: WebSocket, word: string) => {
    socket.send(word)
    const [said] = await once(socket, 'message')
    return String(said)
  }
  const talking = keepGoing(
    Array.from({ length: 3 }, () => async () => {
      const socket = await open()
      const said = [await say(socket, 'one'), await say(socket, 'two')]
      socket.close()
      await once(socket, 'close')
      return said.join()
    }),
  )
  const lasting = await open()
  await until('some to have spoken', () => talking.count('one!,two!') > 10)
  await start('new')
  await until('the old one to hand over', () => /taken over/.test(old.stderr()))
  t.is(await say(lasting, 'still'), 'still!')
  const before = talking.count('one!,two!')
  await until('others to speak to the successor', () => talking.count('one!,two!') > before + 10)
  t.is(await say(lasting, 'there'), 'there!')
  lasting.close()
  t.like(await old.outcome, { code: 0 })
  await talking.stop()
  t.deepEqual(talking.failures, [])
  t.deepEqual(Object.keys(talking.counts), ['one!,two!'])
})
