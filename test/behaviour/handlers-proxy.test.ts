// context.proxy(): what a handler passes on to an upstream, and what it gets back. Whatever proxy()
// routes do for a request is done for these.

import { createHash } from 'node:crypto'
import { type RequestListener, request as send } from 'node:http'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import type { GatewayConfig } from '../../src/config/actions.ts'
import { handler, proxy } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { startGateway } from '../support/gateway.ts'
import { startWayTarget, type Way, ways } from '../support/secure-target.ts'
import { patternBytes } from '../support/site.ts'
import { until } from '../support/wait.ts'

const seen: RequestListener = async (request, response) => {
  const { method, url, headers, rawHeaders } = request
  const body = await text(request)
  response.setHeader('X-Target', 'here')
  response.setHeader('Set-Cookie', ['a=1', 'b=2'])
  response.end(JSON.stringify({ method, url, headers, rawHeaders, body }))
}

const passed = (options: object = {}) =>
  handler((request, context) => context.proxy(request, { upstream: 'app', ...options }))

async function start(
  t: ExecutionContext,
  answer: RequestListener,
  routes: GatewayConfig['routes'],
  { way = 'HTTP by workers' as Way, upstream = {}, config = {} } = {},
) {
  const target = await startWayTarget(t, way, answer)
  const app = { targets: target.url, ...ways[way], ...upstream }
  const running = await startGateway(t, { upstreams: { app }, routes, ...config })
  return { ...running, target }
}

test.serial('a request passes as it would on a proxy() route', async (t) => {
  const { port } = await start(t, seen, { '/*': passed(), 'plain.test/*': proxy('app') })
  const fields = {
    'X-Own': 'one',
    'X-Forwarded-For': '192.0.2.1',
    Connection: 'keep-alive, X-Hop',
    'X-Hop': 'gone',
    Cookie: 'a=b',
  }
  const through = async (host: string) => {
    const headers = { ...fields, Host: host }
    const reply = await ask(port, '/a%20b/c//d?e=%2F', { method: 'PUT', headers, body: 'text' })
    const { headers: got, ...others } = JSON.parse(reply.body)
    delete others.rawHeaders
    const { 'x-request-id': id, host: wanted, 'content-length': length, ...rest } = got
    t.regex(id, /^[0-9a-f]{32}$/)
    t.is(wanted, host)
    t.is(length, '4')
    t.is(reply.headers['x-target'], 'here')
    t.deepEqual(reply.headers['set-cookie'], ['a=1', 'b=2'])
    return { ...others, fields: { ...rest, 'x-forwarded-host': undefined } }
  }
  t.deepEqual(await through('own.test'), await through('plain.test'))
})

test.serial('a handler may change what is asked and what is answered', async (t) => {
  const { port } = await start(t, seen, {
    '/*': handler(async (request, context) => {
      const headers = new Headers(request.headers)
      headers.set('x-own', 'changed')
      headers.set('x-forwarded-for', '203.0.113.9')
      const changed = new Request(request, { method: 'POST', headers, body: 'another body' })
      const answer = await context.proxy(changed, { upstream: 'app', target: '/other?x=1' })
      const reply = new Response(answer.body, answer)
      reply.headers.set('x-seen', answer.headers.get('x-target') ?? '')
      return reply
    }),
  })
  const reply = await ask(port, '/asked', { headers: { 'X-Own': 'one' } })
  const { method, url, headers, body } = JSON.parse(reply.body)
  t.deepEqual([method, url, body], ['POST', '/other?x=1', 'another body'])
  t.is(headers['x-own'], 'changed')
  // Who asks is not for the handler to say.
  t.is(headers['x-forwarded-for'], '127.0.0.1')
  t.is(reply.headers['x-seen'], 'here')
})

for (const way of Object.keys(ways) as Way[]) {
  test.serial(`large bodies stream both ways: ${way}`, async (t) => {
    const echo: RequestListener = (request, response) => void request.pipe(response)
    const { port } = await start(
      t,
      echo,
      { '/*': passed() },
      {
        way,
        config: { limits: { bodyBytes: '64mb' } },
      },
    )
    const bytes = patternBytes(8 * 1024 * 1024)
    const client = send({ port, path: '/', method: 'POST' })
    client.end(bytes)
    const [response] = await new Promise<[import('node:http').IncomingMessage]>((resolve) => {
      client.on('response', (got) => resolve([got]))
    })
    const digest = createHash('sha256')
    for await (const chunk of response) digest.update(chunk)
    t.is(digest.digest('hex'), createHash('sha256').update(bytes).digest('hex'))
  })
}

test.serial('an answer passes as it comes, and nothing is read ahead of the client', async (t) => {
  let written = 0
  const endless: RequestListener = (_request, response) => {
    const more = () => {
      let goesOn = true
      while (goesOn && !response.destroyed) {
        written += 65_536
        goesOn = response.write(Buffer.alloc(65_536))
      }
    }
    response.on('drain', more)
    more()
  }
  const { port } = await start(t, endless, { '/*': passed() })
  const client = send({ port, path: '/' })
  client.end()
  const response = await new Promise<import('node:http').IncomingMessage>((resolve) => {
    client.on('response', resolve)
  })
  response.pause()
  let before = -1
  await until('the target to be held back', () => {
    const stands = written === before
    before = written
    return stands
  })
  t.true(written < 64 * 1024 * 1024)
  client.destroy()
})

test.serial('a client that goes takes its request along', async (t) => {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  let isAsked = false
  const silent: RequestListener = (_request, response) => {
    isAsked = true
    response.on('close', resolve)
  }
  const { port } = await start(t, silent, { '/*': passed() })
  const client = send({ port, path: '/' })
  client.on('error', () => {})
  client.end()
  await until('the request', () => isAsked)
  client.destroy()
  await closed
  t.pass()
})

test.serial('an upstream without an answer is the error of a proxy() route', async (t) => {
  const { port, target } = await start(t, seen, { '/*': passed() })
  await target.stop()
  const reply = await ask(port, '/')
  t.is(reply.status, 502)
  t.is(reply.headers['x-sluice-fault'], undefined)
})

test.serial('the next target is asked when one is not there', async (t) => {
  const gone = await startWayTarget(t, 'HTTP by workers', seen)
  await gone.stop()
  const target = await startWayTarget(t, 'HTTP by workers', seen)
  const { port } = await startGateway(t, {
    upstreams: { app: { targets: [gone.url, target.url], balance: 'round-robin' } },
    routes: { '/*': passed() },
  })
  for (let round = 0; round < 4; round++) {
    t.is((await ask(port, '/', { method: 'POST', body: 'x' })).status, 200)
  }
})

test.serial('an answer that breaks off breaks off for the client', async (t) => {
  const broken: RequestListener = (_request, response) => {
    response.write('first', () => response.destroy())
  }
  const { port } = await start(t, broken, { '/*': passed() })
  await t.throwsAsync(ask(port, '/'))
})

test.serial('a target that a route names is an upstream, others are none', async (t) => {
  const target = await startWayTarget(t, 'HTTP by workers', seen)
  const { port, log } = await startGateway(t, {
    routes: {
      '/named/*': proxy(target.url),
      '/*': passed({ upstream: target.url }),
      '/else': passed({ upstream: 'http://127.0.0.1:1' }),
      '/bad': passed({ upstream: target.url, target: 'no path' }),
    },
  })
  t.is((await ask(port, '/')).status, 200)
  t.is((await ask(port, '/else')).status, 500)
  t.is((await ask(port, '/bad')).status, 500)
  const said = log.flatMap((line) => ('err' in line ? [(line.err as Error).message] : []))
  t.deepEqual(said, [
    "no upstream of the configuration is called 'http://127.0.0.1:1'",
    "the target of proxy() is a path that begins with '/', percent-encoded",
  ])
})

test.serial('clients cannot name the ways of the app, nor see its socket', async (t) => {
  const { port, addresses } = await start(t, seen, { '/app': passed() })
  t.is(addresses.length, 1)
  t.is((await ask(port, '/', { headers: { 'X-Sluice-Route': 'app', Host: 'app' } })).status, 404)
})

test.serial('the upstream of now is asked after a reload', async (t) => {
  const other = await startWayTarget(t, 'HTTP by workers', (_request, response) => {
    response.end('other')
  })
  const { port, gateway } = await start(t, seen, { '/*': passed() })
  t.is((await ask(port, '/')).status, 200)
  await gateway.reload({
    listen: 0,
    upstreams: { first: { targets: 'http://127.0.0.1:1' }, app: { targets: other.url } },
    routes: { '/*': passed() },
  })
  t.is((await ask(port, '/')).body, 'other')
})

test.serial('a request that is under way when the gateway drains is still passed on', async (t) => {
  const { promise: mayAsk, resolve } = Promise.withResolvers<void>()
  let isThere = false
  const { port, gateway } = await start(t, seen, {
    '/*': handler(async (request, context) => {
      isThere = true
      await mayAsk
      return context.proxy(request, { upstream: 'app' })
    }),
  })
  const reply = ask(port, '/')
  await until('the handler', () => isThere)
  const closed = gateway.close({ drain: true })
  resolve()
  t.is((await reply).status, 200)
  await closed
})

test.serial("what is passed on has one line in the access log, the client's", async (t) => {
  const { port, gateway } = await start(
    t,
    seen,
    { '/*': passed() },
    {
      config: { accessLog: { to: { file: '/dev/null' } } },
    },
  )
  for (let round = 0; round < 3; round++) t.is((await ask(port, '/')).status, 200)
  await until('the lines', () => gateway.stats().accessLog.lines >= 3)
  t.is(gateway.stats().accessLog.lines, 3)
})

test.serial('a gateway that is full of clients still passes their requests on', async (t) => {
  const { port } = await start(
    t,
    seen,
    { '/*': passed() },
    {
      config: { limits: { connectionsPerWorker: 1 } },
    },
  )
  t.is((await ask(port, '/')).status, 200)
})
