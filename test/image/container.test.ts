// The image as it is run: what it serves, as whom, and what it does when the kernel's filters and
// budgets take its mechanisms away. Everything is still correct then, and it says what it lacks.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { buffer } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { WebSocket, WebSocketServer } from 'ws'
import { ask } from '../support/ask.ts'
import { type Container, startContainer } from '../support/container.ts'
import { freePort } from '../support/ports.ts'
import { makeFolder, patternBytes } from '../support/site.ts'
import { startTarget } from '../support/target.ts'
import { until } from '../support/wait.ts'

const small = patternBytes(700)
const large = patternBytes(3_000_001)
const user = 10_001

interface Running {
  container: Container
  /** Mounted at /etc/sluice. */
  folder: string
  port: number
  adminPort: number
}

/** The image with a configuration that uses every mechanism. */
async function start(t: ExecutionContext, options: string[] = []): Promise<Running> {
  const [port, adminPort] = [await freePort(), await freePort()]
  const target = await startTarget(t, 'app', async (request, response) => {
    if (request.method === 'GET') return void response.end(large)
    const digest = createHash('sha256').update(await buffer(request))
    response.end(digest.digest('hex'))
  })
  const echo = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  t.teardown(() => echo.close())
  echo.on('connection', (socket) => socket.on('message', (data) => socket.send(data)))
  await once(echo, 'listening')
  const { port: echoPort } = echo.address() as { port: number }
  const folder = makeFolder(t)
  mkdirSync(join(folder, 'files'))
  writeFileSync(join(folder, 'files/small.bin'), small)
  writeFileSync(join(folder, 'files/large.bin'), large)
  writeFileSync(
    join(folder, 'gateway.config.ts'),
    `import { defineGateway, files, handler, mount, proxy } from 'sluice'
    export default defineGateway({
      listen: ${port},
      admin: { port: ${adminPort}, path: '/run/sluice/admin.sock' },
      limits: { bodyBytes: '100mb' },
      routes: {
        '/files/*': files('files'),
        '/app/*': proxy('${target.url}'),
        '/socket': proxy('http://127.0.0.1:${echoPort}'),
        '/uws/*': mount(async ({ path }) => {
          const { default: uws } = await import('uWebSockets.js')
          const app = uws.App()
          app.any('/uws/*', (response) => response.end('by uWebSockets.js'))
          app.listen_unix(() => {}, path)
          return app
        }),
        '/hello/:name': handler((request, { params }) => new Response('hello ' + params.name)),
      },
    })`,
  )
  // The image's user reads it.
  chmodSync(folder, 0o755)
  const container = await startContainer(t, { folder, options, listeners: 1 })
  return { container, folder, port, adminPort }
}

/** Whatever may move bytes, in both directions, and compares them. */
async function everythingIsServed(t: ExecutionContext, port: number): Promise<void> {
  t.deepEqual((await ask(port, '/files/small.bin')).bytes, Buffer.from(small))
  t.deepEqual((await ask(port, '/files/large.bin')).bytes, Buffer.from(large))
  const range = await ask(port, '/files/large.bin', { headers: { Range: 'bytes=1000000-1999999' } })
  t.is(range.status, 206)
  t.deepEqual(range.bytes, Buffer.from(large.subarray(1_000_000, 2_000_000)))
  t.deepEqual((await ask(port, '/app/')).bytes, Buffer.from(large))
  const upload = await ask(port, '/app/', { method: 'POST', body: large })
  t.is(upload.body, createHash('sha256').update(large).digest('hex'))
  t.is((await ask(port, '/hello/container')).body, 'hello container')
  t.is((await ask(port, '/uws/x')).body, 'by uWebSockets.js')
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`)
  await once(socket, 'open')
  socket.send(large)
  const [echoed] = await once(socket, 'message')
  t.deepEqual(echoed, Buffer.from(large))
  socket.close()
}

async function metricsOf(adminPort: number): Promise<(series: string) => number> {
  const { body } = await ask(adminPort, '/metrics')
  return (series) => {
    const line = body.split('\n').find((candidate) => candidate.startsWith(`${series} `))
    return Number(line?.slice(series.length + 1) ?? Number.NaN)
  }
}

/** A seccomp profile that refuses these calls and nothing else. */
function denying(t: ExecutionContext, ...names: string[]): string[] {
  const path = join(makeFolder(t), 'seccomp.json')
  const profile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names, action: 'SCMP_ACT_ERRNO', errnoRet: 1 }],
  }
  writeFileSync(path, JSON.stringify(profile))
  return ['--security-opt', `seccomp=${path}`]
}

test.serial('the usual profile: everything is served, read-only and unprivileged', async (t) => {
  const { container, port, adminPort } = await start(t)
  t.is((await container.exec('id', '-u')).trim(), String(user))
  await t.throwsAsync(container.exec('touch', '/opt/sluice/x'), { message: /Read-only/ })
  await everythingIsServed(t, port)
  const figure = await metricsOf(adminPort)
  t.true(figure('sluice_engine_bytes_total{engine="sendfile"}') >= large.length)
  t.true(figure('sluice_engine_bytes_total{engine="splice"}') >= large.length)
  t.is(figure('sluice_capability{name="splice"}'), 1)
  // Debian's OpenSSL, which knows kTLS, and not Node's: the kernel's part may be missing.
  const said = await container.exec('sluice', 'doctor')
  t.regex(said, /uWebSockets.js +loads/)
  const list = ['-c', 'ls /opt/sluice/node_modules/uWebSockets.js/*.node']
  t.regex(await container.exec('sh', ...list), /^\S+uws_linux_\S+\.node\n$/)
  t.regex(said, /^ *kTLS +(yes|no \((?!ENOSYS)\w+\))/m)
})

test.serial('the health check passes, and SIGTERM ends the first process with 0', async (t) => {
  const { container } = await start(t)
  t.is((await container.exec('sluice', 'status')).trim(), 'serving')
  t.is(await container.end('TERM'), 0)
})

test.serial('a configuration that is replaced in the mounted folder is served', async (t) => {
  const { container, folder, port } = await start(t)
  t.is((await ask(port, '/hello/you')).body, 'hello you')
  const path = join(folder, 'gateway.config.ts')
  // As editors and orchestrators do.
  writeFileSync(
    `${path}.new`,
    `import { defineGateway, respond } from 'sluice'
    export default defineGateway({
      listen: ${port}, routes: { '/*': respond(200, 'reloaded') },
    })`,
  )
  renameSync(`${path}.new`, path)
  await until('the new configuration', async () => {
    return (await ask(port, '/hello/you')).body === 'reloaded'
  })
  writeFileSync(path, 'nonsense')
  await until('the refusal', () => /not reloaded/.test(container.stderr()))
  t.is((await ask(port, '/')).body, 'reloaded')
})

test.serial('the configuration beside compose.yaml is good in the image', async (t) => {
  const compose = new URL('../../docker/compose', import.meta.url).pathname
  const { container } = await start(t, ['-v', `${compose}:/etc/compose:ro`])
  const said = await container.exec('sluice', 'check', '--config', '/etc/compose/gateway.config.ts')
  t.regex(said, /configuration is fine/)
})

test.serial('vmsplice denied: everything is served, and it is said', async (t) => {
  const { container, port, adminPort } = await start(t, denying(t, 'vmsplice'))
  await everythingIsServed(t, port)
  t.regex(await container.exec('sluice', 'doctor'), /^ *vmsplice +no \(EPERM\)/m)
  t.is((await metricsOf(adminPort))('sluice_capability{name="vmsplice"}'), 0)
})

test.serial('splice and sendfile denied: bytes are copied, and it is said', async (t) => {
  const options = denying(t, 'splice', 'sendfile', 'sendfile64', 'tee', 'vmsplice')
  const { container, port, adminPort } = await start(t, options)
  await everythingIsServed(t, port)
  const said = await container.exec('sluice', 'doctor')
  for (const name of ['splice', 'sendfile', 'tee', 'vmsplice']) {
    t.regex(said, new RegExp(`^ *${name} +no \\(EPERM\\)`, 'm'))
  }
  t.regex(container.stderr(), /refused here.*splice \(EPERM\)/)
  const figure = await metricsOf(adminPort)
  t.is(figure('sluice_capability{name="splice"}'), 0)
  t.is(figure('sluice_capability{name="sendfile"}'), 0)
  t.true(figure('sluice_engine_bytes_total{engine="copy"}') >= 2 * large.length)
  t.is(figure('sluice_engine_bytes_total{engine="splice"}'), 0)
  t.is(figure('sluice_engine_bytes_total{engine="sendfile"}'), 0)
})

test.serial('the budget of pipes is gone: bytes are copied, and it is said', async (t) => {
  await holdAllPipes(t)
  const { port, adminPort, container } = await start(t)
  await everythingIsServed(t, port)
  const figure = await metricsOf(adminPort)
  t.true(figure('sluice_pipes_refused_total') > 0)
  t.is(figure('sluice_engine_bytes_total{engine="splice"}'), 0)
  t.regex(await container.exec('sluice', 'doctor'), /^ *F_SETPIPE_SZ 1 MiB +no \(EPERM\)/m)
})

/** A process of the image's user that has all the pipe memory that a user may have. */
async function holdAllPipes(t: ExecutionContext): Promise<void> {
  const program = `import fcntl, os, time
pipes = []
try:
    while True:
        pipes.append(os.pipe())
        fcntl.fcntl(pipes[-1][1], 1031, 1 << 20)
except OSError:
    print("all", flush=True)
time.sleep(3600)`
  const command = ['--reuid', String(user), '--regid', String(user), '--clear-groups']
  const inner = ['--bounding-set=-all', '--inh-caps=-all', '/usr/bin/python3', '-c', program]
  const child = spawn('setpriv', [...command, ...inner], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => void child.kill('SIGKILL'))
  await once(createInterface({ input: child.stdout }), 'line')
}
