// What systemd gives and wants to hear: sockets that it has bound, and a word at each turn.

import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test, { type ExecutionContext } from 'ava'
import { ask } from '../support/ask.ts'
import { sluicePath } from '../support/command-line.ts'
import { freePort } from '../support/ports.ts'
import { makeFolder, makeSite } from '../support/site.ts'

interface Listening {
  fd: number
  port: number
  server: Server
}

/** A listening socket as a service manager would have it: nobody accepts here. */
async function bound(t: ExecutionContext): Promise<Listening> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.teardown(() => void server.close())
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle
  return { fd, port: (server.address() as { port: number }).port, server }
}

/** Starts sluice with descriptor 3 and whatever `prefix` sets; $$ is its process id. */
function start(t: ExecutionContext, prefix: string, config: string, fd: number): ChildProcess {
  const child = spawn(
    'sh',
    ['-c', `${prefix} exec "$0" run --config-timeout 1m --config "$1"`, sluicePath, config],
    {
      stdio: ['ignore', 'pipe', 'pipe', fd],
    },
  )
  t.teardown(() => void child.kill('SIGKILL'))
  return child
}

function configOn(t: ExecutionContext, port: number): string {
  const { path } = makeSite(t, {
    'gateway.config.ts': `import { defineGateway, respond } from 'sluice'
      export default defineGateway({
        listen: ${port},
        workers: 2,
        routes: { '/': respond(200, 'activated') },
      })`,
  })
  return path('gateway.config.ts')
}

test('a socket of the service manager is served, with what waited in it', async (t) => {
  t.timeout(120_000)
  const { fd, port, server } = await bound(t)
  // Node would accept here as well: the kernel keeps the socket open for the child.
  const config = configOn(t, port)
  const child = start(t, 'export LISTEN_PID=$$ LISTEN_FDS=1;', config, fd)
  server.close()
  for (let i = 0; i < 4; i++) t.like(await ask(port, '/'), { status: 200, body: 'activated' })
  child.kill('SIGTERM')
  const code = await new Promise((resolve) => child.once('exit', resolve))
  t.is(code, 0)
})

test('sockets for another process are left alone', async (t) => {
  t.timeout(120_000)
  const { fd } = await bound(t)
  const config = configOn(t, await freePort())
  const child = start(t, 'export LISTEN_PID=1 LISTEN_FDS=1;', config, fd)
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const line = await new Promise<string>((resolve) => lines.once('line', resolve))
  t.regex(line, /^listening on/)
})

test('a socket that no listener is for is an error', async (t) => {
  t.timeout(120_000)
  const { fd, port } = await bound(t)
  const config = configOn(t, await freePort())
  const child = start(t, 'export LISTEN_PID=$$ LISTEN_FDS=1;', config, fd)
  let stderr = ''
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  t.is(code, 1)
  t.regex(stderr, new RegExp(`handed over that no listener is for.*:${port}`))
})

/** What a service manager hears, a message after the other. */
async function listenForNotices(t: ExecutionContext) {
  const path = join(makeFolder(t), 'notify')
  const program = `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    print(s.recv(4096).decode().replace(chr(10), " "), flush=True)`
  const listener = spawn('python3', ['-c', program, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => void listener.kill('SIGKILL'))
  const lines = createInterface({ input: listener.stdout })[Symbol.asyncIterator]()
  const next = async () => String((await lines.next()).value)
  t.is(await next(), 'bound')
  return { path, next }
}

test('the service manager hears READY, WATCHDOG and STOPPING', async (t) => {
  t.timeout(120_000)
  const { path, next } = await listenForNotices(t)
  const config = configOn(t, 0)
  const { fd } = await bound(t)
  const variables = `export NOTIFY_SOCKET='${path}' WATCHDOG_USEC=200000;`
  const child = start(t, variables, config, fd)
  t.regex(await next(), /^READY=1 STATUS=serving/)
  t.is(await next(), 'WATCHDOG=1')
  t.is(await next(), 'WATCHDOG=1')
  child.kill('SIGTERM')
  let line = await next()
  while (line === 'WATCHDOG=1') line = await next()
  t.regex(line, /^STOPPING=1/)
})

test('a reload is announced with its time, and its end whatever came of it', async (t) => {
  t.timeout(120_000)
  const { path, next } = await listenForNotices(t)
  const config = configOn(t, 0)
  const { fd } = await bound(t)
  const child = start(t, `export NOTIFY_SOCKET='${path}';`, config, fd)
  t.regex(await next(), /^READY=1 STATUS=serving/)
  let before = process.hrtime.bigint() / 1_000n
  const reload = async () => {
    child.kill('SIGHUP')
    const [, time] = /^RELOADING=1 MONOTONIC_USEC=(\d+) STATUS=/.exec(await next()) ?? []
    t.true(BigInt(time ?? 0) >= before, time)
    before = BigInt(time ?? 0)
    t.regex(await next(), /^READY=1 STATUS=serving/)
  }
  await reload()
  writeFileSync(config, 'this is no configuration')
  await reload()
  child.kill('SIGTERM')
  t.regex(await next(), /^STOPPING=1/)
})
