// mount(): servers of every make on a socket of their own, through the whole gateway; and those
// that do not come up, named with their route.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { WebSocket } from 'ws'
import { RawClient } from '../support/client.ts'
import { startConfigured, writeConfig } from '../support/configured.ts'
import { makeFolder } from '../support/site.ts'
import { until } from '../support/wait.ts'

const examples = new URL('../../examples/', import.meta.url)

/** The example, on a free port, with its site beside it. */
async function startExample(t: ExecutionContext, name: string) {
  const folder = makeFolder(t)
  symlinkSync(new URL('site', examples), join(folder, 'site'))
  const file = join(folder, name)
  mkdirSync(dirname(file))
  const text = `import config from '${new URL(name, examples)}'
export default { ...config, listen: 0, workers: 1 }
`
  writeFileSync(file, text)
  return startConfigured(t, file)
}

/** The next message of a socket, as text. */
function message(socket: WebSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('message', (data) => resolve(data.toString()))
    socket.once('error', reject)
  })
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('error', reject)
  })
}

test.serial('a Fastify application and a ws server beside files', async (t) => {
  const { ask, port, gateway } = await startExample(t, 'fastify/gateway.config.ts')
  t.is((await ask('/')).status, 200)
  const hello = await ask('/api/hello/b%C3%BCb')
  t.deepEqual(JSON.parse(hello.body), { hello: 'büb', from: '127.0.0.1' })
  const json = { 'Content-Type': 'application/json' }
  const echo = await ask('/api/echo', { method: 'POST', headers: json, body: '{"a":[1]}' })
  t.is(echo.body, '{"a":[1]}')
  t.is((await ask('/api/none')).status, 404)
  t.is((await ask('/echo')).status, 426)
  const socket = new WebSocket(`ws://127.0.0.1:${port}/echo`)
  await opened(socket)
  for (const text of ['one', 'x'.repeat(300_000)]) {
    const back = message(socket)
    socket.send(text)
    t.is(await back, text)
  }
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.close()
  await closed
  await gateway.close()
})

test.serial('a Hono application', async (t) => {
  const app = `mount(async ({ path }) => {
    const { Hono } = await import('${import.meta.resolve('hono')}')
    const { createAdaptorServer } = await import('${import.meta.resolve('@hono/node-server')}')
    const app = new Hono()
    app.get('/api/hello/:name', (c) => c.json({ hello: c.req.param('name') }))
    app.post('/api/echo', async (c) => c.body(await c.req.arrayBuffer()))
    return createAdaptorServer(app).listen(path)
  })`
  const { ask } = await startConfigured(t, writeConfig(t, `'/api/*': ${app},`))
  t.is((await ask('/api/hello/joe')).body, '{"hello":"joe"}')
  const body = 'x'.repeat(300_000)
  t.is((await ask('/api/echo', { method: 'POST', body })).body, body)
  t.is((await ask('/api/none')).status, 404)
})

const uwsName = 'uWebSockets.js'
const hasUws = await import(uwsName).then(
  ({ default: uws }) => typeof uws.App === 'function',
  () => false,
)
// Where its native part does not load there is nothing to mount; the line of the test says so.
const testWithUws = hasUws ? test.serial : test.serial.skip

testWithUws('a server of uWebSockets.js, with its WebSockets', async (t) => {
  const { ask, port } = await startExample(t, 'uwebsockets/gateway.config.ts')
  t.is((await ask('/')).status, 200)
  t.is((await ask('/live/hello')).body, 'hello')
  const [one, two] = ['one', 'two'].map(() => new WebSocket(`ws://127.0.0.1:${port}/live/room`))
  if (one === undefined || two === undefined) return
  await Promise.all([opened(one), opened(two)])
  const both = [message(one), message(two)]
  one.send('to all')
  t.deepEqual(await Promise.all(both), ['to all', 'to all'])
  for (const socket of [one, two]) socket.terminate()
})

test.serial(
  'a mounted server knows nothing of the secret, and cannot ask for a file',
  async (t) => {
    const server = `mount(async ({ path }) => {
    const { createServer } = await import('node:http')
    return createServer((request, response) => {
      response.setHeader('x-sluice-file', 'x /etc/passwd')
      response.setHeader('x-sluice-fault', 'x')
      response.end(JSON.stringify(request.headers))
    }).listen(path)
  })`
    const routes = `'/m/*': ${server}, '/h': handler(() => new Response('h')),`
    const { ask } = await startConfigured(t, writeConfig(t, routes))
    const reply = await ask('/m/a', { headers: { 'x-sluice-token': 'mine', 'x-a': 'b' } })
    const seen = JSON.parse(reply.body)
    t.is(seen['x-a'], 'b')
    t.deepEqual(
      [...Object.keys(seen), ...Object.keys(reply.headers)].filter((name) => /sluice/.test(name)),
      [],
    )
    t.is((await ask('/h')).body, 'h')
  },
)

test.serial(
  'two mounts have a socket each, and open WebSockets end with the gateway',
  async (t) => {
    const echo = (word: string) => `mount(async ({ path }) => {
    const { createServer } = await import('node:http')
    const server = createServer((_request, response) => response.end('${word}'))
    server.on('upgrade', (_request, socket) => {
      const fields = ['HTTP/1.1 101 Switching Protocols', 'Connection: upgrade', 'Upgrade: x']
      socket.write([...fields, '', ''].join('\\r\\n'))
      socket.pipe(socket)
    })
    return server.listen(path)
  }),`
    const more = "timeouts: { drain: '300ms' },"
    const file = writeConfig(t, `'/one': ${echo('one')} '/two': ${echo('two')}`, more)
    const { ask, port, gateway } = await startConfigured(t, file)
    t.is((await ask('/one')).body, 'one')
    t.is((await ask('/two')).body, 'two')
    const client = await RawClient.connect({ host: '127.0.0.1', port })
    client.write('GET /two HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n')
    t.is((await client.read({ head: true })).status, 101)
    client.write('ping')
    await client.arrived(4)
    await gateway.close()
    await until('the end of the tunnel', () => client.socket.destroyed)
  },
)

test.serial('a server that does not come up is an error that names route and reason', async (t) => {
  const routes = `
    '/silent': mount(() => {}),
    '/throws': mount(() => { throw new RangeError('no') }),
    '/rejects': mount(async () => { throw 'a word' }),
    '/elsewhere': mount(async () => {
      const { createServer } = await import('node:http')
      return createServer().listen('/no/such/directory/socket')
    }),`
  const file = writeConfig(t, routes, "timeouts: { appStart: '12s' },")
  const error = await t.throwsAsync(startConfigured(t, file), { code: 'ERR_SLUICE_CONFIG' })
  const silent = "does not listen on its 'path' in time (timeouts.appStart): call listen(path)"
  const lines = error.message.split('\n  ').slice(1)
  t.deepEqual(
    lines.map((line) => line.replace(/(EACCES|ENOENT).*/, 'in vain')),
    [
      `routes["/silent"].mount: ${silent}`,
      'routes["/throws"].mount: RangeError: no',
      'routes["/rejects"].mount: a word was thrown instead of an Error',
      'routes["/elsewhere"].mount: listen in vain',
    ],
  )
})
