// The request parser against that of node:http, through real sockets, on generated and mutated
// requests. Both must accept the same and frame it alike; where Sluice is stricter, the table in
// test/support/differences.ts says why. The long run is test/long/differential.test.ts.

import test from 'ava'
import { compare, compareMany, describe, differenceOf, startPair } from '../support/differential.ts'

test('Sluice and node:http agree about requests, or it is known why not', async (t) => {
  const { accepted, refused, explained, unexplained } = await compareMany(await startPair(t), {
    seed: 1,
    count: 3_000,
  })
  t.log(`${accepted} accepted and ${refused} refused by both`, explained)
  t.deepEqual(unexplained, [])
  t.true(accepted > 500)
  t.true(refused > 100)
})

const agreed = [
  'GET / HTTP/1.1\r\nHost: one.test\r\n\r\n',
  'GET http://two.test/one?a HTTP/1.1\r\nHost: one.test\r\n\r\n',
  'POST /two HTTP/1.1\r\nHost: TWO.test:1\r\nContent-Length: 3\r\n\r\nabc',
  'POST /two HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  'HEAD /one/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  'GET / HTTP/1.0\r\n\r\n',
  'GET / HTTP/1.1\r\n\r\n',
  'GET / HTTP/1.1\r\nHost : a\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc',
]

test('the comparison sees what both do', async (t) => {
  const pair = await startPair(t)
  for (const text of agreed) {
    const comparison = await compare(pair, text)
    t.is(differenceOf(comparison), undefined, describe(comparison))
    t.true(comparison.sluice.length > 0)
  }
})
