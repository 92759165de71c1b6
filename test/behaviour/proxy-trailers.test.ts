// Trailer fields of chunked bodies through the proxy, both ways, on both twins: those that may come
// after a body pass, those that a head is checked for do not.

import { proxy } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { patternBytes } from '../support/site.ts'
import { answering, chunked, response, startUpstream } from '../support/upstream.ts'

const body = patternBytes(400_000)
const head = 'Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n'

/** The body in chunks that are large enough to be spliced, with these lines after the last. */
function withTrailers(lines: string[]): Buffer {
  const whole = chunked(body, 200_000)
  return Buffer.concat([whole.subarray(0, -2), Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)])
}

const sent = [
  'X-Sum:1f',
  'Content-Length: 5',
  'x-sum: \t2f ',
  'Set-Cookie: a=b',
  'Server-Timing: db;dur=53',
  'Transfer-Encoding: chunked',
  'Authorization: Basic eA==',
  'X-Forwarded-For: 203.0.113.7',
]
const passed = [
  ['X-Sum', '1f'],
  ['x-sum', '2f'],
  ['Server-Timing', 'db;dur=53'],
]

testOnBothTwins('trailers of responses pass', async (t, transfer) => {
  const upstream = await startUpstream(
    t,
    answering(Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${head}`), withTrailers(sent)])),
  )
  const { connect } = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  for (let turn = 0; turn < 3; turn += 1) {
    const reply = await client.ask(request('/'))
    t.is(reply.field('trailer'), 'X-Sum')
    t.true(reply.body.equals(body))
    t.deepEqual(reply.trailers, passed)
  }
  t.is(upstream.peers.length, 1)
})

testOnBothTwins('trailers of requests pass', async (t, transfer) => {
  const seen: [string, string][][] = []
  const upstream = await startUpstream(t, async (peer) => {
    for (;;) {
      const got = await peer.request()
      seen.push(got.trailers)
      peer.write(response(String(got.body.equals(body))))
    }
  })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  for (const lines of [sent, ['X-Last: 1']]) {
    client.write(`POST / HTTP/1.1\r\nHost: test\r\n${head}`)
    client.write(withTrailers(lines))
    t.is((await client.read()).body.toString(), 'true')
  }
  t.deepEqual(seen, [passed, [['X-Last', '1']]])
})

testOnBothTwins('trailers end where there are no chunks', async (t, transfer) => {
  const upstream = await startUpstream(
    t,
    answering(Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${head}`), withTrailers(sent)])),
  )
  const { connect } = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  client.write('GET / HTTP/1.0\r\n\r\n')
  const reply = await client.read()
  t.is(reply.framing, 'close')
  t.true(reply.body.equals(body))
})

testOnBothTwins('trailers that a route removes end here, both ways', async (t, transfer) => {
  const lines = ['X-Sum: 1', 'x-debug: 2', 'X-Other: 3']
  const seen: [string, string][][] = []
  const upstream = await startUpstream(t, async (peer) => {
    seen.push((await peer.request()).trailers)
    peer.write(`HTTP/1.1 200 OK\r\nX-Debug: 1\r\n${head}`)
    peer.write(withTrailers(lines))
  })
  const headers = { request: { remove: 'X-Other' }, response: { remove: ['X-Debug'] } }
  const { connect } = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(upstream.url, { headers }) },
  })
  const client = await connect()
  client.write(`POST / HTTP/1.1\r\nHost: test\r\n${head}`)
  client.write(withTrailers(lines))
  const reply = await client.read()
  t.is(reply.field('x-debug'), undefined)
  t.true(reply.body.equals(body))
  t.deepEqual(reply.trailers, [
    ['X-Sum', '1'],
    ['X-Other', '3'],
  ])
  t.deepEqual(seen, [
    [
      ['X-Sum', '1'],
      ['x-debug', '2'],
    ],
  ])
})
