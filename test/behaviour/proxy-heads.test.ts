// What a target is told and what a client is told: heads are written anew, hop-by-hop fields end
// here, the route's edits are made, and nobody can smuggle a line.

import test, { type ExecutionContext } from 'ava'
import { proxy } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import {
  type ReceivedRequest,
  response,
  startUpstream,
  type Upstream,
} from '../support/upstream.ts'

interface Recording {
  upstream: Upstream
  requests: ReceivedRequest[]
}

/** A target that keeps every request and answers with `answer`. */
async function recording(
  t: ExecutionContext,
  answer: string | Uint8Array = response(),
): Promise<Recording> {
  const requests: ReceivedRequest[] = []
  const upstream = await startUpstream(t, async (peer) => {
    for (;;) {
      requests.push(await peer.request())
      peer.write(answer)
    }
  })
  return { upstream, requests }
}

type Options = Parameters<typeof proxy>[1]

/** What the target gets of one request. */
async function forwarded(
  t: ExecutionContext,
  text: string,
  options: Options = {},
  pattern = '/*',
): Promise<ReceivedRequest> {
  const { upstream, requests } = await recording(t)
  const { connect } = await startGateway(t, { routes: { [pattern]: proxy(upstream.url, options) } })
  const reply = await (await connect()).ask(text)
  t.is(reply.status, 200)
  t.is(requests.length, 1)
  return requests[0] as ReceivedRequest
}

const names = ({ fields }: { fields: [string, string][] }) =>
  fields.map(([name]) => name.toLowerCase())

test('method, path and query go on as they came', async (t) => {
  const target = '/a//b/%2f/%C3%BC;x?q=%20&a=b?c'
  const got = await forwarded(t, request(target, {}, 'PROPFIND'))
  t.is(got.method, 'PROPFIND')
  t.is(got.target, target)
})

test('the absolute form becomes the origin form', async (t) => {
  const got = await forwarded(t, 'GET http://host.example/x?y HTTP/1.1\r\nHost: other\r\n\r\n')
  t.is(got.target, '/x?y')
  t.is(got.field('host'), 'host.example')
})

test('hop-by-hop fields and what Connection names end here', async (t) => {
  const got = await forwarded(
    t,
    request('/', {
      Connection: 'X-Secret, keep-alive, , "nonsense", X-Other',
      'X-Secret': '1',
      'x-other': '2',
      'Keep-Alive': 'timeout=5',
      'Proxy-Connection': 'keep-alive',
      TE: 'gzip, trailers',
      'X-Stays': '3',
    }),
  )
  const left = names(got)
  for (const gone of [
    'connection',
    'x-secret',
    'x-other',
    'keep-alive',
    'proxy-connection',
    'te',
  ]) {
    t.false(left.includes(gone), gone)
  }
  t.is(got.field('x-stays'), '3')
})

test('Connection cannot take off what proxies and applications rely on', async (t) => {
  const kept = {
    Authorization: 'Basic eA==',
    Cookie: 'a=b',
    'Content-Type': 'text/plain',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  }
  const named = [...Object.keys(kept), 'X-Forwarded-For', 'Host', 'Content-Length', 'Via'].join(',')
  const got = await forwarded(t, request('/', { ...kept, Connection: named }))
  for (const [name, value] of Object.entries(kept)) t.is(got.field(name), value, name)
  t.is(got.field('x-forwarded-for'), '127.0.0.1')
  t.is(got.field('host'), 'test')
})

test('Connection may name more fields than anybody would', async (t) => {
  const many = Array.from({ length: 40 }, (_, n) => `X-Named-${n}`)
  const fields = Object.fromEntries(many.map((name) => [name, 'v']))
  const got = await forwarded(t, request('/', { ...fields, Connection: many.join(', ') }))
  t.deepEqual(
    names(got).filter((name) => name.startsWith('x-named')),
    [],
  )
})

test('fields that come several times and odd values pass as they are', async (t) => {
  const lines = ['X-A: 1', 'x-a: 2', 'X-Empty:', 'X-Tab: a\tb', 'X-High: \xe9']
  const text = `GET / HTTP/1.1\r\nHost: test\r\n${lines.join('\r\n')}\r\n\r\n`
  const got = await forwarded(t, text)
  t.is(got.field('x-a'), '1, 2')
  t.is(got.field('x-empty'), '')
  t.is(got.field('x-tab'), 'a\tb')
  t.is(got.field('x-high'), '\xe9')
})

test('the target learns who asked, for what and by which protocol', async (t) => {
  const got = await forwarded(t, request('/', { Host: 'shop.example:8443' }))
  t.is(got.field('host'), 'shop.example:8443')
  t.is(got.field('x-forwarded-for'), '127.0.0.1')
  t.is(got.field('x-forwarded-proto'), 'http')
  t.is(got.field('x-forwarded-host'), 'shop.example:8443')
  t.is(got.field('x-forwarded-port'), '8443')
  t.is(got.field('forwarded'), undefined)
  t.is(got.field('via'), '1.1 sluice')
  t.regex(got.field('x-request-id') ?? '', /^[0-9a-f]{32}$/)
})

test('Forwarded instead, or nothing at all', async (t) => {
  const forwardedField = await forwarded(t, request('/', { Host: 'shop.example:8443' }), {
    forwarded: 'forwarded',
  })
  t.is(forwardedField.field('forwarded'), 'for=127.0.0.1;host="shop.example:8443";proto=http')
  t.is(forwardedField.field('x-forwarded-for'), undefined)
  const none = await forwarded(t, request('/', { 'X-Forwarded-For': '1.2.3.4' }), {
    forwarded: false,
    via: false,
    requestId: false,
  })
  t.deepEqual(names(none), ['host'])
})

test('Via grows, with the version that was received', async (t) => {
  const longer = await forwarded(t, request('/', { Via: '1.0 fred' }))
  t.is(longer.field('via'), '1.0 fred, 1.1 sluice')
  const old = await forwarded(t, 'GET / HTTP/1.0\r\nHost: test\r\n\r\n')
  t.is(old.field('via'), '1.0 sluice')
})

test("Host can be the target's own, or a fixed one", async (t) => {
  const { upstream, requests } = await recording(t)
  const { get } = await startGateway(t, {
    routes: {
      '/own': proxy(upstream.url, { host: 'target' }),
      '/fixed': proxy(upstream.url, { host: 'app.internal:81' }),
      '/same': proxy(upstream.url),
    },
  })
  for (const path of ['/own', '/fixed', '/same']) t.is((await get(path)).status, 200)
  t.deepEqual(
    requests.map((got) => got.field('host')),
    [`127.0.0.1:${upstream.port}`, 'app.internal:81', 'test'],
  )
})

test('an HTTP/1.0 request without Host gets one', async (t) => {
  const got = await forwarded(t, 'GET / HTTP/1.0\r\n\r\n')
  t.regex(got.field('host') ?? '', /^127\.0\.0\.1:\d+$/)
})

for (const [target, expected] of [
  ['/api', '/'],
  ['/api?q', '/?q'],
  ['/api/', '/'],
  ['/api/users/1?x', '/users/1?x'],
  ['/api//x', '//x'],
] as const) {
  test(`stripPrefix: ${target} becomes ${expected}`, async (t) => {
    const got = await forwarded(t, request(target), { stripPrefix: '/api' }, '/api/*')
    t.is(got.target, expected)
  })
}

for (const [rewrite, target, expected] of [
  ['/v2$rest', '/old/a/b?q=1', '/v2/a/b?q=1'],
  ['/v2/$id', '/old/17?q', '/v2/17?q'],
  ['/v2?id=$id', '/old/17?q', '/v2?id=17'],
] as const) {
  const pattern = rewrite.includes('$id') ? '/old/:id' : '/old/*'
  test(`rewrite ${rewrite}: ${target} becomes ${expected}`, async (t) => {
    const got = await forwarded(t, request(target), { rewrite }, pattern)
    t.is(got.target, expected)
  })
}

test('a rewrite cannot leave the request line', async (t) => {
  const target = '/old/a%20HTTP%2F1.1%C2%85b'
  const got = await forwarded(t, request(target), { rewrite: '/new/$id' }, '/old/:id')
  t.is(got.target, '/new/a%20HTTP%2F1.1%C2%85b')
})

test('request fields are set, added and removed', async (t) => {
  const got = await forwarded(
    t,
    request('/', { 'X-Set': 'theirs', 'X-Add': 'theirs', 'X-Gone': '1', 'X-Stays': '1' }),
    {
      headers: {
        request: { set: { 'X-Set': 'ours' }, add: { 'X-Add': 'ours' }, remove: ['X-Gone'] },
      },
    },
  )
  t.is(got.field('x-set'), 'ours')
  t.is(got.field('x-add'), 'theirs, ours')
  t.is(got.field('x-gone'), undefined)
  t.is(got.field('x-stays'), '1')
})

test('fields that CGI takes for ours, or for removed ones, end here', async (t) => {
  const disguised = {
    X_Forwarded_For: '203.0.113.66',
    'x-forwarded_host': 'evil.example',
    X_Request_Id: 'evil',
    X_User: 'root',
    X_Role: 'root',
    X_Own: 'stays',
  }
  const got = await forwarded(t, request('/', disguised), {
    headers: { request: { set: { 'X-User': 'nobody' }, remove: ['X-Role'] } },
  })
  for (const name of Object.keys(disguised)) {
    t.is(got.field(name), name === 'X_Own' ? 'stays' : undefined, name)
  }
  t.is(got.field('x-user'), 'nobody')
})

test('response fields: hop-by-hop ones end, edits are made, Date and Via are there', async (t) => {
  const { upstream } = await recording(
    t,
    response('ok', {
      Connection: 'X-Private',
      'X-Private': '1',
      'Keep-Alive': 'timeout=5',
      'Proxy-Connection': 'keep-alive',
      Server: 'theirs',
      'X-Powered-By': 'PHP',
      'Set-Cookie': 'a=b',
      Vary: 'Accept',
    }),
  )
  const options = {
    headers: {
      response: { set: { Server: 'ours' }, add: { Vary: 'Origin' }, remove: ['X-Powered-By'] },
    },
  }
  const { get } = await startGateway(t, { routes: { '/*': proxy(upstream.url, options) } })
  const reply = await get('/')
  for (const gone of ['x-private', 'keep-alive', 'proxy-connection', 'x-powered-by']) {
    t.is(reply.field(gone), undefined, gone)
  }
  t.is(reply.field('server'), 'ours')
  t.is(reply.field('set-cookie'), 'a=b')
  t.is(reply.field('vary'), 'Accept, Origin')
  t.is(reply.field('connection'), 'close')
  t.is(reply.field('via'), '1.1 sluice')
  t.regex(reply.field('date') ?? '', / GMT$/)
})

test("a target's Date and reason stay", async (t) => {
  const date = 'Sun, 02 Feb 2020 02:02:02 GMT'
  const { upstream } = await recording(t, response('', { Date: date }, '299 Fine By Me'))
  const { get } = await startGateway(t, { routes: { '/*': proxy(upstream.url, { via: false }) } })
  const reply = await get('/')
  t.is(reply.field('date'), date)
  t.is(reply.reason, 'Fine By Me')
  t.is(reply.field('via'), undefined)
})

test('a head of many fields goes through whole', async (t) => {
  const many = Object.fromEntries(
    Array.from({ length: 90 }, (_, n) => [`X-F${n}`, 'v'.repeat(300)]),
  )
  const got = await forwarded(t, request('/', many))
  for (const [name, value] of Object.entries(many)) t.is(got.field(name), value)
})

test('X-Forwarded-Port is that of the listener, unless Host or a peer names one', async (t) => {
  const upstream = await startUpstream(t, async (peer) => {
    for (;;) peer.write(response((await peer.request()).field('x-forwarded-port') ?? 'none'))
  })
  const routes = { '/*': proxy(upstream.url) }
  const { get, port } = await startGateway(t, { routes, trustedProxies: '127.0.0.1' })
  const told = async (fields: Record<string, string>) => (await get('/', fields)).body.toString()
  t.is(await told({}), String(port))
  t.is(await told({ Host: 'example.com:81' }), '81')
  t.is(await told({ 'X-Forwarded-Port': '443' }), '443')
})
