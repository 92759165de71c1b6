// Several ranges in one request (RFC 9110 §14, §15.3.7.2), on both twins, from memory and from
// descriptors: the parts, their order, what is joined, what is sent whole.

import { closeSync, openSync, writeSync } from 'node:fs'
import { files } from '../../src/index.ts'
import { type Reply, request } from '../support/client.ts'
import { fileEngine, startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { until } from '../support/wait.ts'

interface Part {
  fields: string[]
  first: number
  last: number
  size: number
  body: Buffer
}

/** The parts of a multipart/byteranges body, by RFC 2046 §5.1.1. */
function partsOf(reply: Reply): Part[] {
  const type = reply.field('content-type') ?? ''
  const boundary = /^multipart\/byteranges; boundary=(\w+)$/.exec(type)?.[1]
  if (boundary === undefined) throw new Error(`not multipart: ${type}`)
  const body = reply.body.toString('latin1')
  const end = `\r\n--${boundary}--\r\n`
  if (!body.endsWith(end)) throw new Error('no closing boundary')
  const [before, ...texts] = `\r\n${body.slice(0, -end.length)}`.split(`\r\n--${boundary}\r\n`)
  if (before !== '') throw new Error('bytes before the first boundary')
  return texts.map((text) => {
    const at = text.indexOf('\r\n\r\n')
    const fields = text.slice(0, at).split('\r\n')
    const range = fields.find((line) => line.startsWith('Content-Range: ')) ?? ''
    const numbers = /bytes (\d+)-(\d+)\/(\d+)$/.exec(range)?.slice(1).map(Number) ?? []
    const [first = -1, last = -1, size = -1] = numbers
    return { fields, first, last, size, body: Buffer.from(text.slice(at + 4), 'latin1') }
  })
}

const small = patternBytes(10_000)
const big = patternBytes(3_000_000)

/** Ranges, and what `size` bytes give: parts in order, one part, or everything. */
const cases: [string, (size: number) => [number, number][] | 'whole' | 'unsatisfiable'][] = [
  [
    'bytes=0-0,9-9',
    () => [
      [0, 0],
      [9, 9],
    ],
  ],
  [
    'bytes=500-599,0-99',
    () => [
      [500, 599],
      [0, 99],
    ],
  ],
  [
    'bytes=0-9, 20-29 ,-10',
    (size) => [
      [0, 9],
      [20, 29],
      [size - 10, size - 1],
    ],
  ],
  ['bytes=0-9,5-14', () => [[0, 14]]],
  ['bytes=0-9,10-19', () => [[0, 19]]],
  [
    'bytes=100-199,0-9,150-250',
    () => [
      [100, 250],
      [0, 9],
    ],
  ],
  ['bytes=0-9,99999999-', () => [[0, 9]]],
  [
    'bytes=0-9,99999999-,50-59',
    () => [
      [0, 9],
      [50, 59],
    ],
  ],
  ['bytes=99999999-,88888888-', () => 'unsatisfiable'],
  ['bytes=0-,1-', () => 'whole'],
  ['bytes=0-9,9-3', () => 'whole'],
  ['bytes=0-9,x', () => 'whole'],
  [
    `bytes=${Array.from({ length: 32 }, (_, i) => `${i * 10}-${i * 10}`)}`,
    () => Array.from({ length: 32 }, (_, i): [number, number] => [i * 10, i * 10]),
  ],
  [`bytes=${Array.from({ length: 33 }, (_, i) => `${i * 10}-${i * 10}`)}`, () => 'whole'],
]

testOnBothTwins('several ranges', async (t, transfer) => {
  const site = makeSite(t, { 'small.txt': small, 'big.txt': big })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const client = await connect()
  for (const [name, content] of Object.entries({ 'small.txt': small, 'big.txt': big })) {
    for (const [range, meaning] of cases) {
      const reply = await client.ask(request(`/${name}`, { Range: range }))
      const expected = meaning(content.length)
      const about = `${name} ${range}`
      if (expected === 'unsatisfiable') {
        t.is(reply.status, 416, about)
      } else if (expected === 'whole') {
        t.is(reply.status, reply.field('content-range') ? 206 : 200, about)
        t.true(reply.body.equals(content), about)
      } else if (expected.length === 1) {
        const [[first, last]] = expected as [[number, number]]
        t.is(reply.field('content-range'), `bytes ${first}-${last}/${content.length}`, about)
        t.true(reply.body.equals(content.subarray(first, last + 1)), about)
      } else {
        t.is(reply.status, 206, about)
        t.is(reply.field('content-range'), undefined, about)
        t.is(reply.field('accept-ranges'), 'bytes')
        const parts = partsOf(reply)
        t.deepEqual(
          parts.map(({ first, last }) => [first, last]),
          expected,
          about,
        )
        for (const { first, last, size, body, fields } of parts) {
          t.is(size, content.length)
          t.true(body.equals(content.subarray(first, last + 1)), about)
          t.deepEqual(fields.slice(0, -1), ['Content-Type: text/plain; charset=utf-8'])
        }
      }
    }
  }
})

testOnBothTwins('the whole file when the parts would be longer', async (t, transfer) => {
  const site = makeSite(t, { tiny: 'hello', 'small.txt': small, 'big.txt': big })
  const { get } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  t.is((await get('/tiny', { Range: 'bytes=0-0,2-2' })).status, 200)
  const nearly = (size: number) => `bytes=0-${size - 100},${size - 50}-`
  t.is((await get('/small.txt', { Range: nearly(small.length) })).status, 200)
  t.is((await get('/big.txt', { Range: nearly(big.length) })).status, 200)
})

testOnBothTwins('validators decide before ranges, and HEAD has none', async (t, transfer) => {
  const site = makeSite(t, { 'small.txt': small, 'big.txt': big })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const client = await connect()
  const Range = 'bytes=0-0,9-9'
  for (const target of ['/small.txt', '/big.txt']) {
    const etag = (await client.ask(request(target, {}, 'HEAD'))).field('etag') ?? ''
    const statusOf = async (fields: Record<string, string>, method = 'GET') =>
      (await client.ask(request(target, { Range, ...fields }, method))).status
    t.is(await statusOf({ 'If-Range': etag }), 206)
    t.is(await statusOf({ 'If-Range': '"other"' }), 200)
    t.is(await statusOf({ 'If-None-Match': etag }), 304)
    t.is(await statusOf({ 'If-Match': '"other"' }), 412)
    t.is(await statusOf({}, 'HEAD'), 200)
  }
})

testOnBothTwins('each part is moved by the engine of the whole', async (t, transfer) => {
  const site = makeSite(t, { big })
  const { get, engineBytes, gateway } = await startGateway(t, {
    transfer,
    routes: { '/*': files(site.root) },
  })
  const range = 'bytes=0-999999,1500000-2499999,2999999-'
  t.is(partsOf(await get('/big', { Range: range })).length, 3)
  const engine = fileEngine(transfer, 'large')
  await until('the counter', () => Object.keys(engineBytes()).length > 0)
  t.deepEqual(engineBytes(), { [engine]: 2_000_001 })
  t.is(gateway.stats().total.engines[engine]?.responses, 1)
})

testOnBothTwins('a reader that stops between parts gets the rest', async (t, transfer) => {
  const large = patternBytes(24_000_000)
  const site = makeSite(t, { large, a: 'a' })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const client = await connect()
  const range = 'bytes=12000000-,0-9999999,10500000-10500009'
  client.write(request('/large', { Range: range }) + request('/a'))
  await client.arrived(1)
  client.socket.pause()
  t.is((await (await connect()).ask(request('/a'))).body.toString(), 'a')
  client.socket.resume()
  const parts = partsOf(await client.read())
  t.deepEqual(
    parts.map(({ first, last }) => [first, last]),
    [
      [12_000_000, 23_999_999],
      [0, 9_999_999],
      [10_500_000, 10_500_009],
    ],
  )
  t.true(parts.every(({ first, last, body }) => body.equals(large.subarray(first, last + 1))))
  t.is((await client.read()).body.toString(), 'a')
})

testOnBothTwins('parts on both sides of 4 GiB', async (t, transfer) => {
  const site = makeSite(t, { huge: '' })
  const border = 2 ** 32
  const file = openSync(site.path('huge'), 'r+')
  for (const [at, mark] of [
    [border - 4, 'below|above'],
    [border * 2, 'the end'],
  ] as const) {
    writeSync(file, Buffer.from(mark), 0, mark.length, at)
  }
  closeSync(file)
  const { get } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const range = `bytes=${border - 4}-${border + 6},-7,0-1`
  const parts = partsOf(await get('/huge', { Range: range }))
  t.deepEqual(
    parts.map(({ first, body }) => [first, body.toString()]),
    [
      [border - 4, 'below|above'],
      [border * 2, 'the end'],
      [0, '\0\0'],
    ],
  )
})
