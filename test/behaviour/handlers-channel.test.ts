// The two ways from a worker to a handler: a question on the channel, whose small answer comes back
// on it, and the handlers' socket. Which one a request takes must not be seen, and no handler runs
// twice for one request.

import { readFileSync, writeFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import type { GatewayConfig } from '../../src/config/actions.ts'
import { handler, hook } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { request } from '../support/client.ts'
import { startConfigured, writeConfig } from '../support/configured.ts'
import { startGateway } from '../support/gateway.ts'
import { until } from '../support/wait.ts'

function start(t: ExecutionContext, routes: GatewayConfig['routes'], more: object = {}) {
  return startGateway(t, { routes, ...more })
}

type Running = Awaited<ReturnType<typeof start>>

/** Responses whose bytes came over a connection of the handlers' socket. */
function overSocket({ gateway }: Running): number {
  const { engines } = gateway.stats().total
  return (engines.copy?.responses ?? 0) + (engines.splice?.responses ?? 0)
}

function openQuestions({ gateway }: Running): number {
  return gateway.stats().workers.reduce((sum, { hooks }) => sum + hooks.open, 0)
}

test('small answers come over the channel, streams and large ones over the socket', async (t) => {
  let calls = 0
  const running = await start(t, {
    '/small': handler(() => new Response('small')),
    '/large': handler(() => new Response('x'.repeat(100_000))),
    '/stream': handler(() => {
      calls++
      return new Response(ReadableStream.from([new TextEncoder().encode('a stream')]))
    }),
  })
  const { port } = running
  for (let asked = 0; asked < 5; asked++) t.is((await ask(port, '/small')).body, 'small')
  t.is(overSocket(running), 0)
  t.is((await ask(port, '/large')).body.length, 100_000)
  t.is(overSocket(running), 1)
  // More than go to the socket before one asks again.
  for (let asked = 0; asked < 200; asked++) t.is((await ask(port, '/stream')).body, 'a stream')
  t.is(calls, 200)
  t.is((await ask(port, '/small')).body, 'small')
})

test('a handler sees the same request either way', async (t) => {
  const echo = handler((request, { requestId, clientAddress, params }) => {
    const padding = 'x'.repeat(request.url.endsWith('large') ? 50_000 : 0)
    const { method, url } = request
    const fields = [...request.headers].filter(([name]) => name !== 'x-request-id')
    const seen = { method, url: url.replace('?large', ''), fields, clientAddress, params }
    return Response.json({ seen, isNumbered: requestId.length === 32, padding })
  })
  const running = await start(t, { '/:name/*': echo })
  const client = await running.connect()
  const asking = async (target: string) => {
    const head = request(target, { 'X-Own': 'a', Cookie: 'a=b', Accept: '*/*', Via: '1.1 x' })
    const more = 'x-own: b\r\ncookie: c=d\r\nX-Text: \xe9\r\nx-sluice-held: 1\r\n\r\n'
    const { status, body } = await client.ask(head.replace(/\r\n$/, more))
    t.is(status, 200)
    return JSON.parse(body.toString())
  }
  const small = await asking('/a%20b/c?')
  t.is(overSocket(running), 0)
  const held = await asking('/a%20b/c?large')
  const direct = await asking('/a%20b/c?')
  t.is(overSocket(running), 2)
  t.deepEqual(small.seen, { ...held.seen, url: small.seen.url })
  t.deepEqual(small, direct)
  t.true(small.isNumbered)
  const fields = Object.fromEntries(small.seen.fields)
  t.like(fields, { 'x-own': 'a, b', cookie: 'a=b; c=d', 'x-text': '\xe9' })
  t.is(fields['x-sluice-held'], undefined)
})

test('requests that come in one piece are answered in their order', async (t) => {
  const running = await start(t, {
    '/:n': handler(async (_request, { params }) => {
      if (params.n === '1') await new Promise((resolve) => setTimeout(resolve, 20))
      return new Response(params.n)
    }),
  })
  const client = await running.connect()
  client.write(['1', '2', '3'].map((n) => request(`/${n}`)).join(''))
  for (const n of ['1', '2', '3']) t.is((await client.read()).body.toString(), n)
})

test('a client that goes away is told to the handler, and its question is over', async (t) => {
  let aborted = 0
  const running = await start(t, {
    '/': handler((_request, { signal }) => {
      signal.addEventListener('abort', () => void aborted++)
      return new Promise(() => {})
    }),
  })
  const clients = await Promise.all([1, 2, 3].map(() => running.connect()))
  for (const client of clients) client.write(request('/'))
  await until('three questions', () => openQuestions(running) === 3)
  for (const client of clients) client.socket.destroy()
  await until('their end', () => openQuestions(running) === 0 && aborted > 0)
  t.is(aborted, 3)
})

test('hooks about answers and errors are asked of handlers, too', async (t) => {
  const hooks = hook({
    onResponse: ({ status }) => ({ set: { 'X-Status': String(status) }, remove: ['x-internal'] }),
    onError: ({ code }) => new Response(code, { status: 599 }),
  })
  const { port } = await start(
    t,
    {
      '/small': handler(() => new Response('small', { headers: { 'X-Internal': '1' } }), { hooks }),
      '/large': handler(() => new Response('x'.repeat(50_000)), { hooks }),
      '/never': handler(() => new Promise(() => {}), { hooks }),
    },
    { timeouts: { handler: '300ms' } },
  )
  const small = await ask(port, '/small')
  t.like(small, { status: 200, body: 'small' })
  t.like(small.headers, { 'x-status': '200', 'x-internal': undefined })
  t.is((await ask(port, '/large')).headers['x-status'], '200')
  t.like(await ask(port, '/never'), { status: 599, body: 'first-byte-timeout' })
})

test('what a hook has changed of a request is there', async (t) => {
  const { port } = await start(t, {
    '/*': handler((request) => new Response(`${request.url} ${request.headers.get('x-new')}`), {
      hooks: hook((head) =>
        head.path === '/old'
          ? { rewrite: '/new?a=b', request: { set: { 'X-New': 'yes' } } }
          : undefined,
      ),
    }),
  })
  t.is((await ask(port, '/old')).body, `http://127.0.0.1:${port}/new?a=b yes`)
})

test('a handler that runs while another configuration is loaded answers once', async (t) => {
  const routes = (text: string) => `
    '/slow': handler(async () => {
      globalThis.calls = (globalThis.calls ?? 0) + 1
      await new Promise((resolve) => process.once('SIGUSR2', resolve))
      return new Response('${text} ' + globalThis.calls)
    }),
    '/text': handler(() => new Response('${text}')),`
  const file = writeConfig(t, routes('old'))
  const running = await startConfigured(t, file)
  const app = running.app()
  const slow = running.ask('/slow')
  await until('the question', () => running.gateway.stats().workers[0]?.hooks.open === 1)
  writeFileSync(
    file,
    `import { defineGateway, handler } from 'sluice'
export default defineGateway({ listen: 0, workers: 1, routes: { ${routes('new')} } })
`,
  )
  await running.gateway.reload()
  t.is((await running.ask('/text')).body, 'new')
  process.kill(app, 'SIGUSR2')
  t.is((await slow).body, 'old 1')
})

test('an app that ends takes its requests with it: no handler is asked again', async (t) => {
  const counted = `
    '/:file/end': handler((_, { params }) => {
      appendFileSync(params.file, 'x')
      process.kill(process.pid, 'SIGKILL')
      return new Promise(() => {})
    }),
    '/hello': handler(() => new Response('hello')),`
  const file = writeConfig(t, counted)
  const head = "import { appendFileSync } from 'node:fs'\n"
  writeFileSync(file, head + readFileSync(file, 'utf8'))
  const running = await startConfigured(t, file)
  const note = `${file}.calls`
  t.is((await running.ask(`/${encodeURIComponent(note)}/end`)).status, 502)
  await until('another app', async () => (await running.ask('/hello')).status === 200)
  t.is(readFileSync(note, 'utf8'), 'x')
})

test('fields that a handler sets are there once', async (t) => {
  const date = 'Thu, 01 Jan 1970 00:00:00 GMT'
  const { connect } = await start(t, {
    '/': handler(
      () => new Response('x', { headers: { Date: date, Connection: 'upgrade', 'X-Own': 'y' } }),
    ),
  })
  const { fields, field } = await (await connect()).ask(request('/'))
  t.is(fields.filter(([name]) => name.toLowerCase() === 'date').length, 1)
  t.is(field('date'), date)
  t.is(field('x-own'), 'y')
  t.is(field('connection'), undefined)
})
