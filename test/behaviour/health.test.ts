// Active health checks against real servers: what passes, what fails and why, and that the gateway
// knows. That requests then go elsewhere is tested with the balancing.

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import {
  createServer as createTcpServer,
  type ListenOptions,
  type Server,
  type Socket,
} from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { proxy } from '../../src/config/actions.ts'
import type { HealthOptions } from '../../src/config/proxy-options.ts'
import { resolveConfig } from '../../src/config/validate.ts'
import type { NativeEndpoint } from '../../src/native/values.ts'
import { probeOf } from '../../src/proxy/probes.ts'
import { startGateway } from '../support/gateway.ts'
import { until } from '../support/wait.ts'

/** Listens until the test ends; gives the address. */
async function listening(
  t: ExecutionContext,
  server: Server,
  where: ListenOptions = { host: '127.0.0.1', port: 0 },
): Promise<NativeEndpoint & { url: string }> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.listen(where)
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (typeof address === 'string') return { kind: 'unix', path: address, url: `unix:${address}` }
  const { port = 0, address: host = '' } = address ?? {}
  return { kind: 'tcp', host, port, url: `http://${host}:${port}` }
}

/** The outcome of one check of `endpoint`: '' or why it failed. */
async function outcome(
  endpoint: NativeEndpoint,
  options: HealthOptions = {},
  more: { proxyProtocol?: 'v1' | 'v2'; signal?: AbortSignal } = {},
): Promise<string> {
  const action = proxy('http://target.test:3000', { health: options })
  const { upstreams } = resolveConfig({ routes: { '/': action } }, { file: '', directory: '/' })
  const [upstream] = upstreams
  if (!upstream?.health) throw new Error('no health')
  const { health, tls } = upstream
  const { proxyProtocol = false, signal = AbortSignal.timeout(15_000) } = more
  const authority = 'target.test:3000'
  const probe = probeOf({ endpoint, authority, secure: false, tls, proxyProtocol, health })
  try {
    await probe(signal)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

test('a check asks for its path on a connection of its own', async (t) => {
  const seen: IncomingMessage[] = []
  const ports = new Set<number | undefined>()
  const at = await listening(
    t,
    createServer((request, response) => {
      seen.push(request)
      ports.add(request.socket.remotePort)
      response.end('ok')
    }),
  )
  t.is(await outcome(at, { path: '/healthz?deep=1' }), '')
  t.is(await outcome(at, { method: 'HEAD', host: 'other.test' }), '')
  const [first, second] = seen
  t.is(`${first?.method} ${first?.url}`, 'GET /healthz?deep=1')
  t.is(first?.headers.host, 'target.test:3000')
  t.is(first?.headers['user-agent'], 'sluice-health-check')
  t.is(`${second?.method} ${second?.headers.host}`, 'HEAD other.test')
  t.is(ports.size, 2)
  await until('both connections to close', () => seen.every(({ socket }) => socket.destroyed))
})

test('statuses: 2xx unless others are named', async (t) => {
  let status = 200
  const at = await listening(
    t,
    createServer((_request, response) => {
      response.writeHead(status, status === 302 ? { Location: '/elsewhere' } : {}).end()
    }),
  )
  const cases: [number, HealthOptions, string][] = [
    [204, {}, ''],
    [302, {}, 'status 302'],
    [302, { status: ['2xx', 302] }, ''],
    [500, {}, 'status 500'],
    [401, { status: '4xx' }, ''],
    [200, { status: 401 }, 'status 200'],
  ]
  for (const [answer, options, expected] of cases) {
    status = answer
    t.is(await outcome(at, options), expected)
  }
})

test('body: a text in the first 64 KiB', async (t) => {
  const answers: Record<string, RequestListener> = {
    '/early': (_request, response) => void response.end(`{"status":"ok"}${'x'.repeat(200_000)}`),
    '/late': (_request, response) => void response.end(`${'x'.repeat(70_000)}"status":"ok"`),
    '/endless': (_request, response) => {
      response.on('close', () => clearInterval(timer))
      const timer = setInterval(() => response.write('x'.repeat(20_000)), 1)
    },
    '/cut': (request, response) => {
      response.writeHead(200, { 'Content-Length': 100 }).write('half')
      setImmediate(() => request.socket.destroy())
    },
  }
  const at = await listening(
    t,
    createServer((request, response) => answers[request.url ?? '']?.(request, response)),
  )
  const body = '"status":"ok"'
  t.is(await outcome(at, { path: '/early', body }), '')
  t.is(await outcome(at, { path: '/late', body }), 'the answer lacks "\\"status\\":\\"ok\\""')
  t.regex(await outcome(at, { path: '/endless', body }), /^the answer lacks/)
  t.not(await outcome(at, { path: '/cut', body }), '')
})

test('what is no HTTP server fails: refused, silent, nonsense, closed at once', async (t) => {
  const silent = await listening(
    t,
    createTcpServer(() => {}),
  )
  const nonsense = await listening(
    t,
    createTcpServer((socket) => void socket.end('SSH-2.0-OpenSSH\r\n')),
  )
  const rude = await listening(
    t,
    createTcpServer((socket) => void socket.destroy()),
  )
  t.regex(await outcome({ kind: 'tcp', host: '127.0.0.1', port: 1 }), /ECONNREFUSED/)
  t.regex(await outcome(silent, {}, { signal: AbortSignal.timeout(50) }), /abort/)
  t.not(await outcome(nonsense), '')
  t.not(await outcome(rude), '')
  t.is(await outcome(silent, { tcp: true }), '')
  t.regex(await outcome({ kind: 'tcp', host: '127.0.0.1', port: 1 }, { tcp: true }), /ECONNREFUSED/)
})

test('unix sockets are checked, too', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const server = createServer((_request, response) => void response.end('ok'))
  const at = await listening(t, server, { path: join(folder, 'app.sock') })
  t.is(await outcome(at), '')
  t.is(await outcome(at, { tcp: true }), '')
  t.regex(await outcome({ kind: 'unix', path: join(folder, 'none') }), /ENOENT/)
})

test('targets that want the PROXY protocol get its header first', async (t) => {
  const heads: string[] = []
  const at = await listening(
    t,
    createTcpServer((socket) => {
      socket.once('data', (head) => {
        heads.push(head.toString('latin1'))
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      })
    }),
  )
  t.is(await outcome(at, {}, { proxyProtocol: 'v1' }), '')
  t.is(await outcome(at, {}, { proxyProtocol: 'v2' }), '')
  t.regex(heads[0] ?? '', /^PROXY UNKNOWN\r\n/)
  t.true(heads[1]?.startsWith('\r\n\r\n\0\r\nQUIT\n\x20\0\0\0'))
})

test('a gateway knows how its targets do, and says when it changes', async (t) => {
  let status = 200
  const at = await listening(
    t,
    createServer((_request, response) => void response.writeHead(status).end()),
  )
  const action = proxy([at.url as `http://${string}`, 'http://127.0.0.1:1'], {
    health: { path: '/', interval: 100, rise: 1, fall: 1 },
  })
  const { gateway, log } = await startGateway(t, { routes: { '/*': action } })
  const health = () => gateway.stats().upstreams[0]?.targets.map((target) => target.health)
  await until('the first checks', () => health()?.join() === 'up,down')
  t.regex(gateway.stats().upstreams[0]?.targets[1]?.reason ?? '', /ECONNREFUSED/)
  status = 503
  await until('a failed check', () => health()?.join() === 'down,down')
  status = 200
  await until('a good check', () => health()?.join() === 'up,down')
  const own = log.filter(({ message }) => message.startsWith(at.url.slice('http://'.length)))
  t.deepEqual(
    own.map(({ code }) => code),
    ['target-up', 'target-down', 'target-up'],
  )
})

test('a gateway whose upstream does not resolve starts, and says so', async (t) => {
  const { gateway, log } = await startGateway(t, {
    routes: { '/*': proxy('http://no-such-name.invalid:3000') },
  })
  await until('the name to be asked for', () => log.some(({ code }) => code === 'name-unresolved'))
  const [upstream] = gateway.stats().upstreams
  t.deepEqual(upstream?.targets, [])
  t.is(upstream?.unresolved[0]?.url, 'http://no-such-name.invalid:3000')
})

test('localhost is every loopback address that the hosts file gives it', async (t) => {
  const { gateway } = await startGateway(t, { routes: { '/*': proxy('http://localhost:3000') } })
  const shown = () => gateway.stats().upstreams[0]?.targets.map(({ address }) => address) ?? []
  await until('the addresses', () => shown().length > 0)
  const addresses = shown()
  for (const address of addresses) t.true(['127.0.0.1:3000', '[::1]:3000'].includes(address))
})

test('targets change while a gateway runs', async (t) => {
  const { gateway } = await startGateway(t, {
    upstreams: { api: { targets: 'http://127.0.0.1:1' } },
    routes: { '/*': proxy('api') },
  })
  gateway.upstreams.add('api', 'http://127.0.0.2:1')
  gateway.upstreams.drain('api', 'http://127.0.0.1:1')
  const shown = () =>
    gateway.stats().upstreams[0]?.targets.map(({ url, draining }) => [url, draining])
  t.deepEqual(shown(), [
    ['http://127.0.0.1:1', true],
    ['http://127.0.0.2:1', false],
  ])
  gateway.upstreams.remove('api', 'http://127.0.0.1:1')
  t.deepEqual(shown(), [['http://127.0.0.2:1', false]])
  await gateway.close()
  t.is(gateway.stats().upstreams[0]?.targets.length, 1)
})
