// Range requests for files (RFC 9110 §14), on both twins, from memory and from descriptors.
// One table says what each range means for a file of any size, the engine is asserted from stats().

import { closeSync, openSync, writeSync } from 'node:fs'
import { files } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { fileEngine, startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { until } from '../support/wait.ts'

/** A range and the part of `size` bytes that it means; null: not satisfiable, 'whole': ignored. */
type Case = [string, (size: number) => [number, number] | null | 'whole']

const cases: Case[] = [
  ['bytes=0-0', () => [0, 0]],
  ['bytes=1-4', () => [1, 4]],
  ['bytes=0-', (size) => [0, size - 1]],
  ['bytes=7-', (size) => [7, size - 1]],
  ['bytes=-1', (size) => [size - 1, size - 1]],
  ['bytes=-500', (size) => [Math.max(0, size - 500), size - 1]],
  ['bytes=-99999999999', (size) => [0, size - 1]],
  ['bytes=3-99999999999', (size) => [3, size - 1]],
  ['BYTES=1-2', () => [1, 2]],
  ['bytes=99999999999-', () => null],
  ['bytes=99999999999-99999999999', () => null],
  ['bytes=-0', () => null],
  ['bytes=5-2', () => 'whole'],
  ['bytes=', () => 'whole'],
  ['bytes=a-b', () => 'whole'],
  ['bytes=--1', () => 'whole'],
  ['bytes 1-2', () => 'whole'],
  ['lines=1-2', () => 'whole'],
  ['bytes=99999999999999999999999-', () => null],
]

testOnBothTwins('single ranges', async (t, transfer) => {
  const contents = { small: patternBytes(1000), big: patternBytes(200_000) }
  const site = makeSite(t, contents)
  const { connect } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const client = await connect()
  for (const [name, content] of Object.entries(contents)) {
    const size = content.length
    for (const [range, meaning] of cases) {
      const reply = await client.ask(request(`/${name}`, { Range: range }))
      const part = meaning(size)
      const about = `${name} ${range}`
      if (part === null) {
        t.is(reply.status, 416, about)
        t.is(reply.field('content-range'), `bytes */${size}`, about)
      } else if (part === 'whole') {
        t.is(reply.status, 200, about)
        t.true(reply.body.equals(content), about)
      } else {
        const [first, last] = part
        t.is(reply.status, 206, about)
        t.is(reply.field('content-range'), `bytes ${first}-${last}/${size}`, about)
        t.true(reply.body.equals(content.subarray(first, last + 1)), about)
      }
    }
  }
})

testOnBothTwins('a range is moved by the engine of the whole', async (t, transfer) => {
  const site = makeSite(t, { big: patternBytes(200_000) })
  const { get, engineBytes } = await startGateway(t, {
    transfer,
    routes: { '/*': files(site.root) },
  })
  await get('/big', { Range: 'bytes=100-1099' })
  await until('the counter', () => Object.keys(engineBytes()).length > 0)
  t.deepEqual(engineBytes(), { [fileEngine(transfer, 'large')]: 1000 })
})

testOnBothTwins('a partial answer keeps the type and the validators', async (t, transfer) => {
  const site = makeSite(t, { 'a.txt': 'hello' })
  const { get } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const whole = await get('/a.txt')
  const part = await get('/a.txt', { Range: 'bytes=1-2' })
  for (const name of ['content-type', 'etag', 'last-modified', 'x-content-type-options']) {
    t.is(part.field(name), whole.field(name), name)
  }
  t.is(part.body.toString(), 'el')
})

testOnBothTwins('fields of the route are on 206, 304 and 416 too', async (t, transfer) => {
  const site = makeSite(t, { a: 'hello' })
  const routes = { '/*': files(site.root, { headers: { 'X-Own': 'yes' } }) }
  const { get } = await startGateway(t, { transfer, routes })
  const fields = [{ Range: 'bytes=1-2' }, { 'If-None-Match': '*' }, { Range: 'bytes=9-' }]
  const replies = await Promise.all(fields.map((each) => get('/a', each)))
  t.deepEqual(
    replies.map(({ status, field }) => [status, field('x-own')]),
    [
      [206, 'yes'],
      [304, 'yes'],
      [416, 'yes'],
    ],
  )
})

testOnBothTwins('HEAD ignores Range', async (t, transfer) => {
  const site = makeSite(t, { a: 'hello' })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const reply = await (await connect()).ask(request('/a', { Range: 'bytes=1-2' }, 'HEAD'))
  t.is(reply.status, 200)
  t.is(reply.field('content-length'), '5')
})

testOnBothTwins('an empty file has no satisfiable range', async (t, transfer) => {
  const site = makeSite(t, { empty: '' })
  const { get } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const reply = await get('/empty', { Range: 'bytes=0-' })
  t.is(reply.status, 416)
  t.is(reply.field('content-range'), 'bytes */0')
})

testOnBothTwins('If-Range decides between the part and the whole', async (t, transfer) => {
  const site = makeSite(t, { a: 'hello' })
  const { get } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const etag = (await get('/a')).field('etag') ?? ''
  const statusOf = async (condition: string) =>
    (await get('/a', { Range: 'bytes=1-2', 'If-Range': condition })).status
  t.is(await statusOf(etag), 206)
  t.is(await statusOf(`W/${etag}`), 200)
  t.is(await statusOf('"other"'), 200)
  t.is(await statusOf('Sun, 02 Feb 2020 02:02:02 GMT'), 206)
  t.is(await statusOf('Sun, 02 Feb 2020 02:02:03 GMT'), 200)
})

testOnBothTwins('offsets beyond 4 GiB', async (t, transfer) => {
  const site = makeSite(t, { huge: '' })
  const end = 5 * 2 ** 30
  const mark = Buffer.from('the end')
  const file = openSync(site.path('huge'), 'r+')
  writeSync(file, mark, 0, mark.length, end)
  closeSync(file)
  const { get } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const size = end + mark.length
  const reply = await get('/huge', { Range: `bytes=${end - 1}-` })
  t.is(reply.field('content-range'), `bytes ${end - 1}-${size - 1}/${size}`)
  t.is(reply.body.toString(), '\0the end')
})
