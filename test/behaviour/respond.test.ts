// respond() and redirect() through real sockets: bodies, types, lengths, and every variable that a
// location may have. Where a visitor is sent must stay the author's choice.

import test from 'ava'
import { redirect, respond } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { patternBytes } from '../support/site.ts'

test('fixed answers of every kind of body', async (t) => {
  const bytes = patternBytes(500_000)
  const { connect } = await startGateway(t, {
    routes: {
      '/text': respond(200, 'ok'),
      '/json': respond(201, { a: [1, 'ü'] }),
      '/bytes': respond(200, bytes),
      '/empty': respond(200),
      '/none': respond(204),
      '/own': respond(418, 'teapot', { contentType: 'text/html', headers: { 'X-Own': 'yes' } }),
    },
  })
  const client = await connect()
  const text = await client.ask(request('/text'))
  t.is(text.status, 200)
  t.is(text.field('content-type'), 'text/plain; charset=utf-8')
  t.is(text.body.toString(), 'ok')
  const json = await client.ask(request('/json'))
  t.is(json.status, 201)
  t.is(json.field('content-type'), 'application/json')
  t.deepEqual(JSON.parse(json.body.toString()), { a: [1, 'ü'] })
  const binary = await client.ask(request('/bytes'))
  t.is(binary.field('content-type'), 'application/octet-stream')
  t.true(binary.body.equals(bytes))
  const empty = await client.ask(request('/empty'))
  t.is(empty.field('content-length'), '0')
  const none = await client.ask(request('/none'))
  t.is(none.status, 204)
  t.is(none.field('content-length'), undefined)
  const own = await client.ask(request('/own'))
  t.is(own.status, 418)
  t.is(own.reason, "I'm a Teapot")
  t.is(own.field('content-type'), 'text/html')
  t.is(own.field('x-own'), 'yes')
  t.is((await client.ask(request('/text'))).body.toString(), 'ok')
})

test('HEAD has the length and no body', async (t) => {
  const { connect } = await startGateway(t, { routes: { '/*': respond(200, 'hello') } })
  const client = await connect()
  const head = await client.ask(request('/', {}, 'HEAD'))
  t.is(head.field('content-length'), '5')
  t.is((await client.ask(request('/'))).body.toString(), 'hello')
})

test('a request body is read and thrown away', async (t) => {
  const { connect } = await startGateway(t, { routes: { '/*': respond(200, 'ok') } })
  const client = await connect()
  client.write(`${request('/', { 'Content-Length': '5' }, 'POST')}GET /`)
  client.write(request('/', { 'Transfer-Encoding': 'chunked' }, 'POST'))
  client.write('5;x=y\r\nGET /\r\n0\r\nTrailer: 1\r\n\r\n')
  client.write(request('/'))
  for (let n = 0; n < 3; n++) t.is((await client.read()).body.toString(), 'ok')
})

test('redirects with every variable', async (t) => {
  const { connect } = await startGateway(t, {
    routes: {
      '/path/*': redirect(308, 'https://new.example$path'),
      '/rest/*': redirect(301, '/moved$rest'),
      '/name/:name/x': redirect(302, '/users/$name'),
      '/host': redirect(307, 'https://$host/secure'),
      '/query': redirect(303, '/other$query'),
      '/own': redirect(302, '/other?own=1'),
      '/dollar': redirect(302, '/cost/$$5'),
      '/fields': redirect(302, '/', { headers: { 'X-Own': 'yes' } }),
      '/quiet': redirect(302, '/other', { keepQuery: false }),
    },
  })
  const client = await connect()
  const expected: [string, number, string][] = [
    ['/path/a/b%20c?d=e&f', 308, 'https://new.example/path/a/b%20c?d=e&f'],
    ['/rest/a/b?c', 301, '/moved/a/b?c'],
    ['/rest', 301, '/moved'],
    ['/rest/', 301, '/moved/'],
    ['/name/j%C3%BC/x', 302, '/users/j%C3%BC'],
    ['/host', 307, 'https://test/secure'],
    ['/query?a=b', 303, '/other?a=b'],
    ['/query', 303, '/other'],
    ['/own?a=b', 302, '/other?own=1'],
    ['/dollar', 302, '/cost/$5'],
    ['/quiet?a=b', 302, '/other'],
  ]
  for (const [target, status, location] of expected) {
    const reply = await client.ask(request(target))
    t.is(reply.status, status, target)
    t.is(reply.field('location'), location, target)
  }
  t.is((await client.ask(request('/fields'))).field('x-own'), 'yes')
  const head = await client.ask(request('/host', { Host: 'other.example:8080' }, 'HEAD'))
  t.is(head.field('location'), 'https://other.example/secure')
})

test('a visitor cannot choose the host that he is sent to', async (t) => {
  const { connect } = await startGateway(t, {
    routes: { '/*': redirect(308, '$path'), '/r/*': redirect(308, '$rest') },
  })
  const client = await connect()
  for (const target of ['//evil.example', '/r//evil.example', '/r///evil.example/x', '///e']) {
    const location = (await client.ask(request(target))).field('location') ?? ''
    t.regex(location, /^\/(?![/\\])/, target)
  }
})
