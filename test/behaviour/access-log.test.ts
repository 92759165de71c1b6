// What a line of the access log says, for every way in which a request can end, on both twins: one
// line for each request, and none for a connection that sent nothing.

import { truncateSync } from 'node:fs'
import test from 'ava'
import { files, redirect, respond } from '../../src/index.ts'
import { type LoggedRequest, startLogged } from '../support/access-log.ts'
import { request } from '../support/client.ts'
import { fileEngine, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { until } from '../support/wait.ts'

/** Without what differs from run to run. */
function steady({ time, durationUs, ...rest }: LoggedRequest) {
  return rest
}

const local = { client: '127.0.0.1', host: 'test', protocol: 'HTTP/1.1', worker: 0 }

testOnBothTwins('says what was asked and what was answered', async (t, transfer) => {
  const site = makeSite(t, { small: patternBytes(1000), big: patternBytes(300_000) })
  const { connect, logged, gateway } = await startLogged(t, {
    transfer,
    routes: { '/*': files(site.root), 'GET /none': respond(204), '/to': redirect(302, '/x') },
  })
  const started = Date.now()
  const client = await connect()
  const ask = (target: string, fields = {}, method = 'GET') =>
    client.ask(request(target, fields, method))
  const etag = (await ask('/small')).field('etag') ?? ''
  await ask('/big', { Referer: 'http://from/', 'User-Agent': 'tester/1', 'X-Request-Id': 'r1' })
  await ask('/small', { Range: 'bytes=10-19' })
  await ask('/big', { Range: 'bytes=0-9,100-199' })
  await ask('/none')
  await ask('/small', { 'If-None-Match': etag })
  await ask('/missing?a=b')
  await ask('/none', {}, 'PUT')
  await ask('/big', {}, 'HEAD')
  await ask('/to')
  await ask('/big', { Range: 'bytes=999999-' })
  const lines = await logged(11)
  const [small, big] = [fileEngine(transfer, 'small'), fileEngine(transfer, 'large')]
  const get = { ...local, method: 'GET' }
  const file = { ...get, route: '/*' }
  const parts = lines[3]?.bytes ?? 0
  t.deepEqual(lines.map(steady), [
    { ...file, target: '/small', status: 200, bytes: 1000, engine: small },
    {
      ...file,
      target: '/big',
      referer: 'http://from/',
      userAgent: 'tester/1',
      requestId: 'r1',
      status: 200,
      bytes: 300_000,
      engine: big,
    },
    { ...file, target: '/small', status: 206, bytes: 10, engine: small },
    { ...file, target: '/big', status: 206, bytes: parts, engine: big },
    { ...get, route: 'GET /none', target: '/none', status: 204, bytes: 0, engine: 'memory' },
    { ...file, target: '/small', status: 304, bytes: 0, engine: 'memory' },
    { ...file, target: '/missing?a=b', status: 404, bytes: 14, engine: 'memory' },
    {
      ...local,
      method: 'PUT',
      route: '/*',
      target: '/none',
      status: 405,
      bytes: lines[7]?.bytes ?? 0,
      engine: 'memory',
      error: 'method-not-allowed',
    },
    { ...file, method: 'HEAD', target: '/big', status: 200, bytes: 0, engine: 'memory' },
    { ...get, route: '/to', target: '/to', status: 302, bytes: 0, engine: 'memory' },
    { ...file, target: '/big', status: 416, bytes: lines[10]?.bytes ?? 0, engine: 'memory' },
  ])
  t.true(parts > 110)
  for (const { time, durationUs } of lines) {
    t.true(new Date(time).getTime() >= started - 1000 && new Date(time).getTime() <= Date.now())
    t.true(Number.isInteger(durationUs) && durationUs >= 0)
  }
  t.is(gateway.stats().accessLog.lines, 11)
  t.is(gateway.stats().accessLog.dropped, 0)
})

test('requests that cannot be parsed have a line with what came', async (t) => {
  const { connect, logged } = await startLogged(t, { routes: { '/*': respond(200, 'ok') } })
  const rubbish = [
    'GET / HTTP/1.1\r\nBad Field: x\r\n\r\n',
    'G@T /"\x07\xe9 HTTP/1.1\r\n\r\n',
    '\x16\x03\x01',
  ]
  for (const bytes of rubbish) {
    const client = await connect()
    client.write(bytes)
    client.socket.end()
    await client.readToEnd()
  }
  const lines = await logged(3)
  t.deepEqual(
    lines.map(({ request, method, status, error }) => [request, method, status, error]),
    [
      ['GET / HTTP/1.1', undefined, 400, 'bad-field-name'],
      ['G@T /"\x07\u00e9 HTTP/1.1', undefined, 400, lines[1]?.error],
      ['\x16\x03\x01', undefined, 400, lines[2]?.error],
    ],
  )
})

test('a head that comes too late is a 408', async (t) => {
  const { connect, logged } = await startLogged(t, {
    timeouts: { head: '1s' },
    routes: { '/*': respond(200, 'ok') },
  })
  const silent = await connect()
  const client = await connect()
  client.write('GET /late HTTP/1.1\r\nHost: a\r\n')
  t.is((await client.read()).status, 408)
  await silent.readToEnd()
  const [line, ...others] = await logged(1)
  t.is(line?.status, 408)
  t.is(line?.error, 'head-timeout')
  t.is(line?.request, 'GET /late HTTP/1.1')
  t.deepEqual(others, [])
})

testOnBothTwins('a client that goes cuts its answer off', async (t, transfer) => {
  const size = 30_000_000
  const site = makeSite(t, { big: patternBytes(size) })
  const routes = { '/*': files(site.root), '/ok': respond(200, 'ok') }
  const { connect, logged } = await startLogged(t, { transfer, routes })
  const client = await connect()
  // The first two leave together; the second is still under way when the client goes.
  client.write(request('/ok') + request('/big') + request('/never'))
  await client.arrived(100_000)
  client.socket.pause()
  client.socket.destroy()
  const lines = await logged(3)
  t.deepEqual(
    lines.map(({ target, status, error }) => [target, status, error]),
    [
      ['/ok', 200, undefined],
      ['/big', 200, 'client-gone'],
      ['/never', 0, 'client-gone'],
    ],
  )
  const bytes = lines[1]?.bytes ?? 0
  t.true(bytes >= 90_000 && bytes < size, `${bytes}`)
})

testOnBothTwins('a file that shrinks cuts its answer off', async (t, transfer) => {
  const site = makeSite(t, { big: patternBytes(30_000_000) })
  const { connect, logged } = await startLogged(t, { transfer, routes: { '/*': files(site.root) } })
  const client = await connect()
  client.write(request('/big'))
  await client.arrived(1)
  client.socket.pause()
  truncateSync(site.path('big'), 1000)
  client.socket.resume()
  await client.readToEnd()
  const [line] = await logged(1)
  t.is(line?.error, 'short-file')
  t.is(line?.status, 200)
})

test('a head that is given up has a line, a connection without a byte has none', async (t) => {
  const { connect, logged, gateway } = await startLogged(t, {
    routes: { '/*': respond(200, 'ok') },
  })
  const silent = await connect()
  silent.socket.end()
  await silent.readToEnd()
  const used = await connect()
  await used.ask(request('/used'))
  used.socket.end()
  await used.readToEnd()
  const partial = await connect()
  partial.write('GET /partial HT')
  await until('the bytes', () => gateway.stats().total.bytesIn > request('/used').length)
  partial.socket.end()
  await partial.readToEnd()
  const lines = await logged(2)
  await gateway.close()
  t.deepEqual((await logged(2)).length, 2)
  t.is(lines[0]?.target, '/used')
  t.is(lines[1]?.request, 'GET /partial HT')
  t.is(lines[1]?.status, 0)
  t.is(lines[1]?.error, 'client-gone')
})

testOnBothTwins('pipelined requests have a line each', async (t, transfer) => {
  const site = makeSite(t, { small: patternBytes(3000), big: patternBytes(200_000) })
  const { connect, logged } = await startLogged(t, { transfer, routes: { '/*': files(site.root) } })
  const client = await connect()
  const targets = Array.from({ length: 200 }, (_, n) => `/${n % 5 === 4 ? 'big' : 'small'}?${n}`)
  client.write(targets.map((target) => request(target)).join(''))
  for (const _ of targets) t.is((await client.read()).status, 200)
  const lines = await logged(200)
  t.deepEqual(
    lines.map(({ target, bytes }) => `${target} ${bytes}`),
    targets.map((target) => `${target} ${target.startsWith('/big') ? 200_000 : 3000}`),
  )
})

test('nothing of a request can break a line', async (t) => {
  const { connect, logged } = await startLogged(t, { routes: { '/*': respond(200, 'ok') } })
  const client = await connect()
  const nasty = Array.from({ length: 256 }, (_, byte) => byte)
    .filter((byte) => byte === 9 || (byte >= 32 && byte !== 127))
    .map((byte) => String.fromCharCode(byte))
    .join('')
  await client.ask(request("/%22%0a'", { 'User-Agent': nasty, Referer: 'é\u0085'.repeat(2) }))
  const [line] = await logged(1)
  t.is(line?.userAgent, nasty.trim())
  t.is(line?.target, "/%22%0a'")
  t.is(line?.referer, 'é\u0085é\u0085')
})

test('values that go on and on are cut', async (t) => {
  const { connect, logged } = await startLogged(t, { routes: { '/*': respond(200, 'ok') } })
  const client = await connect()
  const target = `/${'x'.repeat(8_000)}`
  await client.ask(request(target, { 'User-Agent': '"'.repeat(8_000) }))
  const [line] = await logged(1)
  t.is(line?.target, target.slice(0, 2048))
  t.is(line?.userAgent, '"'.repeat(1024))
})

test('query parameters are redacted by name', async (t) => {
  const routes = { '/*': respond(200, 'ok') }
  const { connect, logged } = await startLogged(t, { routes }, { redact: ['token', 'Key'] })
  const client = await connect()
  const ask = (target: string, fields = {}) => client.ask(request(target, fields))
  await ask('/a?token=secret&x=1&key=secret')
  await ask('/b?TOKEN=secret;to%6ben=secret&mytoken=shown', { Referer: 'http://r/?token=secret#f' })
  await ask('/token=shown?token&x')
  client.write('GET /c?token=secret HTTP/1.1\r\nBad Field: x\r\n\r\n')
  await client.read()
  const lines = await logged(4)
  t.deepEqual(
    lines.map(({ target, request }) => target ?? request),
    [
      '/a?token=***&x=1&key=***',
      '/b?TOKEN=***;to%6ben=***&mytoken=shown',
      '/token=shown?token&x',
      'GET /c?token=*** HTTP/1.1',
    ],
  )
  t.is(lines[1]?.referer, 'http://r/?token=***#f')
})

test('only the fields that were asked for, in their order', async (t) => {
  const fields = ['method', 'target', 'status', 'engine'] as const
  const { connect, lines } = await startLogged(
    t,
    { routes: { '/*': respond(200, 'ok') } },
    { fields },
  )
  await (await connect()).ask(request('/x'))
  t.deepEqual(await lines(1), ['{"method":"GET","target":"/x","status":200,"engine":"memory"}'])
})

test('samples by status', async (t) => {
  const { connect, logged, gateway } = await startLogged(
    t,
    { routes: { '/*': respond(200, 'ok'), '/bad': respond(503, 'no') } },
    { sample: { '2xx': 0.25, default: 1 } },
  )
  const client = await connect()
  for (let n = 0; n < 400; n += 1) await client.ask(request('/'))
  for (let n = 0; n < 10; n += 1) await client.ask(request('/bad'))
  client.socket.end()
  await gateway.close()
  const statuses = (await logged(0)).map(({ status }) => status)
  t.is(statuses.filter((status) => status === 503).length, 10)
  const fine = statuses.filter((status) => status === 200).length
  t.true(fine > 40 && fine < 200, `${fine}`)
})

test('the combined format, with duration and engine behind it', async (t) => {
  const { connect, lines } = await startLogged(
    t,
    { routes: { '/*': respond(200, 'ok'), '/none': respond(204) } },
    { format: 'combined', redact: ['token'] },
  )
  const client = await connect()
  await client.ask(request('/a?token=s', { Referer: 'http://r/', 'User-Agent': 'a"b\\c\xe9' }))
  await client.ask(request('/none'))
  client.write('BAD\x01\r\n\r\n')
  await client.read()
  const [whole = '', empty = '', bad = ''] = await lines(3)
  const time = String.raw`\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\]`
  const start = String.raw`^127\.0\.0\.1 - - ${time} `
  t.regex(
    whole,
    new RegExp(
      `${start}"GET /a\\?token=\\*\\*\\* HTTP/1\\.1" 200 2 "http://r/" ` +
        String.raw`"a\\"b\\\\c\\xe9" \d+ memory$`,
    ),
  )
  t.regex(empty, new RegExp(`${start}"GET /none HTTP/1\\.1" 204 - "-" "-" \\d+ memory$`))
  t.regex(bad, new RegExp(String.raw`${start}"BAD\\x01" 400 \d+ "-" "-" \d+ memory$`))
})
