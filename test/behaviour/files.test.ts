// files() through real sockets, on both twins: bytes, heads, index pages, directories, names, and
// what must never be served. Ranges, validators, containment and freshness have files of their own.

import test from 'ava'
import { files } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { fileEngine, startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { until } from '../support/wait.ts'

const memoryBytes = 16 * 1024
const sizes = [0, 1, 1000, 4096, 4097, memoryBytes, memoryBytes + 1, 100_000, 1_048_576, 5_000_001]

testOnBothTwins(
  'every size arrives byte for byte by the engine meant for it',
  async (t, transfer) => {
    const contents = sizes.map((size) => [`${size}.bin`, patternBytes(size)] as const)
    const site = makeSite(t, Object.fromEntries(contents))
    const { connect, engineBytes } = await startGateway(t, {
      transfer: { mode: transfer, memoryBytes },
      routes: { '/*': files(site.root) },
    })
    const client = await connect()
    for (const round of ['asked', 'remembered']) {
      for (const [name, content] of contents) {
        const reply = await client.ask(request(`/${name}`))
        t.is(reply.status, 200)
        t.true(reply.body.equals(content), `${name}, ${round}`)
      }
    }
    const expected: Record<string, number> = {}
    for (const size of sizes) {
      const engine = fileEngine(transfer, size <= memoryBytes ? 'small' : 'large')
      expected[engine] = (expected[engine] ?? 0) + 2 * size
    }
    const total = (counts: Record<string, number>) =>
      Object.values(counts).reduce((sum, bytes) => sum + bytes, 0)
    await until('the last counter', () => total(engineBytes()) === total(expected))
    t.deepEqual(engineBytes(), expected)
  },
)

testOnBothTwins('many clients at once get their bytes', async (t, transfer) => {
  const contents = sizes.map((size) => [`${size}.bin`, patternBytes(size)] as const)
  const site = makeSite(t, Object.fromEntries(contents))
  const { get } = await startGateway(t, {
    workers: 2,
    transfer,
    routes: { '/*': files(site.root) },
  })
  const rounds = Array.from({ length: 8 }, () => contents).flat()
  const equal = await Promise.all(
    rounds.map(async ([name, content]) => (await get(`/${name}`)).body.equals(content)),
  )
  t.deepEqual([...new Set(equal)], [true])
})

testOnBothTwins('a slow client gets a large file whole', async (t, transfer) => {
  const content = patternBytes(12_000_000)
  const site = makeSite(t, { big: content })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const client = await connect()
  client.write(request('/big'))
  await client.arrived(1)
  client.socket.pause()
  const other = await connect()
  t.is((await other.ask(request('/nothing'))).status, 404, 'nobody else waits for it')
  client.socket.resume()
  t.true((await client.read()).body.equals(content))
})

testOnBothTwins('HEAD has the fields of GET and no body', async (t, transfer) => {
  const site = makeSite(t, { 'small.txt': 'hello', 'big.txt': patternBytes(100_000) })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const client = await connect()
  const undated = (fields: [string, string][]) => fields.filter(([name]) => name !== 'Date')
  for (const target of ['/small.txt', '/big.txt', '/missing', '/']) {
    const got = await client.ask(request(target))
    const head = await client.ask(request(target, {}, 'HEAD'))
    t.is(head.status, got.status, target)
    t.deepEqual(undated(head.fields), undated(got.fields), target)
    t.is(got.field('content-length'), String(got.body.length), target)
  }
})

testOnBothTwins('a file has type, validators and no guessing', async (t, transfer) => {
  const site = makeSite(t, { 'a.html': '<p>', 'b.js': '1', c: '?', 'd.svg': '<svg/>' })
  const { get } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const types = {
    'a.html': 'text/html; charset=utf-8',
    'b.js': 'text/javascript; charset=utf-8',
    c: 'application/octet-stream',
    'd.svg': 'image/svg+xml',
  }
  for (const [name, type] of Object.entries(types)) {
    const reply = await get(`/${name}`)
    t.is(reply.field('content-type'), type)
    t.is(reply.field('x-content-type-options'), 'nosniff')
    t.is(reply.field('last-modified'), 'Sun, 02 Feb 2020 02:02:02 GMT')
    t.regex(reply.field('etag') ?? '', /^"[^"]+"$/)
    t.is(reply.field('accept-ranges'), 'bytes')
    t.regex(reply.field('date') ?? '', /^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/)
    t.is(reply.field('server'), undefined)
  }
})

testOnBothTwins('options of the route', async (t, transfer) => {
  const site = makeSite(t, { a: 'x', '.env': 'secret', 'start.htm': 'start' })
  const { get } = await startGateway(t, {
    transfer: 'auto',
    serverName: 'sluice',
    routes: {
      '/*': files(site.root, {
        transfer,
        index: ['none.html', 'start.htm'],
        dotfiles: true,
        headers: { 'X-Own': 'yes', 'X-Content-Type-Options': 'off' },
        cacheControl: 'max-age=60',
      }),
    },
  })
  const found = await get('/a')
  t.is(found.field('x-own'), 'yes')
  t.is(found.field('x-content-type-options'), 'off')
  t.is(found.field('cache-control'), 'max-age=60')
  t.is(found.field('server'), 'sluice')
  const missing = await get('/b')
  t.is(missing.field('x-own'), 'yes')
  t.is(missing.field('cache-control'), undefined)
  t.is((await get('/.env')).body.toString(), 'secret')
  t.is((await get('/')).body.toString(), 'start')
})

testOnBothTwins('index pages and directories', async (t, transfer) => {
  const site = makeSite(t, {
    'index.html': 'root',
    'docs/index.html': 'docs',
    'empty/a': 'a',
    'page.html': 'page',
  })
  const { get } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  t.is((await get('/')).body.toString(), 'root')
  t.is((await get('/docs/')).body.toString(), 'docs')
  const redirected = await get('/docs?a=b&c')
  t.is(redirected.status, 301)
  t.is(redirected.field('location'), '/docs/?a=b&c')
  t.is((await get('/empty')).field('location'), '/empty/')
  t.is((await get('/empty/')).status, 404)
  t.is((await get('/page.html/')).status, 404)
  t.is((await get('/page.html/x')).status, 404)
})

testOnBothTwins('a prefix takes whole segments', async (t, transfer) => {
  const site = makeSite(t, { 'index.html': 'docs', 'a.txt': 'a', 'search/b': 'no' })
  const { get } = await startGateway(t, { transfer, routes: { '/docs/*': files(site.root) } })
  t.is((await get('/docs/')).body.toString(), 'docs')
  t.is((await get('/docs/a.txt')).body.toString(), 'a')
  t.is((await get('/docs')).field('location'), '/docs/')
  t.is((await get('/docsearch/b')).status, 404)
  t.is((await get('/')).status, 404)
})

testOnBothTwins('names are percent-decoded exactly once', async (t, transfer) => {
  const site = makeSite(t, {
    'a b.txt': 'space',
    'ü.txt': 'umlaut',
    '100%25.txt': 'percent',
    'q?.txt': 'question',
    'plus+.txt': 'plus',
  })
  const { get } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  t.is((await get('/a%20b.txt')).body.toString(), 'space')
  t.is((await get('/%C3%BC.txt')).body.toString(), 'umlaut')
  t.is((await get('/100%2525.txt')).body.toString(), 'percent')
  t.is((await get('/100%25.txt')).status, 404)
  t.is((await get('/q%3F.txt')).body.toString(), 'question')
  t.is((await get('/plus+.txt?query')).body.toString(), 'plus')
  t.is((await get('/%61%20b.txt')).body.toString(), 'space')
})

testOnBothTwins('dotfiles are not there, but /.well-known/ is', async (t, transfer) => {
  const site = makeSite(t, {
    '.env': 'secret',
    '.git/config': 'secret',
    'a/.b/c': 'secret',
    '.well-known/security.txt': 'contact',
  })
  const { get } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  for (const target of ['/.env', '/.git/config', '/a/.b/c', '/.git', '/%2eenv', '/a/.b/']) {
    t.is((await get(target)).status, 404, target)
  }
  t.is((await get('/.well-known/security.txt')).body.toString(), 'contact')
})

testOnBothTwins('other methods are refused with what is allowed', async (t, transfer) => {
  const site = makeSite(t, { a: 'a' })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': files(site.root) } })
  const client = await connect()
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'BREW']) {
    const reply = await client.ask(request('/a', { 'Content-Length': '0' }, method))
    t.is(reply.status, 405, method)
    t.deepEqual(reply.field('allow')?.split(', ').toSorted(), ['GET', 'HEAD', 'OPTIONS'])
  }
})

test('a route of its own may copy while the gateway does not', async (t) => {
  const content = patternBytes(50_000)
  const site = makeSite(t, { a: content })
  const { get, engineBytes } = await startGateway(t, {
    routes: { '/auto/*': files(site.root), '/copy/*': files(site.root, { transfer: 'copy' }) },
  })
  t.true((await get('/auto/a')).body.equals(content))
  t.true((await get('/copy/a')).body.equals(content))
  await until('both counters', () => Object.keys(engineBytes()).length === 2)
  t.deepEqual(engineBytes(), { sendfile: 50_000, copy: 50_000 })
})
