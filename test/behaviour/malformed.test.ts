// Requests that a strict server refuses (RFC 9112): each with its status, its name in stats(), and
// a connection that is closed so that nothing after it can be taken for a request.

import test from 'ava'
import { respond } from '../../src/index.ts'
import type { ErrorName } from '../../src/native/errors.ts'
import { request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'

const host = 'Host: a\r\n'

/** What a client sends, the status and the name of the error. */
const malformed: [string, number, ErrorName][] = [
  ['GET /\r\n\r\n', 400, 'bad-request-line'],
  ['GET\r\n\r\n', 400, 'bad-request-line'],
  [`GET / HTTP/1.1 \r\n${host}\r\n`, 400, 'bad-request-line'],
  [`G@T / HTTP/1.1\r\n${host}\r\n`, 400, 'bad-method'],
  [` GET / HTTP/1.1\r\n${host}\r\n`, 400, 'bad-method'],
  [`GET / HTTP/2.0\r\n${host}\r\n`, 505, 'unsupported-version'],
  [`GET / http/1.1\r\n${host}\r\n`, 400, 'bad-version'],
  [`GET / HTTP/1.10\r\n${host}\r\n`, 400, 'bad-request-line'],
  [`GET a HTTP/1.1\r\n${host}\r\n`, 400, 'bad-target'],
  [`GET * HTTP/1.1\r\n${host}\r\n`, 400, 'bad-target'],
  [`GET /a#b HTTP/1.1\r\n${host}\r\n`, 400, 'bad-target'],
  [`GET /../a HTTP/1.1\r\n${host}\r\n`, 400, 'dot-segment'],
  [`GET /%2e HTTP/1.1\r\n${host}\r\n`, 400, 'dot-segment'],
  ['GET / HTTP/1.1\r\n\r\n', 400, 'missing-host'],
  [`GET / HTTP/1.1\r\n${host}${host}\r\n`, 400, 'bad-host'],
  ['GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400, 'bad-host'],
  ['GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400, 'bad-host'],
  ['GET / HTTP/1.1\r\nHost: a:b\r\n\r\n', 400, 'bad-host'],
  [`GET / HTTP/1.1\r\n${host}A : b\r\n\r\n`, 400, 'bad-field-name'],
  [`GET / HTTP/1.1\r\n${host}: b\r\n\r\n`, 400, 'bad-field-name'],
  [`GET / HTTP/1.1\r\n${host}novalue\r\n\r\n`, 400, 'bad-field-name'],
  [`GET / HTTP/1.1\r\n${host}A: b\0c\r\n\r\n`, 400, 'bad-field-value'],
  [`GET / HTTP/1.1\r\n${host}A: b\x7f\r\n\r\n`, 400, 'bad-field-value'],
  [`GET / HTTP/1.1\r\n${host}A: b\r\n c\r\n\r\n`, 400, 'folded-field'],
  [`GET / HTTP/1.1\n${host}\r\n`, 400, 'bad-line-ending'],
  [`GET / HTTP/1.1\r\n${host}A: b\n\r\n`, 400, 'bad-line-ending'],
  [`GET / HTTP/1.1\r\n${host}A: b\rc\r\n\r\n`, 400, 'bad-line-ending'],
  [`POST / HTTP/1.1\r\n${host}Content-Length: +1\r\n\r\n`, 400, 'bad-content-length'],
  [`POST / HTTP/1.1\r\n${host}Content-Length: 1, 2\r\n\r\n`, 400, 'bad-content-length'],
  [`POST / HTTP/1.1\r\n${host}Content-Length: 0x1\r\n\r\n`, 400, 'bad-content-length'],
  [
    `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`,
    400,
    'bad-content-length',
  ],
  [
    `POST / HTTP/1.1\r\n${host}Content-Length: 99999999999999999999\r\n\r\n`,
    400,
    'bad-content-length',
  ],
  [
    `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    400,
    'length-with-chunked',
  ],
  [
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked, chunked\r\n\r\n`,
    400,
    'bad-transfer-encoding',
  ],
  [`POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n`, 400, 'bad-transfer-encoding'],
  [
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n`,
    501,
    'unknown-transfer-coding',
  ],
  [`POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n`, 501, 'unknown-transfer-coding'],
  [`GET / HTTP/1.1\r\n${host}Expect: wonders\r\n\r\n`, 417, 'unsupported-expectation'],
]

for (const [text, status, name] of malformed) {
  test(`${name}: ${JSON.stringify(text)}`, async (t) => {
    const { connect, gateway } = await startGateway(t, { routes: { '/*': respond(200, 'ok') } })
    const client = await connect()
    client.write(text + request('/'))
    const reply = await client.read()
    t.is(reply.status, status)
    t.is(reply.field('connection'), 'close')
    t.is((await client.readToEnd()).length, 0, 'nothing after it is answered')
    t.deepEqual(gateway.stats().total.errors, { [name]: 1 })
  })
}

const tooLarge: [string, string, number, ErrorName, string][] = [
  ['target', request(`/${'a'.repeat(9000)}`), 414, 'target-too-long', 'limits.targetBytes'],
  ['head', request('/', { A: 'a'.repeat(40_000) }), 431, 'head-too-large', 'limits.headBytes'],
  [
    'number of fields',
    request('/', Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`A${n}`, 'b']))),
    431,
    'too-many-fields',
    'limits.headers',
  ],
  [
    'body',
    request('/', { 'Content-Length': '10485761' }, 'POST'),
    413,
    'body-too-large',
    'limits.bodyBytes',
  ],
]

for (const [what, text, status, name, setting] of tooLarge) {
  test(`a ${what} over its limit is ${status}, and the log names the setting`, async (t) => {
    const { connect, gateway, log } = await startGateway(t, { routes: { '/*': respond(200) } })
    const client = await connect()
    client.write(text)
    const reply = await client.read()
    t.is(reply.status, status)
    await client.readToEnd()
    t.is(gateway.stats().total.errors[name], 1)
    const line = log.find(({ code }) => code === name)
    t.true(line?.message.includes(setting), JSON.stringify(log))
  })
}

const badChunks = [
  'x\r\n',
  '-1\r\n',
  '1 \r\na\r\n',
  '1\na\r\n',
  '1\r\nab\r\n',
  '\r\n',
  '1;a\nb\r\na\r\n',
]

for (const chunk of badChunks) {
  test(`a chunk that begins ${JSON.stringify(chunk)} ends the connection`, async (t) => {
    const { connect } = await startGateway(t, { routes: { '/*': respond(200, 'ok') } })
    const client = await connect()
    client.write(request('/', { 'Transfer-Encoding': 'chunked' }, 'POST'))
    client.write(chunk + request('/'))
    const reply = await client.read()
    t.true(reply.status === 400 || reply.status === 200)
    t.is((await client.readToEnd()).length, 0, 'nothing after it is answered')
  })
}

test('a request hidden in a body is no request', async (t) => {
  const { connect, gateway } = await startGateway(t, { routes: { '/*': respond(200, 'ok') } })
  const client = await connect()
  const hidden = request('/hidden')
  client.write(request('/', { 'Content-Length': String(hidden.length) }, 'POST') + hidden)
  client.write(request('/'))
  t.is((await client.read()).status, 200)
  t.is((await client.read()).status, 200)
  client.socket.end()
  t.is((await client.readToEnd()).length, 0)
  t.is(gateway.stats().total.requests, 2)
})
