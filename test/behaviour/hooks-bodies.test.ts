// Hooks that read bodies on proxy() routes: what they are given, what goes on, and what becomes of
// whatever they do wrong.

import { type IncomingMessage, type RequestListener, request as send } from 'node:http'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { hook, proxy, respond, type TransformHooks } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { startGateway } from '../support/gateway.ts'
import { problemsOf } from '../support/problems.ts'
import { startTarget } from '../support/target.ts'
import { until } from '../support/wait.ts'

const echo: RequestListener = async (request, response) => {
  const { method, url, headers } = request
  response.setHeader('ETag', '"one"')
  response.setHeader('Accept-Ranges', 'bytes')
  response.end(JSON.stringify({ method, url, headers, body: await text(request) }))
}

type Bytes = ReadableStream<Uint8Array>

function changing(change: (text: string) => string) {
  return (body: Bytes): Bytes =>
    body
      .pipeThrough(new TextDecoderStream() as never)
      .pipeThrough(
        new TransformStream<string, string>({
          transform: (chunk, to) => to.enqueue(change(chunk)),
        }),
      )
      .pipeThrough(new TextEncoderStream() as never)
}

async function start(
  t: ExecutionContext,
  hooks: TransformHooks | TransformHooks[],
  answer: RequestListener = echo,
  options: object = {},
) {
  const target = await startTarget(t, 'target', answer)
  const all = [hooks].flat().map((functions) => hook(functions))
  const running = await startGateway(t, {
    routes: { '/:at/*': proxy(target.url, { hooks: all, ...options }) },
  })
  return { ...running, target }
}

const errorsOf = (log: object[]) =>
  log.flatMap((line) => ('err' in line ? [(line.err as Error).message] : []))

test.serial('bodies pass through both, in the order of the hooks', async (t) => {
  const { port } = await start(t, [
    {
      transformRequest: changing((chunk) => `${chunk}1`),
      transformResponse: changing((chunk) => chunk.replace('mark', 'first')),
    },
    {
      transformRequest: changing((chunk) => `${chunk}2`),
      transformResponse: changing((chunk) => chunk.replace('first', 'second')),
    },
  ])
  const headers = { Range: 'bytes=0-1', 'X-Own': 'mark', 'Accept-Encoding': 'gzip' }
  const reply = await ask(port, '/a%20b/c//d?e', { method: 'POST', headers, body: 'text' })
  t.is(reply.status, 200)
  const seen = JSON.parse(reply.body)
  t.like(seen, { method: 'POST', url: '/a%20b/c//d?e', body: 'text12' })
  t.like(seen.headers, {
    'x-own': 'second',
    'x-forwarded-for': '127.0.0.1',
    'accept-encoding': 'identity',
    'transfer-encoding': 'chunked',
    host: `127.0.0.1:${port}`,
  })
  t.is(seen.headers.range, undefined)
  t.is(reply.headers['content-length'], String(reply.bytes.length))
  t.is(reply.headers['accept-ranges'], undefined)
  t.is(reply.headers.etag, 'W/"one"')
})

test.serial('a hook knows the head, and changes its fields', async (t) => {
  const seen: object[] = []
  const { port } = await start(t, {
    transformRequest(body, { method, url, status, headers, params, clientAddress, requestId }) {
      seen.push({ method, path: new URL(url).pathname, status, params, clientAddress, requestId })
      headers.set('x-own', 'changed')
      return body
    },
    transformResponse(body, { status, headers }) {
      seen.push({ status })
      headers.set('x-more', 'yes')
      return body
    },
  })
  const reply = await ask(port, '/a/b', { method: 'PUT', body: 'text' })
  t.is(JSON.parse(reply.body).headers['x-own'], 'changed')
  t.is(reply.headers['x-more'], 'yes')
  const [asked, answered] = seen as { requestId: string }[]
  t.like(asked, { method: 'PUT', path: '/a/b', status: 0, clientAddress: '127.0.0.1' })
  t.like(asked, { params: { at: 'a', '*': 'b' } })
  t.is(JSON.parse(reply.body).headers['x-request-id'], asked?.requestId)
  t.deepEqual(answered as object, { status: 200 })
})

test.serial('only what has a body is transformed, and the length of others stays', async (t) => {
  let calls = 0
  const count = (body: Bytes) => {
    calls++
    return body
  }
  const { port } = await start(t, { transformRequest: count })
  t.is((await ask(port, '/a/b')).status, 200)
  t.is((await ask(port, '/a/b', { method: 'HEAD' })).body, '')
  t.is(calls, 0)
  const other = await start(t, { transformResponse: count })
  const reply = await ask(other.port, '/a/b', { method: 'POST', body: 'text' })
  t.is(JSON.parse(reply.body).headers['content-length'], '4')
  t.is(calls, 1)
})

test.serial('bodies stream: what has come passes before the rest is there', async (t) => {
  const { port } = await start(
    t,
    {
      transformRequest: changing((chunk) => chunk.toUpperCase()),
      transformResponse: changing((chunk) => `<${chunk}>`),
    },
    (request, response) => void request.pipe(response),
  )
  const client = send({ port, path: '/a/b', method: 'POST' })
  client.write('one')
  const incoming = await new Promise<IncomingMessage>((resolve) => {
    client.on('response', resolve)
  })
  let got = ''
  incoming.setEncoding('utf8').on('data', (chunk) => {
    got += chunk
  })
  await until('the first part', () => got === '<ONE>')
  client.end('two')
  await until('the second part', () => got === '<ONE><TWO>')
  t.pass()
})

test.serial('what a hook throws is a 500 with the request id', async (t) => {
  const fails = (message: string) => () => {
    throw new Error(message)
  }
  const breaking = (message: string) => (body: Bytes) =>
    body.pipeThrough(new TransformStream({ transform: fails(message) }))
  const cases: TransformHooks[] = [
    { transformRequest: fails('request') },
    { transformResponse: fails('response') },
    { transformRequest: breaking('body of a request') },
    { transformResponse: breaking('body of a response') },
    { transformResponse: () => 'no stream' as never },
  ]
  for (const hooks of cases) {
    const { port, log } = await start(t, hooks)
    const reply = await ask(port, '/a/b', { method: 'POST', body: 'text' })
    t.is(reply.status, 500)
    t.regex(reply.body, /\nrequest [0-9a-f]{32}\n$/)
    t.is(errorsOf(log).length, 1)
    t.regex(errorsOf(log)[0] ?? '', /^(request|response|body of|transformResponse returned no)/)
  }
})

test.serial('a body that fails after its first part breaks off', async (t) => {
  const { promise: mayGoOn, resolve: goOn } = Promise.withResolvers<void>()
  const { port, log } = await start(
    t,
    {
      transformResponse: changing((chunk) => {
        if (chunk === 'second') throw new Error('it fails')
        return chunk
      }),
    },
    (_request, response) => {
      response.write('first')
      void mayGoOn.then(() => response.write('second'))
    },
  )
  const client = send({ port, path: '/a/b' })
  client.end()
  const incoming = await new Promise<IncomingMessage>((resolve) => {
    client.on('response', resolve)
  })
  const { promise: broken, resolve: breaks } = Promise.withResolvers<Error>()
  incoming.on('error', breaks)
  incoming.once('data', () => goOn())
  t.regex((await broken).message, /aborted/)
  t.deepEqual(errorsOf(log), ['it fails'])
})

test.serial('limits hold, for what comes and for what goes on', async (t) => {
  const grow = changing((chunk) => chunk.repeat(100))
  const { port } = await start(t, { transformRequest: grow }, echo, { bodyBytes: 100 })
  t.is((await ask(port, '/a/b', { method: 'POST', body: 'x' })).status, 200)
  t.is((await ask(port, '/a/b', { method: 'POST', body: 'x'.repeat(101) })).status, 413)
  t.is((await ask(port, '/a/b', { method: 'POST', body: 'xx' })).status, 413)
})

test.serial("the gateway's own answers are not transformed", async (t) => {
  const { port, target } = await start(t, { transformResponse: changing(() => 'changed') })
  await target.stop()
  const reply = await ask(port, '/a/b')
  t.is(reply.status, 502)
  t.regex(reply.body, /^502 /)
})

test.serial('options of the route hold', async (t) => {
  const target = await startTarget(t, 'target', echo)
  const { port } = await startGateway(t, {
    routes: {
      '/api/:id': proxy(target.url, {
        hooks: hook({ transformResponse: (body) => body }),
        rewrite: '/users?id=$id',
        host: 'target',
        headers: { request: { set: { 'X-Env': 'test' } }, response: { set: { 'X-Out': 'yes' } } },
        forwarded: 'both',
      }),
    },
  })
  const reply = await ask(port, '/api/7')
  const { url, headers } = JSON.parse(reply.body)
  t.is(url, '/users?id=7')
  t.like(headers, { host: target.address, 'x-env': 'test', 'x-forwarded-for': '127.0.0.1' })
  t.regex(headers.forwarded, /^for=127\.0\.0\.1;host="127\.0\.0\.1:\d+";proto=http$/)
  t.is(reply.headers['x-out'], 'yes')
})

test('hooks that read bodies are for proxy() routes', (t) => {
  const hooks = hook({ transformResponse: (body) => body })
  const said = 'transformRequest and transformResponse are for proxy() routes'
  t.deepEqual(problemsOf({ routes: { '/': respond(200, 'x', { hooks }) } }), [
    `routes["/"].respond.hooks: ${said}`,
  ])
  t.deepEqual(problemsOf({ hooks, routes: { '/': respond(200, 'x') } }), [`hooks: ${said}`])
})
