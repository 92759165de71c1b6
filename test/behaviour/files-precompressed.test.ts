// Encoded files beside a file, over real sockets and on both twins: which one a client gets, what
// its head says, conditions and ranges of it, and what happens when it changes.

import { renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { brotliCompressSync, gunzipSync, gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { files } from '../../src/index.ts'
import { type RawClient, request } from '../support/client.ts'
import { fileEngine, startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes, type Site } from '../support/site.ts'
import { until } from '../support/wait.ts'

/** Text that shrinks, but not to nothing. */
const text = (bytes: number) => patternBytes(bytes / 2).toString('hex')

/** Replaces a file at once, as deployments do; `mtime` in seconds. */
function replace(site: Site, name: string, content: Buffer | string, mtime: number): void {
  writeFileSync(site.path(`${name}.new`), content)
  utimesSync(site.path(`${name}.new`), mtime, mtime)
  renameSync(site.path(`${name}.new`), site.path(name))
}

type Coding = 'br' | 'zstd' | 'gzip' | 'identity'

/** A file with all its sidecars, of which the zstd one is the largest. Only the others decode. */
function makeEncoded(t: ExecutionContext, bytes: number): [Site, Record<Coding, Buffer>] {
  const identity = Buffer.from(text(bytes))
  const br = brotliCompressSync(identity)
  const gzip = gzipSync(identity)
  const zstd = Buffer.concat([Buffer.from('not looked into'), br, gzip])
  const sidecars = { 'a.js.br': br, 'a.js.zst': zstd, 'a.js.gz': gzip }
  return [makeSite(t, { 'a.js': identity, ...sidecars }), { br, zstd, gzip, identity }]
}

/** Accept-Encoding, and which coding that leads to; 'smallest' is br or gzip. */
const negotiations: [string | undefined, Coding | 'smallest'][] = [
  [undefined, 'identity'],
  ['gzip, deflate, br, zstd', 'smallest'],
  ['zstd, deflate', 'zstd'],
  ['br;q=0.1, gzip;q=0.2', 'gzip'],
  ['br, gzip;q=0.2', 'br'],
  ['*', 'smallest'],
  ['identity;q=0', 'identity'],
  ['*;q=0', 'identity'],
  ['identity, br;q=0.9', 'identity'],
  ['compress', 'identity'],
]

for (const [size, bytes] of [
  ['small', 4_000],
  ['large', 200_000],
] as const) {
  testOnBothTwins(`a ${size} file is sent as its client likes it`, async (t, transfer) => {
    const [site, sent] = makeEncoded(t, bytes)
    const routes = { '/*': files(site.root) }
    const { connect, engineBytes } = await startGateway(t, { transfer, routes })
    const client = await connect()
    const tags = new Set<string>()
    let moved = 0
    for (const [accepted, wanted] of negotiations) {
      const smallest = sent.br.length <= sent.gzip.length ? 'br' : 'gzip'
      const coding = wanted === 'smallest' ? smallest : wanted
      const fields = accepted === undefined ? {} : { 'Accept-Encoding': accepted }
      const etag = await compareVariant(t, client, fields, coding, sent[coding])
      tags.add(etag)
      moved += 2 * sent[coding].length - 7
    }
    t.is(tags.size, 4)
    t.deepEqual(engineBytes(), { [fileEngine(transfer, size)]: moved })
  })
}

/** Whole, head, unchanged, from byte 7 on, beyond its end. Gives its tag. */
async function compareVariant(
  t: ExecutionContext,
  client: RawClient,
  accepts: Record<string, string>,
  coding: Coding,
  content: Buffer,
): Promise<string> {
  const encoding = coding === 'identity' ? undefined : coding
  const ask = (fields: Record<string, string>, method = 'GET') =>
    client.ask(request('/a.js', { ...accepts, ...fields }, method))
  const whole = await ask({})
  t.is(whole.status, 200)
  t.true(whole.body.equals(content), JSON.stringify(accepts))
  t.is(whole.field('content-encoding'), encoding)
  t.is(whole.field('vary'), 'Accept-Encoding')
  t.is(whole.field('content-type'), 'text/javascript; charset=utf-8')
  t.deepEqual(withoutDate((await ask({}, 'HEAD')).fields), withoutDate(whole.fields))

  const etag = whole.field('etag') ?? ''
  const same = await ask({ 'If-None-Match': etag })
  t.is(same.status, 304)
  const names = ['etag', 'vary', 'content-encoding']
  t.deepEqual(names.map(same.field), [etag, 'Accept-Encoding', undefined])

  const part = await ask({ Range: 'bytes=7-', 'If-Range': etag })
  t.is(part.status, 206)
  t.is(part.field('content-range'), `bytes 7-${content.length - 1}/${content.length}`)
  t.is(part.field('content-encoding'), encoding)
  t.true(part.body.equals(content.subarray(7)))
  t.is((await ask({ Range: `bytes=${content.length}-`, 'If-Range': etag })).status, 416)
  return etag
}

const withoutDate = (fields: [string, string][]) => fields.filter(([name]) => name !== 'Date')

testOnBothTwins('a tag of one coding does not match another', async (t, transfer) => {
  const site = makeSite(t, { 'a.txt': 'hello', 'a.txt.gz': gzipSync('hello') })
  const { get } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const plain = (await get('/a.txt')).field('etag') ?? ''
  const gzip = { 'Accept-Encoding': 'gzip' }
  const encoded = (await get('/a.txt', gzip)).field('etag') ?? ''
  t.regex(encoded, /^"[0-9a-f-]+-gzip"$/)
  t.is((await get('/a.txt', { ...gzip, 'If-None-Match': plain })).status, 200)
  t.is((await get('/a.txt', { ...gzip, 'If-Match': plain })).status, 412)
  const range = { Range: 'bytes=0-1', 'If-Range': plain }
  t.is((await get('/a.txt', { ...gzip, ...range })).status, 200)
  t.is((await get('/a.txt', { ...gzip, 'If-None-Match': `${plain}, ${encoded}` })).status, 304)
})

testOnBothTwins('sidecars that appear, change and go are noticed', async (t, transfer) => {
  const site = makeSite(t, { 'a.txt': 'one' })
  const { connect, gateway } = await startGateway(t, {
    transfer,
    routes: { '/*': files(site.root) },
  })
  const client = await connect()
  const ask = () => client.ask(request('/a.txt', { 'Accept-Encoding': 'gzip' }))
  const content = async (encoding: 'gzip' | undefined, wanted: string) => {
    await until(`${encoding} ${wanted}`, async () => {
      const reply = await ask()
      if (reply.field('content-encoding') !== encoding) return false
      return (encoding ? gunzipSync(reply.body) : reply.body).toString() === wanted
    })
  }
  await content(undefined, 'one')
  replace(site, 'a.txt.gz', gzipSync('one'), 2_000_000_000)
  await content('gzip', 'one')
  replace(site, 'a.txt.gz', gzipSync('ONE'), 2_000_000_001)
  await content('gzip', 'ONE')
  // A file that is newer than its sidecar is sent itself, until somebody encodes it anew.
  replace(site, 'a.txt', 'two', 2_000_000_002)
  await content(undefined, 'two')
  replace(site, 'a.txt.gz', gzipSync('two'), 2_000_000_003)
  await content('gzip', 'two')
  rmSync(site.path('a.txt.gz'))
  await content(undefined, 'two')
  t.true(gateway.stats().cache.stale >= 5)
})

test('what a sidecar leads to stays inside the root', async (t) => {
  const outside = makeSite(t, { 'secret.gz': gzipSync('secret') })
  const site = makeSite(t, { 'a.txt': 'hello', 'b.txt': 'hello', 'real.gz': gzipSync('hello') })
  symlinkSync(outside.path('secret.gz'), site.path('a.txt.gz'))
  symlinkSync('real.gz', site.path('b.txt.gz'))
  const { get } = await startGateway(t, { routes: { '/*': files(site.root) } })
  const accepted = { 'Accept-Encoding': 'gzip' }
  t.is((await get('/a.txt', accepted)).body.toString(), 'hello')
  t.is(gunzipSync((await get('/b.txt', accepted)).body).toString(), 'hello')
})

test('all variants of a file leave the cache together', async (t) => {
  const names = Array.from({ length: 40 }, (_, index) => `f${index}.txt`)
  const site = makeSite(t)
  for (const name of names) {
    site.add(name, text(40_000))
    site.add(`${name}.gz`, gzipSync(text(40_000)))
  }
  const { gateway, connect } = await startGateway(t, {
    cache: { files: 10 },
    routes: { '/*': files(site.root) },
  })
  const client = await connect()
  for (let round = 0; round < 2; round++) {
    for (const name of names) {
      const reply = await client.ask(request(`/${name}`, { 'Accept-Encoding': 'gzip' }))
      t.is(gunzipSync(reply.body).toString(), text(40_000))
    }
  }
  await until('the closing of what was driven out', () => gateway.stats().files.descriptors <= 10)
  t.true(gateway.stats().cache.answers <= 5)
})
