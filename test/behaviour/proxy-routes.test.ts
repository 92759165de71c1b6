// What the options of a proxy() route do to a request and its answer, seen by a target and a
// client. Bodies and faults have tests of their own.

import { createServer } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import { files, type InlineProxyOptions, proxy } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { makeFolder, makeSite } from '../support/site.ts'
import { startTarget } from '../support/target.ts'
import { until } from '../support/wait.ts'

test('the path goes on as it came, query included', async (t) => {
  const target = await startTarget(t, 'a')
  const { get } = await startGateway(t, { routes: { '/*': proxy(target.url) } })
  const paths = ['/', '/a//b/', '/%41%2f%20', '/x?a=1&b=%2F?', '/caf%C3%A9']
  for (const path of paths) t.is((await get(path)).status, 200)
  t.deepEqual(
    target.requests.map(({ url }) => url),
    paths,
  )
})

test('stripPrefix takes whole segments off', async (t) => {
  const target = await startTarget(t, 'a')
  const { get } = await startGateway(t, {
    routes: { '/api/*': proxy(target.url, { stripPrefix: '/api' }) },
  })
  for (const path of ['/api/users?x=1', '/api/', '/api', '/api?x', '/api/api/x']) await get(path)
  t.deepEqual(
    target.requests.map(({ url }) => url),
    ['/users?x=1', '/', '/', '/?x', '/api/x'],
  )
  t.is((await get('/apis')).status, 404)
})

test('rewrite fills in another path; the query is kept unless it has one', async (t) => {
  const target = await startTarget(t, 'a')
  const { get } = await startGateway(t, {
    routes: {
      '/users/:id/*': proxy(target.url, { rewrite: '/v2/$id$rest' }),
      '/find/:word': proxy(target.url, { rewrite: '/search?q=$word' }),
      '/old/*': proxy(target.url, { rewrite: '$rest' }),
      '/price': proxy(target.url, { rewrite: '/$$5' }),
    },
  })
  const asked = ['/users/7/a%2Fb?x=1', '/users/7', '/find/a%20b?x=1', '/old/y?z', '/old', '/price']
  for (const path of asked) await get(path)
  t.deepEqual(
    target.requests.map(({ url }) => url),
    ['/v2/7/a%2Fb?x=1', '/v2/7', '/search?q=a%20b', '/y?z', '/', '/$5'],
  )
})

test("Host: the client's, the target's own, or a value", async (t) => {
  const target = await startTarget(t, 'a')
  const { get } = await startGateway(t, {
    routes: {
      '/*': proxy(target.url),
      '/own': proxy(target.url, { host: 'target' }),
      '/fixed': proxy(target.url, { host: 'app.internal:81' }),
    },
  })
  for (const path of ['/', '/own', '/fixed']) await get(path, { Host: 'Site.example:8080' })
  t.deepEqual(
    target.requests.map(({ headers }) => headers.host),
    ['Site.example:8080', target.address, 'app.internal:81'],
  )
})

test('fields are removed, set and added on the way there and back', async (t) => {
  const target = await startTarget(t, 'a', (_request, response) => {
    response.setHeader('X-Powered-By', 'magic')
    response.setHeader('Set-Cookie', ['a=1', 'b=2'])
    response.setHeader('X-Old', 'theirs')
    response.end('ok')
  })
  const headers: InlineProxyOptions['headers'] = {
    request: { remove: 'cookie', set: { 'X-Env': 'prod' }, add: { 'X-Tag': 'gateway' } },
    response: {
      remove: ['x-powered-by'],
      set: { 'X-Old': 'ours' },
      add: { 'Set-Cookie': 'c=3' },
    },
  }
  const { get } = await startGateway(t, { routes: { '/*': proxy(target.url, { headers }) } })
  const reply = await get('/', { Cookie: 'secret', 'x-env': 'dev', 'X-Tag': 'client' })
  const seen = target.requests[0]?.headers
  t.is(seen?.cookie, undefined)
  t.is(seen?.['x-env'], 'prod')
  t.is(seen?.['x-tag'], 'client, gateway')
  t.is(reply.field('X-Powered-By'), undefined)
  t.is(reply.field('X-Old'), 'ours')
  t.is(reply.field('Set-Cookie'), 'a=1, b=2, c=3')
})

test('fields about the client can be left out, and then be set by hand', async (t) => {
  const target = await startTarget(t, 'a')
  const { get } = await startGateway(t, {
    routes: {
      '/none': proxy(target.url, { forwarded: false, via: false, requestId: false }),
      '/hand': proxy(target.url, {
        forwarded: false,
        headers: { request: { set: { 'X-Forwarded-Proto': 'https' } } },
      }),
      '/new': proxy(target.url, { forwarded: 'forwarded' }),
    },
  })
  for (const path of ['/none', '/hand', '/new']) await get(path, { Host: 'h' })
  const [none, hand, modern] = target.requests.map(({ headers }) => headers)
  for (const name of ['x-forwarded-for', 'forwarded', 'via', 'x-request-id']) {
    t.is(none?.[name], undefined, name)
  }
  t.is(hand?.['x-forwarded-proto'], 'https')
  t.regex(modern?.forwarded ?? '', /^for=127\.0\.0\.1;.*host="h"/)
  t.is(modern?.['x-forwarded-for'], undefined)
  t.regex(modern?.via ?? '', /^1\.1 /)
})

test('bodies have no bound unless one is set for the route or the gateway', async (t) => {
  const target = await startTarget(t, 'a', (message, response) => {
    message.resume().on('end', () => response.end('took it'))
  })
  const routes = {
    '/*': proxy(target.url),
    '/small': proxy(target.url, { bodyBytes: 10 }),
    '/any': proxy(target.url, { bodyBytes: false }),
  } as const
  const body = 'x'.repeat(11_000_000)
  const post = (path: string, bytes: string) =>
    request(path, { 'Content-Length': String(bytes.length) }, 'POST') + bytes
  const unbound = await startGateway(t, { routes })
  t.is((await (await unbound.connect()).ask(post('/', body))).status, 200)
  t.is((await (await unbound.connect()).ask(post('/small', 'x'.repeat(10)))).status, 200)
  t.is((await (await unbound.connect()).ask(post('/small', 'x'.repeat(11)))).status, 413)
  const bound = await startGateway(t, { limits: { bodyBytes: '1kb' }, routes })
  t.is((await (await bound.connect()).ask(post('/', 'x'.repeat(1025)))).status, 413)
  t.is((await (await bound.connect()).ask(post('/any', body))).status, 200)
})

test('a unix socket is a target', async (t) => {
  const path = join(makeFolder(t), 'app.sock')
  const target = await startTarget(t, 'by socket', undefined, { path })
  const { get, gateway } = await startGateway(t, {
    routes: { '/*': proxy(target.url, { host: 'target' }) },
  })
  t.is((await get('/')).body.toString(), 'by socket')
  t.is(target.requests[0]?.headers.host, 'localhost')
  t.is(gateway.stats().upstreams[0]?.targets[0]?.address, path)
})

test('files first, then the application, whatever the method', async (t) => {
  const target = await startTarget(t, 'application')
  const site = makeSite(t, { 'page.html': 'from disk' })
  const { get, connect } = await startGateway(t, {
    routes: { '/*': files(site.root, { otherwise: proxy(target.url) }) },
  })
  t.is((await get('/page.html')).body.toString(), 'from disk')
  t.is((await get('/other?x=1')).body.toString(), 'application')
  const client = await connect()
  const posted = await client.ask(`${request('/page.html', { 'Content-Length': '3' }, 'POST')}abc`)
  t.is(posted.body.toString(), 'application')
  t.deepEqual(
    target.requests.map(({ method, url }) => `${method} ${url}`),
    ['GET /other?x=1', 'POST /page.html'],
  )
})

test('a client that closes its sending side is answered where halfClose says so', async (t) => {
  const answers: (() => void)[] = []
  const target = await startTarget(t, 'a', (_request, response) => {
    answers.push(() => response.end('late'))
  })
  const { connect, gateway } = await startGateway(t, {
    routes: { '/*': proxy(target.url), '/half': proxy(target.url, { halfClose: true }) },
  })
  const half = await connect()
  half.socket.end(request('/half'))
  const gone = await connect()
  gone.socket.end(request('/'))
  t.is((await gone.readToEnd()).length, 0)
  await until('the request that goes on', () => target.requests.some(({ url }) => url === '/half'))
  for (const answer of answers) answer()
  t.is((await half.read()).body.toString(), 'late')
  t.true((gateway.stats().total.errors['client-gone'] ?? 0) >= 1)
})

test('times that a target takes too long for', async (t) => {
  const target = await startTarget(t, 'a', (message, response) => {
    if (message.url === '/half') response.write('half')
  })
  const { get, connect, gateway } = await startGateway(t, {
    routes: {
      '/silent': proxy(target.url, { timeout: { firstByte: 50 } }),
      '/half': proxy(target.url, { timeout: { between: 50 } }),
    },
  })
  t.is((await get('/silent')).status, 504)
  const client = await connect()
  client.write(request('/half'))
  const cut = (await client.readToEnd()).toString()
  t.regex(cut, /^HTTP\/1\.1 200 /)
  t.false(cut.endsWith('0\r\n\r\n'), 'it must not look complete')
  const { errors } = gateway.stats().total
  t.is(errors['first-byte-timeout'], 1)
  t.is(errors['between-timeout'], 1)
})

test('a target that accepts and never speaks HTTP', async (t) => {
  const server = createServer((socket) => void socket.end('SSH-2.0-OpenSSH_9\r\n'))
  t.teardown(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const { get } = await startGateway(t, { routes: { '/*': proxy(`http://127.0.0.1:${port}`) } })
  t.is((await get('/')).status, 502)
})
