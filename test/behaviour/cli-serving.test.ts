// sluice run, serve and proxy: ready, serving, a taken port, and stopping by signals.

import { createServer as createHttpServer } from 'node:http'
import { createConnection, createServer, type Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { RawClient, request } from '../support/client.ts'
import { type Running, sluice, startSluice } from '../support/command-line.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { until } from '../support/wait.ts'

/** The port of a ready line such as 'listening on http://127.0.0.1:8080'. */
async function readyPort(running: Running): Promise<number> {
  const line = await running.line()
  const port = /^listening on http:\/\/.*:(\d+)(?: \(.*\))?$/.exec(line)?.[1]
  if (port === undefined) throw new Error(`not a ready line: ${line}`)
  return Number(port)
}

async function statusOf(port: number, target: string, host = '127.0.0.1'): Promise<number> {
  const client = await RawClient.connect({ port, host })
  const { status } = await client.ask(request(target))
  client.socket.destroy()
  return status
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`serve: the files of a directory, until ${signal}`, async (t) => {
    const { root } = makeSite(t, { 'index.html': '<p>', 'a/b.txt': 'x' })
    const running = startSluice(t, ['serve', '--port', '0'], { cwd: root })
    const port = await readyPort(running)
    t.is(await statusOf(port, '/'), 200)
    t.is(await statusOf(port, '/a/b.txt'), 200)
    t.is(await statusOf(port, '/nothing'), 404)
    running.child.kill(signal)
    t.deepEqual(await running.outcome, { code: 0, stderr: '' })
  })
}

test('serve: another directory and every address', async (t) => {
  const { root } = makeSite(t, { 'x.txt': 'x' })
  const running = startSluice(t, ['serve', root, '--port=0', '--host', '0.0.0.0'])
  const line = await running.line()
  t.regex(line, /^listening on http:\/\/127\.0\.0\.1:\d+ \(every IPv4 address\)$/)
  const port = Number(/:(\d+) /.exec(line)?.[1])
  t.is(await statusOf(port, '/x.txt', '127.0.0.2'), 200)
})

test('run: one ready line for every listener, unix sockets too', async (t) => {
  const { root, path } = makeSite(t, {
    'gateway.config.ts': `import { defineGateway, respond } from 'sluice'
      export default defineGateway({
        listen: [0, { path: 'socket' }],
        routes: { '/': respond(200, 'ok') },
      })`,
  })
  const running = startSluice(t, [], { cwd: root })
  t.is(await statusOf(await readyPort(running), '/'), 200)
  t.is(await running.line(), `listening on unix:${path('socket')}`)
  const client = await RawClient.connect({ path: path('socket') })
  t.is((await client.ask(request('/'))).body.toString(), 'ok')
  client.socket.destroy()
})

test('a taken port is exit code 1 and named', async (t) => {
  const { root } = makeSite(t)
  const server = createServer()
  t.teardown(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const { code, stdout, stderr } = await sluice(t, ['serve', root, '--port', String(port)])
  t.is(code, 1)
  t.is(stdout, '')
  t.is(stderr, `sluice: cannot listen on 127.0.0.1:${port}: the address is in use\n`)
})

test('a second gateway on the port of the first is refused', async (t) => {
  const { root } = makeSite(t)
  const port = await readyPort(startSluice(t, ['serve', root, '--port', '0']))
  const second = await sluice(t, ['serve', root, '--port', String(port)])
  t.is(second.code, 1)
  t.regex(second.stderr, /the address is in use/)
})

/** Asks for the large file and reads nothing beyond the first bytes. */
async function slowReader(t: ExecutionContext, port: number): Promise<Socket> {
  const socket = createConnection({ port, host: '127.0.0.1' })
  t.teardown(() => void socket.destroy())
  socket.write(request('/large.bin'))
  await new Promise((resolve) => socket.once('readable', resolve))
  return socket
}

test('a request that runs when the signal comes is finished', async (t) => {
  const bytes = patternBytes(30_000_000)
  const { root } = makeSite(t, { 'large.bin': bytes })
  const running = startSluice(t, ['serve', root, '--port', '0'])
  const port = await readyPort(running)
  const reader = await slowReader(t, port)
  running.child.kill('SIGTERM')
  await until('the port to be closed', () => isRefused(port))
  const chunks: Buffer[] = []
  for await (const chunk of reader) chunks.push(chunk)
  const received = Buffer.concat(chunks)
  t.true(received.subarray(received.indexOf('\r\n\r\n') + 4).equals(bytes))
  t.is((await running.outcome).code, 0)
})

test('a second signal ends it though a client does not read', async (t) => {
  const { root } = makeSite(t, { 'large.bin': patternBytes(30_000_000) })
  const running = startSluice(t, ['serve', root, '--port', '0'])
  const port = await readyPort(running)
  await slowReader(t, port)
  running.child.kill('SIGTERM')
  const announcement = /finishing requests for at most 30s; a second signal ends them now/
  await until('it to say that it waits', () => announcement.test(running.stderr()))
  t.true(await isRefused(port))
  running.child.kill('SIGTERM')
  const { code, stderr } = await running.outcome
  t.is(code, 0)
  t.regex(stderr, /^sluice: 1 connection was cut off$/m)
})

test('SIGHUP without a configuration file changes nothing and says so', async (t) => {
  const { root } = makeSite(t, { 'x.txt': 'x' })
  const running = startSluice(t, ['serve', root, '--port', '0'])
  const port = await readyPort(running)
  running.child.kill('SIGHUP')
  const says = /^sluice: SIGHUP: there is no configuration file to read again$/m
  await until('it to say so', () => says.test(running.stderr()))
  t.is(await statusOf(port, '/x.txt'), 200)
  running.child.kill('SIGTERM')
  t.is((await running.outcome).code, 0)
})

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    socket.once('connect', () => resolve(false))
    socket.once('error', () => resolve(true))
    socket.once('close', () => socket.destroy())
    socket.once('connect', () => socket.destroy())
  })
}

test('proxy: forwards to a target, without a configuration', async (t) => {
  const seen: (string | undefined)[] = []
  const server = createHttpServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.host}`)
    response.end('from the target')
  })
  t.teardown(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: target } = server.address() as { port: number }
  const running = startSluice(t, ['proxy', '0', String(target), '--health=/healthz'])
  const port = await readyPort(running)
  t.is(await statusOf(port, '/a?b'), 200)
  t.true(seen.includes('GET /a?b test'))
  await until('a check', () => seen.includes(`GET /healthz 127.0.0.1:${target}`))
  const stripped = startSluice(t, [
    ...['proxy', '127.0.0.1:0', `http://127.0.0.1:${target}`],
    ...['--strip-prefix', '/api', '--host', 'target'],
  ])
  t.is(await statusOf(await readyPort(stripped), '/api/x'), 200)
  t.is(seen.at(-1), `GET /x 127.0.0.1:${target}`)
})

test('proxy: says what is wrong with its words', async (t) => {
  const cases: [string[], RegExp][] = [
    [['x', '3000'], /^sluice: FROM is a port, an address and a port, or unix:PATH, not 'x'\n/],
    [['example.com:80', '3000'], /^sluice: FROM: .* names of other machines cannot be bound\n/],
    [['0', 'ftp://a'], /^sluice: TO: 'ftp:\/\/a': ftp: is not http:, https: or unix:/],
    [['0', 'a/b'], /^sluice: TO: 'http:\/\/a\/b': a target has no path/],
    [['0', '3000', '3000'], /^sluice: TO: 'http:\/\/127\.0\.0\.1:3000' is there twice/],
    [['0', '1', '--health', 'x'], /^sluice: --health: /],
    [['0', '1', '--strip-prefix', 'x'], /^sluice: --strip-prefix: /],
    [['0'], /^sluice: proxy needs FROM TO…\n/],
  ]
  for (const [words, about] of cases) {
    const { code, stderr } = await sluice(t, ['proxy', ...words])
    t.is(code, 2)
    t.regex(stderr, about)
  }
})

test('SIGTERM while the configuration is read ends it', async (t) => {
  const { root } = makeSite(t, {
    'gateway.config.ts': `console.log('reading')
      await new Promise((resolve) => setTimeout(resolve, 60_000))
      export default {}`,
  })
  const running = startSluice(t, ['run', '--config-timeout', '2m'], { cwd: root })
  await until('the configuration to be read', () => running.stderr() === 'reading\n')
  running.child.kill('SIGTERM')
  t.is((await running.outcome).code, 143)
})
