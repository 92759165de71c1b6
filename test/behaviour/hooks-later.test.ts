// onResponse and onError: what they are told, what they change, for answers of the gateway and for
// those that pass through it.

import test, { type ExecutionContext } from 'ava'
import type { GatewayConfig } from '../../src/config/actions.ts'
import { files, handler, hook, proxy, redirect, respond } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { startTarget } from '../support/target.ts'

function start(t: ExecutionContext, routes: GatewayConfig['routes'], more: object = {}) {
  return startGateway(t, { routes, ...more })
}

async function startInternal(t: ExecutionContext): Promise<string> {
  const { url } = await startTarget(t, 'internal', async (request, response) => {
    let bytes = 0
    for await (const chunk of request) bytes += chunk.length
    response.setHeader('X-Internal', 'secret')
    response.setHeader('X-Bytes', bytes)
    response.end(patternBytes(500_000))
  })
  return url
}

testOnBothTwins('onResponse sees the head of every answer, and changes it', async (t, transfer) => {
  const { root } = makeSite(t, { 'a.bin': patternBytes(200_000) })
  const target = await startInternal(t)
  const hooks = hook({
    async onResponse({ status, header, headers, request }) {
      const seen = [
        status,
        request.method,
        request.path,
        request.header('x-own'),
        header('X-Internal'),
      ]
      return {
        set: { 'X-Seen': seen.join(' ').trim(), 'X-Length': headers.get('content-length') ?? '' },
        remove: ['x-internal'],
      }
    },
  })
  const { port, engineBytes } = await start(
    t,
    {
      '/f/*': files(root, { hooks }),
      '/r': respond(200, 'text', { hooks }),
      '/to': redirect(302, '/r', { hooks }),
      '/p': proxy(target, { hooks }),
      '/h': handler(() => new Response('handled', { headers: { 'X-Internal': 'h' } }), { hooks }),
      '/verdict': respond(200, '', {
        hooks: [hook(() => new Response('no', { status: 403 })), hooks],
      }),
    },
    { transfer },
  )
  const expected: [path: string, status: number, length: string, internal: string][] = [
    ['/f/a.bin', 200, '200000', ''],
    ['/f/none', 404, '14', ''],
    ['/r', 200, '4', ''],
    ['/to', 302, '0', ''],
    ['/p', 200, '500000', 'secret'],
    ['/h', 200, '7', 'h'],
    ['/verdict', 403, '2', ''],
  ]
  for (const [path, status, length, internal] of expected) {
    const reply = await ask(port, path, { headers: { 'X-Own': 'mine' } })
    t.is(reply.status, status, path)
    t.is(reply.headers['x-seen'], `${status} GET ${path} mine ${internal}`.trimEnd(), path)
    t.is(reply.headers['x-length'], length, path)
    t.is(reply.headers['x-internal'], undefined, path)
    t.is(reply.bytes.length, Number(length), path)
  }
  const uploaded = await ask(port, '/p', { method: 'POST', body: patternBytes(300_000) })
  t.is(uploaded.headers['x-bytes'], '300000')
  if (transfer === 'auto') t.true((engineBytes().splice ?? 0) >= 500_000)
})

test('hooks that see answers do so in their order', async (t) => {
  const set = (value: string) =>
    hook({ onResponse: () => ({ set: { 'X-A': value }, add: { 'X-All': value } }) })
  const { port } = await start(
    t,
    { '/': respond(200, '', { hooks: [set('2'), set('3')] }) },
    { hooks: set('1') },
  )
  const { headers } = await ask(port, '/')
  t.deepEqual([headers['x-a'], headers['x-all']], ['3', '1, 2, 3'])
})

testOnBothTwins('an answer that onResponse fails on does not go out', async (t, transfer) => {
  const target = await startInternal(t)
  const hooks = hook({
    onResponse() {
      throw new Error('broken')
    },
  })
  const { port, log } = await start(
    t,
    { '/p': proxy(target, { hooks }), '/r': respond(200, 'secret', { hooks }) },
    { transfer },
  )
  for (const path of ['/p', '/r']) {
    const reply = await ask(port, path)
    t.is(reply.status, 500)
    t.regex(reply.body, /^500 Internal Server Error\nrequest [0-9a-f]{32}\n$/)
    t.is(reply.headers['x-internal'], undefined)
  }
  t.is(log.filter(({ message }) => message === 'a hook failed').length, 2)
})

test('onResponse that hangs is a 504, and no fault of the target', async (t) => {
  const target = await startInternal(t)
  const hooks = hook({ onResponse: () => new Promise<undefined>(() => {}) })
  const { port, gateway } = await start(
    t,
    { '/p': proxy(target, { hooks }), '/r': respond(200, '', { hooks }) },
    { timeouts: { handler: 200 } },
  )
  t.is((await ask(port, '/p')).status, 504)
  t.is((await ask(port, '/r')).status, 504)
  const [upstream] = gateway.stats().upstreams
  t.is(upstream?.targets[0]?.failures, 0)
})

testOnBothTwins('onError answers in the place of the gateway', async (t, transfer) => {
  const { root } = makeSite(t)
  const told: string[] = []
  const hooks = hook({
    onError({ code, status, request }) {
      told.push(`${code} ${status} ${request.path}`)
      if (request.query === '?own') return undefined
      return new Response('<h1>sorry</h1>', { status, headers: { 'Content-Type': 'text/html' } })
    },
  })
  const { port, connect } = await start(
    t,
    {
      '/dead': proxy('http://127.0.0.1:1', { hooks }),
      '/f/*': files(root, { hooks }),
      '/slow': handler(() => new Promise<Response>(() => {}), { hooks, timeout: 100 }),
    },
    { transfer },
  )
  const dead = await ask(port, '/dead')
  t.deepEqual(
    [dead.status, dead.body, dead.headers['content-type']],
    [502, '<h1>sorry</h1>', 'text/html'],
  )
  const own = await ask(port, '/dead?own')
  t.deepEqual([own.status, own.headers['content-type']], [502, 'text/plain; charset=utf-8'])
  t.is((await ask(port, '/slow')).body, '<h1>sorry</h1>')
  const method = await ask(port, '/f/a', { method: 'DELETE' })
  t.deepEqual([method.status, method.headers.allow], [405, undefined])
  t.deepEqual(told, [
    'upstream-refused 502 /dead',
    'upstream-refused 502 /dead',
    'first-byte-timeout 504 /slow',
    'method-not-allowed 405 /f/a',
  ])
  // What follows on the connection is not taken for a part of what failed.
  const client = await connect()
  const upload = 'POST /dead HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde'
  client.write(`${upload}GET /dead HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  t.is((await client.read()).body.toString(), '<h1>sorry</h1>')
})
