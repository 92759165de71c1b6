// hook() through the whole gateway: what a hook is told, what it can decide, before every kind of
// action. The functions run in this process; test/behaviour/hooks-app.test.ts has them in another.

import { createServer } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import type { GatewayConfig } from '../../src/config/actions.ts'
import {
  files,
  type HookVerdict,
  handler,
  hook,
  mount,
  proxy,
  type RequestHead,
  redirect,
  respond,
} from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { startTarget } from '../support/target.ts'
import { until } from '../support/wait.ts'

function start(t: ExecutionContext, routes: GatewayConfig['routes'], more: object = {}) {
  return startGateway(t, { routes, ...more })
}

/** A target that answers with what it was asked. */
async function startEcho(t: ExecutionContext, name = 'echo'): Promise<string> {
  const { url } = await startTarget(t, name, (request, response) => {
    const { method, url, headers } = request
    response.setHeader('X-Target', name)
    response.end(JSON.stringify({ name, method, url, headers }))
  })
  return url
}

test('a hook is told of the head of a request', async (t) => {
  const seen: object[] = []
  const look = hook<{ id: string }>((head) => {
    const { method, target, path, query, host, params, clientAddress, requestId } = head
    const header = [head.header('X-Own'), head.header('x-none'), head.header('cookie')]
    const headers = Object.fromEntries(head.headers)
    seen.push({
      ...{ method, target, path, query, host, params, clientAddress, requestId, header },
      own: headers['x-own'],
    })
  })
  const { port } = await start(t, { '/users/:id': respond(200, 'fine', { hooks: look }) })
  const reply = await ask(port, '/users/a%20b?c=%2F', {
    method: 'POST',
    headers: { 'X-Own': ['one', 'two'], Cookie: 'a=b' },
    body: 'text',
  })
  t.is(reply.body, 'fine')
  const [head] = seen as [{ requestId: string }]
  t.regex(head.requestId, /^[0-9a-f]{32}$/)
  const { requestId: _, ...rest } = head
  t.deepEqual(rest, {
    method: 'POST',
    target: '/users/a%20b?c=%2F',
    path: '/users/a%20b',
    query: '?c=%2F',
    host: `127.0.0.1:${port}`,
    params: { id: 'a b' },
    clientAddress: '127.0.0.1',
    header: ['one, two', undefined, 'a=b'],
    own: 'one, two',
  } as object)
})

testOnBothTwins('a hook stands before every kind of action', async (t, transfer) => {
  const { root } = makeSite(t, { 'small.txt': 'small', 'large.bin': patternBytes(200_000) })
  const target = await startEcho(t)
  const asked: string[] = []
  const hooks = hook((head) => {
    asked.push(head.path)
    if (head.header('x-key') !== 'right') return new Response('no entry', { status: 403 })
    return undefined
  })
  const server = createServer((_request, response) => response.end('mounted'))
  const { port, gateway, engineBytes } = await start(
    t,
    {
      '/files/*': files(root, { hooks, transfer }),
      '/respond': respond(200, 'fixed', { hooks }),
      '/redirect': redirect(302, '/respond', { hooks }),
      '/proxy': proxy(target, { hooks, transfer }),
      '/handler': handler(() => new Response('handled'), { hooks }),
      '/mount': mount(({ path }) => server.listen(path), { hooks }),
    },
    { transfer },
  )
  const paths = ['/files/small.txt', '/files/large.bin', '/respond', '/redirect', '/proxy']
  const all = [...paths, '/handler', '/mount']
  for (const path of all) {
    const refused = await ask(port, path)
    t.deepEqual([refused.status, refused.body], [403, 'no entry'], path)
    const passed = await ask(port, path, { headers: { 'X-Key': 'right' } })
    t.is(passed.status, path === '/redirect' ? 302 : 200, path)
  }
  t.deepEqual(
    asked,
    all.flatMap((path) => [path, path]),
  )
  t.is(gateway.stats().total.hooks.asked, all.length * 2)
  t.is(gateway.stats().total.hooks.open, 0)
  // A hook that looks at the head only leaves the kernel to move the bytes.
  t.true((engineBytes()[transfer === 'copy' ? 'copy' : 'sendfile'] ?? 0) >= 200_000)
})

test('hooks of the gateway come first, then those of the route, until one answers', async (t) => {
  const order: string[] = []
  const note = (name: string, verdict?: HookVerdict) =>
    hook(() => {
      order.push(name)
      return verdict
    })
  const { port } = await start(
    t,
    {
      '/both': respond(200, 'both', { hooks: [note('c'), note('d')] }),
      '/none': respond(200, 'none'),
      '/ends': respond(200, 'ends', {
        hooks: [note('e', new Response('stop', { status: 418 })), note('never')],
      }),
    },
    { hooks: [note('a'), note('b')] },
  )
  t.is((await ask(port, '/both')).body, 'both')
  t.is((await ask(port, '/none')).body, 'none')
  t.is((await ask(port, '/ends')).status, 418)
  t.deepEqual(order.join(''), 'abcdababe')
})

test('an answer has its status, fields and body', async (t) => {
  const answers: Record<string, () => HookVerdict> = {
    text: () => new Response('text', { status: 201, headers: { 'X-A': '1', 'X-B': '2' } }),
    bytes: () => new Response(patternBytes(300_000)),
    json: () => Response.json({ a: 1 }),
    empty: () => new Response(null, { status: 204 }),
    stream: () => new Response(new Blob(['from ', 'a stream']).stream()),
    wrapped: () => ({ answer: new Response('wrapped', { status: 410 }) }),
  }
  const { port } = await start(t, {
    '/:which': respond(200, 'never', {
      hooks: hook<{ which: string }>(({ params }) => answers[params.which]?.()),
    }),
  })
  const text = await ask(port, '/text')
  t.is(text.status, 201)
  t.like(text.headers, { 'x-a': '1', 'x-b': '2', 'content-length': '4' })
  t.deepEqual((await ask(port, '/bytes')).bytes, Buffer.from(patternBytes(300_000)))
  const json = await ask(port, '/json')
  t.deepEqual([json.body, json.headers['content-type']], ['{"a":1}', 'application/json'])
  t.is((await ask(port, '/empty')).status, 204)
  t.is((await ask(port, '/stream')).body, 'from a stream')
  t.is((await ask(port, '/wrapped')).status, 410)
  const head = await ask(port, '/text', { method: 'HEAD' })
  t.deepEqual([head.status, head.body, head.headers['content-length']], [201, '', '4'])
})

test('a redirect leads elsewhere', async (t) => {
  const { port } = await start(t, {
    '/a': respond(200, '', { hooks: hook(() => ({ redirect: '/login?to=%2Fa' })) }),
    '/b': respond(200, '', { hooks: hook(() => ({ redirect: 'https://x.test/', status: 308 })) }),
  })
  const a = await ask(port, '/a')
  t.deepEqual([a.status, a.headers.location], [302, '/login?to=%2Fa'])
  const b = await ask(port, '/b')
  t.deepEqual([b.status, b.headers.location], [308, 'https://x.test/'])
})

testOnBothTwins(
  'a rewritten request is routed anew, and passes the hooks there',
  async (t, transfer) => {
    const { root } = makeSite(t, { 'en.html': 'english', 'other.txt': 'other' })
    const target = await startEcho(t)
    const rewrite = (to: string) => hook(({ path }) => (path === to ? undefined : { rewrite: to }))
    const guard = hook((head) =>
      head.header('x-key') ? undefined : new Response('', { status: 401 }),
    )
    const { port } = await start(
      t,
      {
        '/site/*': files(root, { hooks: rewrite('/site/en.html') }),
        '/to-proxy': respond(200, 'no', { hooks: rewrite('/api/x?y=z') }),
        '/api/*': proxy(target, { hooks: guard }),
        '/lost': respond(200, 'no', { hooks: hook(() => ({ rewrite: '/nowhere' })) }),
        '/circle': respond(200, 'no', { hooks: hook(() => ({ rewrite: '/circle2' })) }),
        '/circle2': respond(200, 'no', { hooks: hook(() => ({ rewrite: '/circle' })) }),
      },
      { transfer },
    )
    t.is((await ask(port, '/site/anything')).body, 'english')
    t.is((await ask(port, '/to-proxy')).status, 401)
    const passed = await ask(port, '/to-proxy', { headers: { 'X-Key': '1' } })
    t.is(JSON.parse(passed.body).url, '/api/x?y=z')
    t.is((await ask(port, '/lost')).status, 404)
    t.is((await ask(port, '/circle')).status, 500)
  },
)

testOnBothTwins('header fields are changed both ways', async (t, transfer) => {
  const { root } = makeSite(t, { 'a.txt': 'a' })
  const target = await startEcho(t)
  const hooks = [
    hook(() => ({
      request: { set: { 'X-User': 'joe' }, remove: ['x-secret'], add: { 'X-Many': ['1', '2'] } },
      response: {
        set: { 'X-Target': 'hidden', 'X-First': '1' },
        add: { 'Set-Cookie': ['a=1', 'b=2'] },
      },
    })),
    hook(() => ({ response: { set: { 'X-First': 'later' }, remove: ['content-type'] } })),
  ]
  const { port } = await start(
    t,
    {
      '/p': proxy(target, { hooks, headers: { request: { set: { 'X-User': 'route' } } } }),
      '/h': handler(({ headers }) => Response.json(Object.fromEntries(headers)), { hooks }),
      '/f/*': files(root, { hooks }),
      '/r': respond(200, 'text', { hooks }),
    },
    { transfer },
  )
  for (const path of ['/p', '/h', '/f/a.txt', '/r', '/f/missing']) {
    const reply = await ask(port, path, { headers: { 'X-User': 'eve', 'X-Secret': 's' } })
    const { headers, body } = reply
    t.is(headers['x-first'], 'later', path)
    t.deepEqual(headers['set-cookie'], ['a=1', 'b=2'], path)
    t.is(headers['content-type'], undefined, path)
    if (path === '/p') t.is(headers['x-target'], 'hidden')
    if (path !== '/p' && path !== '/h') continue
    const got = path === '/p' ? JSON.parse(body).headers : JSON.parse(body)
    t.like(got, { 'x-user': 'joe', 'x-many': '1, 2' })
    t.is(got['x-secret'], undefined)
  }
})

test('a request goes to another upstream', async (t) => {
  const [one, two] = [await startEcho(t, 'one'), await startEcho(t, 'two')]
  const choose = hook((head) => (head.header('x-beta') ? { upstream: 'beta' } : undefined))
  const { port } = await start(
    t,
    { '/*': proxy('main', { hooks: choose }), '/fixed': respond(200, '', { hooks: choose }) },
    { upstreams: { main: { targets: one }, beta: { targets: two } } },
  )
  t.is(JSON.parse((await ask(port, '/')).body).name, 'one')
  t.is(JSON.parse((await ask(port, '/', { headers: { 'X-Beta': '1' } })).body).name, 'two')
  // Nobody to forward to.
  t.is((await ask(port, '/fixed', { headers: { 'X-Beta': '1' } })).status, 500)
})

test('whatever is no verdict is a 500 with the request id, and a line in the log', async (t) => {
  const wrong: Record<string, () => unknown> = {
    throws: () => {
      throw new Error('broken')
    },
    rejects: () => Promise.reject(new Error('broken later')),
    number: () => 7,
    upstream: () => ({ upstream: 'nobody' }),
    rewrite: () => ({ rewrite: 'no-slash' }),
    line: () => ({ response: { set: { 'X-A': 'a\r\nX-B: b' } } }),
    framing: () => ({ response: { set: { 'Content-Length': '1' } } }),
    own: () => ({ request: { set: { 'x-sluice-token': 'mine' } } }),
    read: async () => {
      const response = new Response('a')
      await response.text()
      return response
    },
  }
  const { port, log, gateway } = await start(t, {
    '/:which': respond(200, 'never', {
      hooks: hook<{ which: string }>(({ params }) => wrong[params.which]?.() as HookVerdict),
    }),
  })
  for (const which of Object.keys(wrong)) {
    const reply = await ask(port, `/${which}`)
    t.is(reply.status, 500, which)
    const [, id] = /^500 Internal Server Error\nrequest ([0-9a-f]{32})\n$/.exec(reply.body) ?? []
    t.truthy(id, which)
    const line = log.find((one) => (one as unknown as { requestId?: string }).requestId === id)
    t.is(line?.message, 'a hook failed', which)
  }
  t.is(gateway.stats().total.errors['hook-failed'], Object.keys(wrong).length)
})

test('a hook that does not answer is a 504 after timeouts.handler', async (t) => {
  const { port, gateway } = await start(
    t,
    { '/*': respond(200, 'never', { hooks: hook(() => new Promise<undefined>(() => {})) }) },
    { timeouts: { handler: 200 } },
  )
  const reply = await ask(port, '/')
  t.is(reply.status, 504)
  t.is(gateway.stats().total.errors['hook-timeout'], 1)
})

test('hooks answer out of order, and each request gets its own verdict', async (t) => {
  const waiting: { head: RequestHead; decide: (verdict: HookVerdict) => void }[] = []
  const { port } = await start(t, {
    '/*': respond(200, 'never', {
      hooks: hook((head) => {
        const { promise, resolve } = Promise.withResolvers<HookVerdict>()
        waiting.push({ head, decide: resolve })
        return promise
      }),
    }),
  })
  const replies = Array.from({ length: 50 }, (_, n) => ask(port, `/${n}`))
  await until('all are asked', () => waiting.length === 50)
  for (const { head, decide } of waiting.reverse()) decide(new Response(head.path))
  const bodies = (await Promise.all(replies)).map(({ body }) => body)
  t.deepEqual(
    bodies,
    Array.from({ length: 50 }, (_, n) => `/${n}`),
  )
})

test('pipelined requests are answered in their order', async (t) => {
  const { connect } = await start(t, {
    '/*': respond(200, 'passed', {
      hooks: hook(({ path }) => (path === '/b' ? new Response('b') : undefined)),
    }),
    '/free': respond(200, 'free'),
  })
  const client = await connect()
  const line = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`
  client.write(['/free', '/a', '/b', '/free', '/c'].map(line).join(''))
  const bodies: string[] = []
  for (let n = 0; n < 5; n++) bodies.push((await client.read()).body.toString())
  t.deepEqual(bodies, ['free', 'passed', 'b', 'free', 'passed'])
})

test('clients that leave while a hook decides leave nothing behind', async (t) => {
  const decisions: (() => void)[] = []
  const { connect, gateway } = await start(t, {
    '/*': respond(200, 'fine', {
      hooks: hook(() => {
        const { promise, resolve } = Promise.withResolvers<undefined>()
        decisions.push(() => resolve(undefined))
        return promise
      }),
    }),
  })
  const clients = await Promise.all(Array.from({ length: 20 }, () => connect()))
  for (const client of clients) client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await until('all are asked', () => decisions.length === 20)
  for (const client of clients) client.socket.destroy()
  await until('all have gone', () => gateway.stats().total.connections === 0)
  for (const decide of decisions) decide()
  await until('nothing is open', () => gateway.stats().total.hooks.open === 0)
  const last = await connect()
  last.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await until('the last is asked', () => decisions.length === 21)
  decisions[20]?.()
  t.is((await last.read()).body.toString(), 'fine')
})
