// What holds for handlers however workers reach them: the tests of two files, one for
// each way. Importing it declares them.

import { request as send } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import type { GatewayConfig } from '../../src/config/actions.ts'
import { files, handler, respond } from '../../src/index.ts'
import { ask } from './ask.ts'
import { startGateway } from './gateway.ts'
import { makeSite, patternBytes } from './site.ts'
import { until } from './wait.ts'

const encoder = new TextEncoder()

function start(t: ExecutionContext, routes: GatewayConfig['routes'], more: object = {}) {
  return startGateway(t, { routes, ...more })
}

test('a handler gets the request as the client sent it', async (t) => {
  const { port } = await start(t, {
    '/*': handler(async (request, { params, clientAddress, requestId }) =>
      Response.json({
        isRequest: request instanceof Request,
        method: request.method,
        url: request.url,
        fields: Object.fromEntries(request.headers),
        body: await request.text(),
        rest: params['*'],
        clientAddress,
        requestId,
      }),
    ),
  })
  const reply = await ask(port, '/a%20b/c?d=%2F', {
    method: 'PUT',
    headers: { 'X-Own': 'one', 'X-Forwarded-For': '192.0.2.1', 'x-sluice-token': 'x' },
    body: 'text',
  })
  t.is(reply.status, 200)
  const seen = JSON.parse(reply.body)
  t.like(seen, {
    isRequest: true,
    method: 'PUT',
    url: `http://127.0.0.1:${port}/a%20b/c?d=%2F`,
    body: 'text',
    rest: 'a b/c',
    clientAddress: '127.0.0.1',
  })
  t.regex(seen.requestId, /^[0-9a-f]{32}$/)
  t.is(seen.fields['x-own'], 'one')
  t.deepEqual(
    Object.keys(seen.fields).filter((name) => /^x-sluice-|^connection$/.test(name)),
    [],
  )
})

test('behind proxies that are trusted the client is who they speak for', async (t) => {
  const { port } = await start(
    t,
    { '/': handler((_request, { clientAddress }) => new Response(clientAddress)) },
    { trustedProxies: ['127.0.0.0/8', '10.0.0.0/8', '2001:db8::/32'] },
  )
  const cases = {
    '203.0.113.7': '203.0.113.7',
    '198.51.100.1, 203.0.113.7, 10.1.2.3': '203.0.113.7',
    '198.51.100.1, unknown,2001:db8::5': 'unknown',
    '10.0.0.1, 10.0.0.2': '10.0.0.1',
  }
  for (const [claim, client] of Object.entries(cases)) {
    t.is((await ask(port, '/', { headers: { 'X-Forwarded-For': claim } })).body, client)
  }
})

test('parameters are decoded, and stay as they are where they cannot be', async (t) => {
  const { port } = await start(t, {
    '/:first/b/:second': handler((_request, { params }) => Response.json(params)),
  })
  const params = async (path: string) => JSON.parse((await ask(port, path)).body)
  t.deepEqual(await params('/%C3%BC%2F/b/x?y/z'), { first: 'ü/', second: 'x' })
  t.deepEqual(await params('/%FF/b/%61'), { first: '%FF', second: 'a' })
})

test('answers of every kind', async (t) => {
  const { port } = await start(t, {
    '/text': handler(() => new Response('häh')),
    '/bytes': handler(() => new Response(patternBytes(300_000))),
    '/empty': handler(() => new Response(null, { status: 201 })),
    '/none': handler(() => new Response(null, { status: 204 })),
    '/unchanged': handler(() => new Response(null, { status: 304, headers: { ETag: '"1"' } })),
    '/cookies': handler(() => {
      const headers = new Headers({ 'Set-Cookie': 'a=1', Connection: 'upgrade', 'X-A': 'b' })
      headers.append('Set-Cookie', 'c=2; Path=/')
      headers.append('x-sluice-file', 'secret /etc/passwd')
      return new Response('', { headers })
    }),
  })
  const text = await ask(port, '/text')
  t.is(text.body, 'häh')
  t.is(text.headers['content-length'], '4')
  t.is(text.headers['content-type'], 'text/plain;charset=UTF-8')
  t.true((await ask(port, '/bytes')).bytes.equals(patternBytes(300_000)))
  t.like(await ask(port, '/empty'), { status: 201, body: '' })
  t.like(await ask(port, '/none'), { status: 204, body: '' })
  t.is((await ask(port, '/none')).headers['content-length'], undefined)
  const unchanged = await ask(port, '/unchanged', { headers: { 'If-None-Match': '"1"' } })
  t.is(unchanged.status, 304)
  t.is(unchanged.headers.etag, '"1"')
  const { headers } = await ask(port, '/cookies')
  t.deepEqual(headers['set-cookie'], ['a=1', 'c=2; Path=/'])
  t.is(headers['x-a'], 'b')
  t.is(headers['x-sluice-file'], undefined)
})

test('HEAD has the fields of GET and no body', async (t) => {
  let cancelled = 0
  const endless = () => new ReadableStream({ cancel: () => void cancelled++ })
  const { port } = await start(t, {
    '/text': handler(() => new Response('text', { headers: { 'Content-Length': '4' } })),
    '/stream': handler(() => new Response(endless())),
  })
  const text = await ask(port, '/text', { method: 'HEAD' })
  t.is(text.headers['content-length'], '4')
  t.is(text.body, '')
  t.is((await ask(port, '/stream', { method: 'HEAD' })).status, 200)
  t.is(cancelled, 1)
})

test('faults of a handler are a 500 with the request id, and a line in the log', async (t) => {
  const used = async () => {
    const response = new Response('x')
    await response.text()
    return response
  }
  const failing = new ReadableStream({ pull: (to) => to.error(new Error('secret detail')) })
  const { port, log } = await start(t, {
    '/throws': handler(() => {
      throw new Error('secret detail')
    }),
    '/rejects': handler(() => Promise.reject(new TypeError('secret detail'))),
    '/word': handler(() => Promise.reject('secret detail')),
    '/nothing': handler(() => undefined as unknown as Response),
    '/used': handler(used),
    '/stream': handler(() => new Response(failing)),
  })
  for (const path of ['/throws', '/rejects', '/word', '/nothing', '/used', '/stream']) {
    const { status, body } = await ask(port, path)
    t.is(status, 500, path)
    const id = /^500 Internal Server Error\nrequest ([0-9a-f]{32})\n$/.exec(body)?.[1]
    const line = log.find((entry) => 'requestId' in entry && entry.requestId === id)
    t.like(line, { level: 'error', message: 'a handler failed', route: path })
    t.true((line as unknown as { err: Error }).err.stack?.includes('at '), path)
  }
})

test('a stream goes out as it comes, and its end is the end of the answer', async (t) => {
  let controller: ReadableStreamDefaultController | undefined
  const stream = new ReadableStream({
    start(own) {
      controller = own
    },
  })
  const headers = { 'Content-Type': 'text/event-stream' }
  const { connect } = await start(t, { '/': handler(() => new Response(stream, { headers })) })
  const client = await connect()
  client.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n')
  // The head comes although there is no byte of the body yet.
  await client.arrived(50)
  const before = client.unread
  controller?.enqueue(encoder.encode('data: 1\n\n'))
  await client.arrived(before + 9)
  controller?.enqueue(encoder.encode('data: 2\n\n'))
  await client.arrived(before + 20)
  controller?.close()
  client.socket.end()
  const text = (await client.readToEnd()).toString()
  t.regex(text, /^HTTP\/1\.1 200 OK\r\n/)
  t.true(text.includes('data: 1\n\n') && text.endsWith('0\r\n\r\n'))
})

test('a body that fails breaks the answer off, so that it cannot be taken for whole', async (t) => {
  const parts = (fail: (to: ReadableStreamDefaultController) => void) => {
    let count = 0
    return new ReadableStream({
      async pull(to) {
        await new Promise((resolve) => setImmediate(resolve))
        if (++count < 3) to.enqueue(encoder.encode('part'))
        else fail(to)
      },
    })
  }
  const short = { headers: { 'Content-Length': '100' } }
  const { port, log } = await start(t, {
    '/fails': handler(() => new Response(parts((to) => to.error(new Error('broken'))))),
    '/text': handler(() => new Response(parts((to) => to.enqueue('text')))),
    '/short': handler(
      () =>
        new Response(
          parts((to) => to.close()),
          short,
        ),
    ),
  })
  for (const path of ['/fails', '/text', '/short']) {
    await t.throwsAsync(ask(port, path), undefined, path)
    await until('a line in the log', () =>
      log.some((line) => 'route' in line && line.route === path),
    )
  }
})

test('a client that goes away aborts the signal and the stream', async (t) => {
  const seen: string[] = []
  const { port } = await start(t, {
    '/waits': handler(async (request, { signal }) => {
      seen.push('waits')
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      seen.push(`aborted ${request.signal.aborted} ${signal.reason.name}`)
      return new Response()
    }),
    '/streams': handler(() => {
      seen.push('streams')
      return new Response(
        new ReadableStream({
          async pull(to) {
            await new Promise((resolve) => setTimeout(resolve, 5))
            to.enqueue(encoder.encode('more'))
          },
          cancel: () => void seen.push('cancelled'),
        }),
      )
    }),
  })
  const leave = async (path: string, sign: string) => {
    const controller = new AbortController()
    const asked = ask(port, path, { signal: controller.signal })
    await until(sign, () => seen.includes(sign))
    controller.abort()
    await t.throwsAsync(asked)
  }
  await leave('/waits', 'waits')
  await until('the abort', () => seen.includes('aborted true AbortError'))
  await leave('/streams', 'streams')
  await until('the cancellation', () => seen.includes('cancelled'))
})

test('a large body goes through a handler in both directions', async (t) => {
  const bytes = patternBytes(20_000_000)
  const { port } = await start(t, {
    '/echo': handler((request) => new Response(request.body), { bodyBytes: '20mb' }),
    '/small': handler((request) => new Response(request.body)),
  })
  const echoed = await ask(port, '/echo', { method: 'POST', body: bytes })
  t.true(echoed.bytes.equals(bytes))
  t.is((await ask(port, '/small', { method: 'POST', body: bytes })).status, 413)
})

test('nothing is read of a stream that the client does not take', async (t) => {
  let pulled = 0
  const stream = () =>
    new ReadableStream({
      pull(to) {
        pulled += 65_536
        to.enqueue(new Uint8Array(65_536))
      },
    })
  const { port, gateway } = await start(t, { '/': handler(() => new Response(stream())) })
  const outgoing = send({ host: '127.0.0.1', port, path: '/' })
  outgoing.on('error', () => {})
  outgoing.end()
  const paused = new Promise<void>((resolve) =>
    outgoing.on('response', (incoming) => {
      incoming.pause()
      resolve()
    }),
  )
  await paused
  let last = -1
  await until('the handler to stop', async () => {
    const isSame = last === pulled
    last = pulled
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    gateway.stats()
    return isSame && pulled > 0
  })
  t.true(pulled < 64 * 1024 * 1024, `${pulled} bytes`)
  outgoing.destroy()
})

test('a handler that never answers meets timeouts.handler', async (t) => {
  let aborted = 0
  const never = (request: Request) => {
    request.signal.addEventListener('abort', () => void aborted++)
    return new Promise<Response>(() => {})
  }
  const { port } = await start(
    t,
    { '/': handler(never), '/own': handler(never, { timeout: '200ms' }) },
    { timeouts: { handler: '100ms' } },
  )
  t.is((await ask(port, '/')).status, 504)
  t.is((await ask(port, '/own')).status, 504)
  await until('the signals', () => aborted === 2)
})

test('a handler takes what files() does not have, and other routes stay as they are', async (t) => {
  const site = makeSite(t, { 'a.txt': 'file' })
  const { port } = await start(t, {
    '/*': files(site.root, { otherwise: handler((request) => new Response(request.url)) }),
    'GET /fixed': respond(200, 'fixed'),
  })
  t.is((await ask(port, '/a.txt')).body, 'file')
  t.is((await ask(port, '/b.txt')).body, `http://127.0.0.1:${port}/b.txt`)
  t.is((await ask(port, '/fixed')).body, 'fixed')
})

test('a method that fetch does not know is refused', async (t) => {
  const { port } = await start(t, { '/': handler(() => new Response('x')) })
  const { status, body } = await ask(port, '/', { method: 'TRACE' })
  t.is(status, 400)
  t.regex(body, /^400 Bad Request\nrequest /)
})
