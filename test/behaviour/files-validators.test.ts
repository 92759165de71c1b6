// Conditional requests for files (RFC 9110 §13), on both twins: 304, 412 and their order.
// One table of fields and statuses, run with GET and HEAD on a small and a large file.

import { utimesSync } from 'node:fs'
import { files } from '../../src/index.ts'
import { type RawClient, request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'

const modified = 'Sun, 02 Feb 2020 02:02:02 GMT'
const before = 'Sun, 02 Feb 2020 02:02:01 GMT'
const after = 'Sun, 02 Feb 2020 02:02:03 GMT'

/** Fields of a request ('ETAG' stands for the current one) and the status they lead to. */
const conditions: [Record<string, string>, number][] = [
  [{ 'If-None-Match': 'ETAG' }, 304],
  [{ 'If-None-Match': 'W/ETAG' }, 304],
  [{ 'If-None-Match': '*' }, 304],
  [{ 'If-None-Match': '"other", ETAG' }, 304],
  [{ 'If-None-Match': '"other" , W/"x",ETAG , "y"' }, 304],
  [{ 'If-None-Match': '"other"' }, 200],
  [{ 'If-None-Match': 'ETAG'.slice(0, 2) }, 200],
  [{ 'If-Modified-Since': modified }, 304],
  [{ 'If-Modified-Since': after }, 304],
  [{ 'If-Modified-Since': before }, 200],
  [{ 'If-Modified-Since': 'Sunday, 02-Feb-20 02:02:02 GMT' }, 304],
  [{ 'If-Modified-Since': 'Sun Feb  2 02:02:02 2020' }, 304],
  [{ 'If-Modified-Since': 'yesterday' }, 200],
  [{ 'If-None-Match': '"other"', 'If-Modified-Since': modified }, 200],
  [{ 'If-None-Match': 'ETAG', 'If-Modified-Since': before }, 304],
  [{ 'If-Match': 'ETAG' }, 200],
  [{ 'If-Match': '*' }, 200],
  [{ 'If-Match': '"other"' }, 412],
  [{ 'If-Match': 'W/ETAG' }, 412],
  [{ 'If-Unmodified-Since': modified }, 200],
  [{ 'If-Unmodified-Since': before }, 412],
  [{ 'If-Match': 'ETAG', 'If-Unmodified-Since': before }, 200],
  [{ 'If-Match': '"other", ETAG' }, 200],
  [{ 'If-Match': '"other", W/ETAG' }, 412],
  [{ 'If-Match': '' }, 412],
  [{ 'If-Unmodified-Since': after }, 200],
  [{ 'If-Unmodified-Since': 'Sunday, 02-Feb-20 02:02:02 GMT' }, 200],
  [{ 'If-Unmodified-Since': 'Sunday, 02-Feb-20 02:02:01 GMT' }, 412],
  [{ 'If-Unmodified-Since': 'Sun Feb  2 02:02:02 2020' }, 200],
  [{ 'If-Unmodified-Since': 'Sun Feb  2 02:02:01 2020' }, 412],
  [{ 'If-Unmodified-Since': 'yesterday' }, 200],
  [{ 'If-Modified-Since': 'Sunday, 02-Feb-20 02:02:01 GMT' }, 200],
  [{ 'If-Modified-Since': 'Sun Feb  2 02:02:01 2020' }, 200],
  [{ 'If-Modified-Since': 'Sun, 02 Feb 2020 02:02:02 +0000' }, 200],
  // §13.2.2, step by step: the first that decides, decides.
  [{ 'If-Match': '"other"', 'If-Unmodified-Since': after }, 412],
  [{ 'If-Unmodified-Since': before, 'If-None-Match': '"other"' }, 412],
  [{ 'If-Unmodified-Since': before, 'If-Modified-Since': modified }, 412],
  [{ 'If-Match': '*', 'If-None-Match': '*' }, 304],
  [{ 'If-Match': 'ETAG', 'If-None-Match': '"other"', 'If-Modified-Since': modified }, 200],
  [{ 'If-Match': 'ETAG', 'If-Modified-Since': modified }, 304],
  [{ 'If-Match': '"other"', 'If-None-Match': 'ETAG' }, 412],
  [{ 'If-Match': 'ETAG', 'If-None-Match': 'ETAG' }, 304],
]

testOnBothTwins('preconditions in their order', async (t, transfer) => {
  const site = makeSite(t, { small: 'hello', big: patternBytes(100_000) })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const client = await connect()
  for (const target of ['/small', '/big']) {
    const etag = (await client.ask(request(target))).field('etag') ?? ''
    for (const [fields, status] of conditions) {
      const filled = Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [name, value.replace('ETAG', etag)]),
      )
      for (const method of ['GET', 'HEAD']) {
        const reply = await client.ask(request(target, filled, method))
        t.is(reply.status, status, `${method} ${target} ${JSON.stringify(filled)}`)
      }
    }
  }
})

testOnBothTwins('a 304 repeats the fields that a cache needs', async (t, transfer) => {
  const site = makeSite(t, { 'a.txt': 'hello' })
  const routes = {
    '/*': files(site.root, { cacheControl: 'no-cache', headers: { Vary: 'Origin' } }),
  }
  const { connect } = await startGateway(t, { transfer, routes })
  const client = await connect()
  const first = await client.ask(request('/a.txt'))
  const etag = first.field('etag') ?? ''
  const unchanged = await client.ask(request('/a.txt', { 'If-None-Match': etag }))
  t.is(unchanged.status, 304)
  for (const name of ['etag', 'cache-control', 'vary']) {
    t.is(unchanged.field(name), first.field(name), name)
  }
  t.truthy(unchanged.field('date'))
  t.is(unchanged.field('content-type'), undefined)
  t.is((await client.ask(request('/a.txt'))).body.toString(), 'hello')
})

testOnBothTwins('conditions on something absent change nothing', async (t, transfer) => {
  const site = makeSite(t)
  const { get } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  t.is((await get('/missing', { 'If-None-Match': '*' })).status, 404)
})

async function etagOf(client: RawClient, target: string): Promise<string> {
  return (await client.ask(request(target))).field('etag') ?? ''
}

testOnBothTwins('an ETag is weak while the file is young', async (t, transfer) => {
  const site = makeSite(t, { young: 'a', old: 'a' })
  const now = new Date()
  utimesSync(site.path('young'), now, now)
  const { connect } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const client = await connect()
  t.regex(await etagOf(client, '/young'), /^W\/"/)
  t.regex(await etagOf(client, '/old'), /^"/)
})

/** If-Range values ('ETAG' as above) and whether the range counts (RFC 9110 §13.1.5). */
const ranges: [Record<string, string>, number][] = [
  [{}, 206],
  [{ 'If-Range': 'ETAG' }, 206],
  [{ 'If-Range': 'W/ETAG' }, 200],
  [{ 'If-Range': '"other"' }, 200],
  [{ 'If-Range': '*' }, 200],
  [{ 'If-Range': 'ETAG, "other"' }, 200],
  [{ 'If-Range': modified }, 206],
  [{ 'If-Range': 'Sunday, 02-Feb-20 02:02:02 GMT' }, 206],
  [{ 'If-Range': 'Sun Feb  2 02:02:02 2020' }, 206],
  [{ 'If-Range': before }, 200],
  [{ 'If-Range': after }, 200],
  [{ 'If-Range': 'yesterday' }, 200],
  [{ 'If-Range': 'ETAG', 'If-Match': 'ETAG' }, 206],
  [{ 'If-Range': 'ETAG', 'If-Match': '"other"' }, 412],
  [{ 'If-Range': 'ETAG', 'If-None-Match': 'ETAG' }, 304],
  [{ 'If-Range': '"other"', 'If-None-Match': '"other"' }, 200],
  [{ 'If-Unmodified-Since': before }, 412],
  [{ 'If-Modified-Since': modified }, 304],
]

testOnBothTwins('If-Range after the other preconditions', async (t, transfer) => {
  const site = makeSite(t, { small: 'hello', big: patternBytes(100_000) })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const client = await connect()
  for (const target of ['/small', '/big']) {
    const etag = await etagOf(client, target)
    for (const [fields, status] of ranges) {
      for (const [Range, satisfied] of [
        ['bytes=1-2', status],
        ['bytes=999999-', status === 206 ? 416 : status],
      ] as const) {
        const filled = Object.fromEntries(
          Object.entries(fields).map(([name, value]) => [name, value.replace('ETAG', etag)]),
        )
        const reply = await client.ask(request(target, { Range, ...filled }))
        t.is(reply.status, satisfied, `${target} ${Range} ${JSON.stringify(filled)}`)
      }
    }
  }
})
