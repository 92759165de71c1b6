// The hooks that the core takes by itself: addresses, rate limits, CORS, header fields,
// maintenance. No JavaScript is asked, and every kind of answer has the fields.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import type { GatewayConfig } from '../../src/config/actions.ts'
import {
  cors,
  files,
  hook,
  ipAllow,
  ipDeny,
  maintenance,
  proxy,
  rateLimit,
  redirect,
  respond,
  securityHeaders,
} from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite } from '../support/site.ts'

function start(t: ExecutionContext, routes: GatewayConfig['routes'], more: object = {}) {
  return startGateway(t, { routes, ...more })
}

/** As a proxy that is trusted speaks for a client. */
function from(address: string, headers: Record<string, string> = {}) {
  return { headers: { ...headers, 'X-Forwarded-For': address } }
}

const trusting = { trustedProxies: '127.0.0.1' }

test('lists of addresses let pass and refuse', async (t) => {
  const { port, gateway } = await start(
    t,
    {
      '/allow': respond(200, 'in', {
        hooks: ipAllow(['10.0.0.0/8', '2001:db8::/32', '192.0.2.7']),
      }),
      '/deny': respond(200, 'in', { hooks: ipDeny('10.1.0.0/16') }),
      '/both': respond(200, 'in', { hooks: [ipAllow('10.0.0.0/8'), ipDeny('10.1.0.0/16')] }),
    },
    trusting,
  )
  const status = async (path: string, address: string) =>
    (await ask(port, path, from(address))).status
  t.is(await status('/allow', '10.200.0.1'), 200)
  t.is(await status('/allow', '2001:db8:1::1'), 200)
  t.is(await status('/allow', '192.0.2.7'), 200)
  t.is(await status('/allow', '192.0.2.8'), 403)
  t.is(await status('/allow', '2001:db9::1'), 403)
  t.is(await status('/deny', '10.1.2.3'), 403)
  t.is(await status('/deny', '10.2.2.3'), 200)
  t.is(await status('/both', '10.1.2.3'), 403)
  t.is(await status('/both', '10.2.2.3'), 200)
  t.is((await ask(port, '/allow')).status, 403)
  t.is(gateway.stats().total.hooks.denied, 5)
  t.is(gateway.stats().total.errors['address-denied'], 5)
  t.is(gateway.stats().total.hooks.asked, 0)
})

test('clients that are not trusted do not choose their address', async (t) => {
  const { port } = await start(t, { '/': respond(200, 'in', { hooks: ipAllow('10.0.0.0/8') }) })
  t.is((await ask(port, '/', from('10.0.0.1'))).status, 403)
})

test('a client gets its share, and then a 429 that says when to come again', async (t) => {
  const limit = rateLimit({ limit: 3, window: '1h', name: 'pages' })
  const { port, gateway } = await start(
    t,
    { '/*': respond(200, 'fine', { hooks: limit }) },
    trusting,
  )
  const statuses: number[] = []
  for (let n = 0; n < 5; n++) statuses.push((await ask(port, '/', from('192.0.2.1'))).status)
  t.deepEqual(statuses, [200, 200, 200, 429, 429])
  const { headers, body } = await ask(port, '/', from('192.0.2.1'))
  t.is(body, '429 Too Many Requests: more requests than the rate limit of the route allows\n')
  const retryAfter = Number(headers['retry-after'])
  t.true(retryAfter > 1_000 && retryAfter <= 1_200, String(retryAfter))
  t.is(headers['ratelimit-policy'], '"pages";q=3;w=3600')
  t.regex(String(headers.ratelimit), /^"pages";r=0;t=\d+$/)
  t.is((await ask(port, '/', from('192.0.2.2'))).status, 200)
  t.is(gateway.stats().total.hooks.limited, 3)
})

test('an IPv6 client is its network', async (t) => {
  const limit = rateLimit({ limit: 1, window: '1h' })
  const { port } = await start(t, { '/': respond(200, '', { hooks: limit }) }, trusting)
  t.is((await ask(port, '/', from('2001:db8::1'))).status, 200)
  t.is((await ask(port, '/', from('2001:db8::2'))).status, 429)
  t.is((await ask(port, '/', from('2001:db8:0:1::1'))).status, 200)
})

test('answers announce what is left where that is wanted', async (t) => {
  const limit = rateLimit({ limit: 60, window: '1d', burst: 5, announce: true })
  const { port } = await start(t, { '/': respond(200, '', { hooks: limit }) })
  const left: string[] = []
  for (let n = 0; n < 3; n++) left.push(String((await ask(port, '/')).headers.ratelimit))
  t.deepEqual(
    left.map((field) => field.replace(/;t=\d+$/, '')),
    ['"default";r=4', '"default";r=3', '"default";r=2'],
  )
})

test('requests are counted by a header field, or by a claim that a hook has found', async (t) => {
  const claim = hook((head) => {
    const plan = head.header('x-plan')
    return plan === undefined ? undefined : { claims: { plan } }
  })
  const { port } = await start(t, {
    '/header': respond(200, '', {
      hooks: rateLimit({ limit: 1, window: '1h', by: { header: 'X-Key' } }),
    }),
    '/claim': respond(200, '', {
      hooks: [claim, rateLimit({ limit: 1, window: '1h', by: { claim: 'plan' } })],
    }),
  })
  const status = async (path: string, headers = {}) => (await ask(port, path, { headers })).status
  t.is(await status('/header', { 'X-Key': 'a' }), 200)
  t.is(await status('/header', { 'X-Key': 'a' }), 429)
  t.is(await status('/header', { 'X-Key': 'b' }), 200)
  t.is(await status('/header'), 200)
  t.is(await status('/header'), 429)
  t.is(await status('/claim', { 'X-Plan': 'free' }), 200)
  t.is(await status('/claim', { 'X-Plan': 'free' }), 429)
  t.is(await status('/claim', { 'X-Plan': 'paid' }), 200)
  t.is(await status('/claim'), 200)
  t.is(await status('/claim'), 429)
})

test('limits of routes are apart, that of the gateway is one for all of them', async (t) => {
  const limit = (n: number) => rateLimit({ limit: n, window: '1h' })
  const { port } = await start(
    t,
    { '/a': respond(200, '', { hooks: limit(1) }), '/b': respond(200, '', { hooks: limit(1) }) },
    { hooks: limit(3) },
  )
  const status = async (path: string) => (await ask(port, path)).status
  t.deepEqual([await status('/a'), await status('/a'), await status('/b')], [200, 429, 200])
  t.is(await status('/b'), 429)
})

test('a limited client never reaches JavaScript', async (t) => {
  let asked = 0
  const hooks = [rateLimit({ limit: 2, window: '1h' }), hook(() => void asked++)]
  const { port } = await start(t, { '/': respond(200, '', { hooks }) })
  for (let n = 0; n < 10; n++) await ask(port, '/')
  t.is(asked, 2)
})

test('four workers together let through exactly the limit', async (t) => {
  const limit = rateLimit({ limit: 500, window: '1d' })
  const { connect, gateway } = await start(
    t,
    { '/*': respond(200, 'fine', { hooks: limit }) },
    { workers: 4 },
  )
  const clients = await Promise.all(Array.from({ length: 32 }, () => connect()))
  const statuses = await Promise.all(
    clients.map(async (client) => {
      client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(40))
      const own: number[] = []
      for (let n = 0; n < 40; n++) own.push((await client.read()).status)
      return own
    }),
  )
  t.is(statuses.flat().filter((status) => status === 200).length, 500)
  t.is(statuses.flat().filter((status) => status === 429).length, 32 * 40 - 500)
  t.true(gateway.stats().workers.filter(({ requests }) => requests > 0).length > 1)
})

test('pages of any origin may read answers, preflights included', async (t) => {
  const { port } = await start(t, {
    'GET /api': respond(200, 'data', { hooks: cors({ exposed: 'X-Total', maxAge: '1h' }) }),
    'GET /plain': respond(200, 'data'),
  })
  const preflight = {
    method: 'OPTIONS',
    headers: { Origin: 'https://a.test', 'Access-Control-Request-Method': 'GET' },
  }
  const reply = await ask(port, '/api', preflight)
  t.is(reply.status, 204)
  t.like(reply.headers, {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
    'access-control-allow-headers': 'content-type, authorization',
    'access-control-max-age': '3600',
  })
  const { headers } = await ask(port, '/api', { headers: { Origin: 'https://a.test' } })
  t.like(headers, {
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'x-total',
  })
  t.is((await ask(port, '/plain', preflight)).status, 405)
})

test('origins that are named get credentials, others nothing', async (t) => {
  const hooks = cors({ origins: ['https://a.test', 'https://b.test:8443'], credentials: true })
  const { port } = await start(t, { '/api': respond(200, 'data', { hooks }) })
  const answered = async (Origin: string, more: object = {}) =>
    (await ask(port, '/api', { headers: { Origin }, ...more })).headers
  t.like(await answered('https://a.test'), {
    'access-control-allow-origin': 'https://a.test',
    'access-control-allow-credentials': 'true',
    vary: 'Origin',
  })
  t.like(await answered('https://b.test:8443'), {
    'access-control-allow-origin': 'https://b.test:8443',
  })
  const others = await answered('https://a.test.evil')
  t.is(others['access-control-allow-origin'], undefined)
  t.is(others['access-control-allow-credentials'], undefined)
  t.is(others.vary, 'Origin')
  t.is((await ask(port, '/api')).headers.vary, 'Origin')
})

testOnBothTwins('header fields are on every answer, whoever makes it', async (t, transfer) => {
  const { root } = makeSite(t, { 'a.txt': 'text' })
  const server = createServer((_request, response) => {
    response.setHeader('X-Frame-Options', 'ALLOWALL')
    response.end('proxied')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}` as const
  const { port, engineBytes } = await start(
    t,
    {
      '/f/*': files(root),
      '/r': respond(200, 'fixed'),
      '/to': redirect(302, '/r'),
      '/p': proxy(target),
      '/g/*': files(root, { otherwise: proxy(target) }),
      '/dead': proxy('http://127.0.0.1:1'),
      '/own': respond(200, '', { hooks: securityHeaders({ frameOptions: 'DENY', hsts: false }) }),
    },
    { transfer, hooks: securityHeaders({ contentSecurityPolicy: "default-src 'self'" }) },
  )
  const paths = ['/f/a.txt', '/f/none', '/r', '/to', '/p', '/g/a.txt', '/g/none', '/dead']
  for (const path of paths) {
    const { headers } = await ask(port, path)
    t.like(
      headers,
      {
        'x-frame-options': 'SAMEORIGIN',
        'x-content-type-options': 'nosniff',
        'strict-transport-security': 'max-age=31536000',
        'referrer-policy': 'strict-origin-when-cross-origin',
        'content-security-policy': "default-src 'self'",
      },
      path,
    )
  }
  const both = await ask(port, '/own')
  t.is(both.headers['x-frame-options'], 'SAMEORIGIN, DENY')
  const again = await ask(port, '/f/a.txt', {
    headers: { 'If-Modified-Since': new Date().toUTCString() },
  })
  t.is(again.status, 304)
  t.is(again.headers['x-frame-options'], 'SAMEORIGIN')
  t.is(Object.keys(engineBytes()).length > 0, true)
})

test('maintenance answers everybody but operators, while it is on', async (t) => {
  const hooks = maintenance({ except: '10.0.0.0/8', retryAfter: 120, body: 'back soon' })
  const { port } = await start(
    t,
    {
      '/*': respond(200, 'open', { hooks }),
      '/off': respond(200, 'open', { hooks: maintenance({ enabled: false }) }),
    },
    trusting,
  )
  const reply = await ask(port, '/')
  t.deepEqual([reply.status, reply.body, reply.headers['retry-after']], [503, 'back soon', '120'])
  t.is((await ask(port, '/', { method: 'HEAD' })).body, '')
  t.is((await ask(port, '/', from('10.1.1.1'))).status, 200)
  t.is((await ask(port, '/off')).status, 200)
})

test('a body that nobody reads does not become the next request', async (t) => {
  const { connect } = await start(t, { '/*': respond(200, 'in', { hooks: ipDeny('127.0.0.0/8') }) })
  const client = await connect()
  const body = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
  const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`
  t.is((await client.ask(head + body)).status, 403)
  client.write(head + body)
  t.is((await client.read()).status, 403)
})
