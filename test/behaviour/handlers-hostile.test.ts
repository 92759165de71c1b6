// Handlers that do what nobody should: each is an answer for whoever asked, and a line in the log,
// and nobody else notices. In an app of its own, since some of it would end a test.

import test from 'ava'
import { ask } from '../support/ask.ts'
import { RawClient, request } from '../support/client.ts'
import { startConfigured, writeConfig } from '../support/configured.ts'
import { until } from '../support/wait.ts'

/** Of an answer that breaks off: nothing of it, or the gateway's 502 where it is seen in time. */
const broken = 0

/** A body of a function, and the status that its client gets. */
const faults: [code: string, status: number][] = [
  ['throw null', 500],
  ['throw undefined', 500],
  ["throw Symbol('x')", 500],
  ['throw { get message() { throw 1 }, get stack() { throw 2 } }', 500],
  ['throw new Proxy({}, { get() { throw 1 } })', 500],
  ["throw Object.defineProperty(new Error(), 'stack', { get() { throw 3 } })", 500],
  ['return Promise.reject(1n)', 500],
  ['return undefined', 500],
  ["return 'text'", 500],
  ['return { status: 200, headers: new Headers(), body: null }', 500],
  ['return Object.create(Response.prototype)', 500],
  ['return new Proxy(new Response(), {})', 500],
  ["return { then(resolve) { resolve(new Response('then')); resolve(1) } }", 200],
  ["return { get then() { throw new Error('no') } }", 500],
  ['return Response.error()', 500],
  ["return Response.redirect('http://a/')", 302],
  ["return new Response('x', { status: 99 })", 500],
  ["return new Response('x', { status: 204 })", 500],
  ['return new Response(null, { status: 204 })', 204],
  ["return new Response('x', { headers: { 'x-a': 'a\\r\\nb: c' } })", 500],
  ["return new Response('x', { headers: { 'a b': 'c' } })", 500],
  ["return new Response('x', { headers: { 'x-a': '\\u20ac' } })", 500],
  ["return new Response('x', { headers: { 'x-a': 'a'.repeat(3_000_000) } })", 502],
  [
    "return new Response('x', { headers: [...Array(20_000).keys()].map((n) => ['a' + n, 'b']) })",
    502,
  ],
  ["const r = new Response('x'); r.body.getReader(); return r", 500],
  ["const r = new Response('x'); await r.text(); return r", 500],
  ["const r = new Response('x'); await r.body.cancel(); return r", 500],
  ["const r = new Response('x'); r.clone(); return r", 200],
  ["const b = Buffer.from('safe'); const r = new Response(b); b.fill(0); return r", 200],
  ["return new Response('x', { headers: { 'Content-Length': '5' } })", broken],
  ["return new Response('xyz', { headers: { 'Content-Length': '1' } })", broken],
  [
    "return new Response('x', { headers: { 'Transfer-Encoding': 'chunked', Connection: 'x' } })",
    200,
  ],
  ["return new Response('x', { headers: { 'x-sluice-file': 'x /etc/passwd' } })", 200],
  ["return new Response('x', { headers: { 'x-sluice-held': '1', 'X-Sluice-Token': 'a' } })", 200],
  ["return new Response(new ReadableStream({ pull() { throw new Error('no') } }))", 500],
  ["return new Response(ReadableStream.from(['text']))", 500],
  ['return new Response(new ReadableStream({ start(c) { c.close(); c.enqueue(1) } }))', 500],
  ["setTimeout(() => Promise.reject(new Error('later'))); return new Response('x')", 200],
  ["request.headers.set('a', 'b\\nc'); return new Response('x')", 500],
]

test.serial('faults of handlers are theirs alone', async (t) => {
  const routes = faults.map(
    ([code], at) => `'/f${at}': handler(async (request, context) => { ${code} }),`,
  )
  const file = writeConfig(t, `${routes.join('\n')} '/ok': handler(() => new Response('ok')),`)
  const running = await startConfigured(t, file)
  const first = running.app()
  for (const [at, [code, wanted]] of faults.entries()) {
    for (const method of ['GET', 'GET', 'POST']) {
      const status = await ask(running.port, `/f${at}`, { method }).then(
        (reply) => reply.status,
        () => 0,
      )
      const seen = wanted === broken && status === 502 ? broken : status
      t.is(seen, wanted, `${method}: ${code}`)
      t.is((await running.ask('/ok')).body, 'ok', code)
    }
  }
  t.is(running.app(), first)
  const open = () => running.gateway.stats().workers.reduce((sum, { hooks }) => sum + hooks.open, 0)
  await until('no question is open', () => open() === 0)
})

test.serial('a Response goes out once, whichever way', async (t) => {
  const routes = `
    '/small': handler(() => (globalThis.small ??= new Response('small'))),
    '/large': handler(() => (globalThis.large ??= new Response(Buffer.alloc(50_000, 'x')))),
    '/empty': handler(() => (globalThis.empty ??= new Response(null))),`
  const running = await startConfigured(t, writeConfig(t, routes))
  const statuses = async (path: string) => [
    (await running.ask(path)).status,
    (await running.ask(path)).status,
  ]
  t.deepEqual(await statuses('/small'), [200, 500])
  t.deepEqual(await statuses('/large'), [200, 500])
  t.deepEqual(await statuses('/empty'), [200, 200])
})

test.serial('large bodies of many clients are never mixed up', async (t) => {
  const routes = `
    '/:letter': handler((_, { params }) => {
      const bytes = Buffer.alloc(70_000, params.letter)
      const response = new Response(bytes)
      bytes.fill('!')
      return response
    }),`
  const running = await startConfigured(t, writeConfig(t, routes))
  const letters = [...'abcdefghijklmnopqrstuvwxyz']
  for (let round = 0; round < 8; round++) {
    const bodies = await Promise.all(letters.map((letter) => running.ask(`/${letter}`)))
    const wrong = bodies.filter(({ body }, at) => body !== letters[at]?.repeat(70_000))
    t.is(wrong.length, 0)
  }
})

test.serial(
  'a stream without end ends with its client, and one that spins is replaced',
  async (t) => {
    const routes = `
    '/forever': handler((_, { signal }) => {
      signal.addEventListener('abort', () => { globalThis.aborted = (globalThis.aborted ?? 0) + 1 })
      return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65536)) } }))
    }),
    '/aborted': handler(() => new Response(String(globalThis.aborted ?? 0))),
    '/spin': handler(() => { while (true); }),
    '/fixed': respond(200, 'fixed'),`
    const file = writeConfig(t, routes, "timeouts: { appHang: '1s', handler: '20s' },")
    const running = await startConfigured(t, file)
    for (let asked = 1; asked <= 3; asked++) {
      const client = await RawClient.connect({ port: running.port, host: '127.0.0.1' })
      client.write(request('/forever'))
      await client.readHead()
      client.socket.destroy()
      await until('its end', async () => (await running.ask('/aborted')).body === String(asked))
    }
    const before = running.app()
    const spinning = running.ask('/spin')
    t.is((await running.ask('/fixed')).body, 'fixed')
    t.is((await spinning).status, 502)
    await until('another app', () => running.app() !== before)
    t.is((await running.ask('/aborted')).body, '0')
  },
)
