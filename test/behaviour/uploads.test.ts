// Files that clients send: every framing and size on both twins, byte for byte, under the name that
// the request gives or a new one, and nothing left of those that do not come to their end.

import { existsSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { UploadOptions } from '../../src/index.ts'
import { files, proxy, respond } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway, type TransferMode, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes, type Site } from '../support/site.ts'
import { digestOf, everythingIn, put, putChunked, uploadHead } from '../support/upload.ts'
import { until } from '../support/wait.ts'

const large = patternBytes(3_000_000)

async function startTaking(
  t: ExecutionContext,
  upload: UploadOptions | true = true,
  transfer: TransferMode = 'auto',
  site: Site = makeSite(t),
) {
  const gateway = await startGateway(t, {
    transfer,
    routes: { '/*': files(site.root, { upload }) },
  })
  return { ...gateway, site }
}

testOnBothTwins('files of many sizes arrive as they were sent', async (t, transfer) => {
  const { connect, site, engineBytes } = await startTaking(t, true, transfer)
  const client = await connect()
  const sizes = [0, 1, 1_000, 16_383, 16_384, 65_537, 131_072, 131_073, 1_048_577, 3_000_000]
  for (const size of sizes) {
    const body = large.subarray(0, size)
    const reply = await put(client, `/file-${size}`, body)
    t.is(reply.status, 201, String(size))
    t.is(reply.field('location'), `/file-${size}`)
    t.regex(reply.field('etag') ?? '', /^"[^"]+"$/)
    t.true(readFileSync(site.path(`file-${size}`)).equals(body), String(size))
  }
  const { 'splice-in': spliced = 0, copy = 0 } = engineBytes()
  t.is(
    spliced + copy,
    sizes.reduce((sum, size) => sum + size, 0),
  )
  t.is(spliced > 0, transfer === 'auto')
  t.is(everythingIn(site.root).length, sizes.length)
})

for (const size of [1, 1_000, 70_000, 1_000_000]) {
  testOnBothTwins(`a file in chunks of ${size} bytes`, async (t, transfer) => {
    const { connect, site, engineBytes } = await startTaking(t, true, transfer)
    const client = await connect()
    const body = size === 1 ? large.subarray(0, 20_000) : large
    for (const status of [201, 204]) {
      const reply = await putChunked(client, '/chunked', body, size)
      t.is(reply.status, status)
      t.true(readFileSync(site.path('chunked')).equals(body))
    }
    const isSpliced = transfer === 'auto' && size === 1_000_000
    t.is((engineBytes()['splice-in'] ?? 0) > 0, isSpliced)
  })
}

testOnBothTwins('a file that trickles in', async (t, transfer) => {
  const { connect, site } = await startTaking(t, true, transfer)
  const client = await connect()
  const body = large.subarray(0, 300_000)
  client.write(uploadHead('PUT', '/slow', { 'Content-Length': String(body.length) }))
  for (let at = 0; at < body.length; at += 7_000) {
    const { promise, resolve } = Promise.withResolvers<void>()
    client.socket.write(body.subarray(at, at + 7_000), () => resolve())
    await promise
  }
  t.is((await client.read()).status, 201)
  t.true(readFileSync(site.path('slow')).equals(body))
})

test('what was sent is served at once, and the old file is not served any more', async (t) => {
  const { connect, site } = await startTaking(t)
  const writer = await connect()
  const reader = await connect()
  t.is((await reader.ask(request('/page.txt'))).status, 404)
  for (let n = 0; n < 40; n++) {
    const text = `version ${n % 10}`
    const stored = await put(writer, '/page.txt', text)
    t.is(stored.status, n === 0 ? 201 : 204)
    const reply = await reader.ask(request('/page.txt'))
    t.is(reply.body.toString(), text)
    t.is(reply.field('etag')?.replace('W/', ''), stored.field('etag'))
  }
  t.deepEqual(everythingIn(site.root), ['page.txt'])
})

test('pipelined uploads are stored in their order', async (t) => {
  const { connect, site } = await startTaking(t)
  const client = await connect()
  const one = `${uploadHead('PUT', '/a', { 'Content-Length': '3' })}one`
  const two = `${uploadHead('PUT', '/a', { 'Content-Length': '3' })}two`
  client.write(`${request('/a')}${one}${two}${request('/a')}`)
  const statuses = [404, 201, 204, 200]
  for (const status of statuses) {
    const reply = await client.read()
    t.is(reply.status, status)
    if (status === 200) t.is(reply.body.toString(), 'two')
  }
  t.is(readFileSync(site.path('a'), 'utf8'), 'two')
})

test('POST to a directory gives a file a new name', async (t) => {
  const { connect, site } = await startTaking(t)
  const client = await connect()
  const first = await put(client, '/', 'one', {}, 'POST')
  const second = await put(client, '/in/box/', 'two', {}, 'POST')
  t.is(first.status, 201)
  t.regex(first.field('location') ?? '', /^\/[0-9a-f]{32}$/)
  t.regex(second.field('location') ?? '', /^\/in\/box\/[0-9a-f]{32}$/)
  t.is(readFileSync(join(site.root, second.field('location') ?? ''), 'utf8'), 'two')
  t.is((await put(client, '/name', 'x', {}, 'POST')).status, 409)
})

test('directories are made when the file is there, or not at all', async (t) => {
  const { connect, site } = await startTaking(t)
  const client = await connect()
  client.write(uploadHead('PUT', '/a/b/c', { 'Content-Length': '2' }))
  client.write('x')
  await until('the upload to begin', () => true)
  t.false(existsSync(site.path('a')))
  client.write('y')
  t.is((await client.read()).status, 201)
  t.is(readFileSync(site.path('a/b/c'), 'utf8'), 'xy')
  const strict = await startTaking(t, { directories: false })
  t.is((await put(await strict.connect(), '/a/b', 'x')).status, 409)
  t.deepEqual(everythingIn(strict.site.root), [])
})

test('If-None-Match: * only creates, If-Match only replaces', async (t) => {
  const { connect, site } = await startTaking(t)
  const client = await connect()
  t.is((await put(client, '/a', 'x', { 'If-Match': '*' })).status, 412)
  t.is((await put(client, '/a', 'x', { 'If-Match': '"none"' })).status, 412)
  const made = await put(client, '/a', 'one', { 'If-None-Match': '*' })
  t.is(made.status, 201)
  t.is((await put(client, '/a', 'two', { 'If-None-Match': '*' })).status, 412)
  t.is(readFileSync(site.path('a'), 'utf8'), 'one')
  const etag = made.field('etag') ?? ''
  const replaced = await put(client, '/a', 'two', { 'If-Match': etag })
  t.is(replaced.status, 204)
  t.not(replaced.field('etag'), etag)
  t.is((await put(client, '/a', 'six', { 'If-Match': etag })).status, 412)
  t.is(
    (await put(client, '/a', 'six', { 'If-Match': `"x", ${replaced.field('etag')}` })).status,
    204,
  )
  t.is(readFileSync(site.path('a'), 'utf8'), 'six')
})

test('of many who replace the same version one succeeds', async (t) => {
  const site = makeSite(t)
  const { connect } = await startGateway(t, {
    workers: 2,
    routes: { '/*': files(site.root, { upload: true }) },
  })
  const clients = await Promise.all(Array.from({ length: 8 }, () => connect()))
  const [first] = clients
  if (!first) return t.fail()
  let etag = (await put(first, '/a', 'start')).field('etag') ?? ''
  for (let round = 0; round < 10; round++) {
    const replies = await Promise.all(
      clients.map((client, n) => put(client, '/a', `${round}/${n}`, { 'If-Match': etag })),
    )
    const winners = replies.filter((reply) => reply.status === 204)
    t.is(winners.length, 1)
    t.is(replies.filter((reply) => reply.status === 412).length, 7)
    etag = winners[0]?.field('etag') ?? ''
  }
  const made = await Promise.all(
    clients.map((client) => put(client, '/new', 'x', { 'If-None-Match': '*' })),
  )
  t.is(made.filter((reply) => reply.status === 201).length, 1)
})

testOnBothTwins('a digest is checked before the file gets its name', async (t, transfer) => {
  const { connect, site, engineBytes } = await startTaking(t, true, transfer)
  const client = await connect()
  const good = await put(client, '/a', large, { 'Content-Digest': digestOf(large) })
  t.is(good.status, 201)
  const both = `sha-512=:AAAA:, ${digestOf('abc')}`
  t.is((await put(client, '/b', 'abc', { 'Repr-Digest': both })).status, 201)
  const wrong = await put(client, '/a', 'other', { 'Content-Digest': digestOf('another') })
  t.is(wrong.status, 400)
  t.regex(wrong.body.toString(), /sha-256/)
  t.is((await put(client, '/c', 'x', { 'Content-Digest': 'sha-256=:short:' })).status, 400)
  t.true(readFileSync(site.path('a')).equals(large))
  t.deepEqual(everythingIn(site.root), ['a', 'b'])
  t.is(engineBytes()['splice-in'], undefined)
})

test('100 Continue is sent when the file would be taken, and only then', async (t) => {
  const { connect, site } = await startTaking(t, { bodyBytes: 1_000 })
  const client = await connect()
  client.write(uploadHead('PUT', '/a', { 'Content-Length': '5', Expect: '100-continue' }))
  t.is((await client.read()).status, 100)
  client.write('hello')
  t.is((await client.read()).status, 201)
  t.is(readFileSync(site.path('a'), 'utf8'), 'hello')
  const refused = [
    ['/a', { 'Content-Length': '5000' }, 413],
    ['/a', { 'Content-Length': '5', 'If-None-Match': '*' }, 412],
    ['/.hidden', { 'Content-Length': '5' }, 403],
  ] as const
  for (const [target, fields, status] of refused) {
    const other = await connect()
    other.write(uploadHead('PUT', target, { ...fields, Expect: '100-continue' }))
    t.is((await other.read()).status, status)
    await other.closed()
  }
})

testOnBothTwins('more than bodyBytes is a 413 that leaves nothing', async (t, transfer) => {
  const { connect, site } = await startTaking(t, { bodyBytes: '1mb' }, transfer)
  const first = await put(await connect(), '/a', large)
  t.is(first.status, 413)
  t.regex(first.body.toString(), /bodyBytes/)
  t.is((await putChunked(await connect(), '/a', large, 400_000)).status, 413)
  t.is((await put(await connect(), '/a', large.subarray(0, 1_048_576))).status, 201)
  t.deepEqual(everythingIn(site.root), ['a'])
})

testOnBothTwins('an upload that is broken off leaves nothing', async (t, transfer) => {
  const { connect, site, gateway } = await startTaking(t, true, transfer)
  site.add('old', 'as it was')
  const broken = () => gateway.stats().total.errors['client-gone'] ?? 0
  for (const [n, end] of ['destroy', 'reset', 'half'].entries()) {
    const client = await connect()
    client.write(uploadHead('PUT', '/old', { 'Content-Length': '2000000' }))
    client.write(large.subarray(0, 1_500_000))
    if (end === 'destroy') client.socket.destroySoon()
    else if (end === 'reset') client.reset()
    else client.socket.end()
    await until('the end to be noticed', () => broken() === n + 1)
  }
  const bad = await connect()
  bad.write(uploadHead('PUT', '/old', { 'Transfer-Encoding': 'chunked' }))
  bad.write('5\r\nhello\r\nnonsense\r\n')
  t.is((await bad.read()).status, 400)
  t.is(readFileSync(site.path('old'), 'utf8'), 'as it was')
  t.deepEqual(everythingIn(site.root), ['old'])
})

test('a quota holds for all files of the root', async (t) => {
  const site = makeSite(t, { 'there/already': 'x'.repeat(400) })
  const { connect } = await startTaking(t, { quota: 1_000, delete: true }, 'auto', site)
  const client = await connect()
  t.is((await put(client, '/a', 'x'.repeat(500))).status, 201)
  const full = await put(client, '/b', 'x'.repeat(200))
  t.is(full.status, 507)
  t.regex(full.body.toString(), /upload\.quota/)
  t.is((await putChunked(await connect(), '/b', Buffer.alloc(200), 50)).status, 507)
  t.is((await put(client, '/b', 'x'.repeat(100))).status, 201)
  client.write(request('/a', {}, 'DELETE'))
  t.is((await client.read()).status, 204)
  t.is((await put(client, '/c', 'x'.repeat(500))).status, 201)
  t.deepEqual(everythingIn(site.root), ['b', 'c', 'there', 'there/already'])
})

test('DELETE removes files where the route says so', async (t) => {
  const { connect, site } = await startTaking(t, { delete: true })
  site.add('a', 'one')
  site.add('folder/b', 'two')
  const client = await connect()
  const remove = (target: string, fields = {}) => client.ask(request(target, fields, 'DELETE'))
  t.is((await client.ask(request('/a'))).body.toString(), 'one')
  t.is((await remove('/a', { 'If-Match': '"other"' })).status, 412)
  t.is((await remove('/a')).status, 204)
  t.is((await client.ask(request('/a'))).status, 404)
  t.is((await remove('/a')).status, 404)
  t.is((await remove('/folder')).status, 409)
  t.is((await remove('/folder/')).status, 409)
  t.is((await remove('/no/such/name')).status, 404)
  const strict = await startTaking(t)
  strict.site.add('a', 'one')
  const reader = await strict.connect()
  const options = await reader.ask(request('/a', {}, 'OPTIONS'))
  t.is(options.field('allow'), 'GET, HEAD, OPTIONS, PUT, POST')
  const refused = await reader.ask(request('/a', {}, 'DELETE'))
  t.is(refused.status, 405)
  t.is(refused.field('allow'), 'GET, HEAD, OPTIONS, PUT, POST')
})

test('replace: false keeps what is there', async (t) => {
  const { connect, site } = await startTaking(t, { replace: false })
  const client = await connect()
  t.is((await put(client, '/a', 'one')).status, 201)
  t.is((await put(client, '/a', 'two')).status, 409)
  t.is(readFileSync(site.path('a'), 'utf8'), 'one')
})

test('nothing is written through symlinks that leave the root, nor over no file', async (t) => {
  const outside = makeSite(t, { secret: 'safe' })
  const { connect, site } = await startTaking(t, { delete: true })
  site.add('inside/here', 'x')
  symlinkSync(outside.root, site.path('out'))
  symlinkSync(outside.path('secret'), site.path('link'))
  symlinkSync('inside', site.path('in'))
  const client = await connect()
  t.is((await put(client, '/out/secret', 'evil')).status, 403)
  t.is((await put(client, '/out/new', 'evil')).status, 403)
  t.is((await put(client, '/out/deep/new', 'evil')).status, 403)
  t.is((await put(client, '/link', 'evil')).status, 409)
  t.is((await put(client, '/inside', 'evil')).status, 409)
  t.is((await put(client, '/inside/here/x', 'evil')).status, 409)
  t.is((await client.ask(request('/link', {}, 'DELETE'))).status, 409)
  t.is((await put(client, '/in/side', 'fine')).status, 201)
  t.is(readFileSync(site.path('inside/side'), 'utf8'), 'fine')
  t.deepEqual(everythingIn(outside.root), ['secret'])
  t.is(readFileSync(outside.path('secret'), 'utf8'), 'safe')
  t.true(lstatSync(site.path('link')).isSymbolicLink())
})

test('names that are not served are not written', async (t) => {
  const site = makeSite(t, { 'conf/app.ini': 'secret' })
  const { connect } = await startGateway(t, {
    routes: { '/*': files(site.root, { upload: { delete: true }, hide: ['*.ini', 'private'] }) },
  })
  const client = await connect()
  const refused = ['/.env', '/a/.b/c', '/.sluice-upload-0', '/conf/app.ini', '/private/x', '/X.INI']
  for (const target of refused) t.is((await put(client, target, 'x')).status, 403, target)
  t.is((await client.ask(request('/conf/app.ini', {}, 'DELETE'))).status, 403)
  for (const target of ['/a%2fb', '/a//b', '/a%00b']) {
    t.is((await put(client, target, 'x')).status, 403, target)
  }
  t.is((await put(client, '/.well-known/x', 'x')).status, 201)
  t.is((await put(client, '/conf/app.txt', 'x')).status, 201)
  t.is((await put(client, '/conf/app.txt', 'y')).status, 204)
  t.is(readFileSync(site.path('conf/app.ini'), 'utf8'), 'secret')
})

test('what is no whole file is refused', async (t) => {
  const { connect, site } = await startTaking(t)
  const client = await connect()
  const refuse = async (fields: Record<string, string>) =>
    (await put(client, '/a', 'x', fields)).status
  t.is(await refuse({ 'Content-Range': 'bytes 0-0/10' }), 400)
  t.is(await refuse({ 'Content-Encoding': 'gzip' }), 415)
  t.is(await refuse({ 'Content-Type': 'multipart/form-data; boundary=x' }), 415)
  t.is((await put(client, '/folder/', 'x')).status, 409)
  t.is(await refuse({ 'Content-Type': 'text/plain', 'Content-Encoding': 'identity' }), 201)
  t.deepEqual(everythingIn(site.root), ['a'])
})

test('without the option nothing is taken in, and other methods go on', async (t) => {
  const site = makeSite(t, { a: 'x' })
  const { connect } = await startGateway(t, {
    routes: {
      '/plain/*': files(site.root),
      '/both/*': files(site.root, { upload: true, otherwise: respond(202, 'elsewhere') }),
    },
  })
  const client = await connect()
  t.is((await put(client, '/plain/a', 'y')).status, 405)
  t.is((await put(client, '/both/b', 'y')).status, 201)
  t.is((await put(client, '/both/b', 'y', {}, 'PATCH')).status, 202)
  t.is((await client.ask(request('/both/a', {}, 'OPTIONS'))).status, 202)
  t.is(readFileSync(site.path('a'), 'utf8'), 'x')
})

test('a name that the disk refuses is an answer, not a fault', async (t) => {
  const { connect, site } = await startTaking(t, { fsync: true })
  const client = await connect()
  t.is((await put(client, `/${'n'.repeat(300)}`, 'x')).status, 403)
  t.is((await put(client, '/deep/er/file', 'x')).status, 201)
  writeFileSync(site.path('file'), 'x')
  t.is((await put(client, '/file/below', 'x')).status, 409)
})

test('proxied routes are as they were', async (t) => {
  const { connect, port } = await startTaking(t)
  const front = await startGateway(t, { routes: { '/*': proxy(`http://127.0.0.1:${port}`) } })
  const reply = await put(await front.connect(), '/a', large)
  t.is(reply.status, 201)
  const back = await (await connect()).ask(request('/a'))
  t.true(back.body.equals(large))
})
