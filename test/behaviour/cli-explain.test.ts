// sluice explain: the route that wins and why, the file, and the engine, as the gateway would have
// it.

import { utimesSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { sluice } from '../support/command-line.ts'
import { makeSite, patternBytes, type Site } from '../support/site.ts'

const config = `import { defineGateway, files, redirect, respond } from 'sluice'
export default defineGateway({
  routes: {
    '/*': files('site'),
    '/made/*': files('site', { compress: { codings: ['br', 'gzip'], minBytes: 3 } }),
    '/copied/*': files('site', { transfer: 'copy' }),
    '/app/*': files('site', { otherwise: respond(202), cleanUrls: 'redirect', list: true }),
    '/docs/:page': respond(200, 'a page'),
    'GET /docs/intro': respond(200, 'hello'),
    'POST /form': respond(204),
    '*.example.com/*': redirect(308, 'https://example.com$path'),
    'www.example.com/*': redirect(307, 'https://example.com/www?from=$host'),
  },
})
`

function exampleSite(t: ExecutionContext): Site {
  return makeSite(t, {
    'gateway.config.ts': config,
    'site/index.html': '<p>',
    'site/large.bin': patternBytes(100_000),
    'site/folder/page.html': 'x',
    'site/.secret': 'x',
  })
}

/** What is said of a request, by topic. */
async function explained(t: ExecutionContext, { root }: Site, ...words: string[]) {
  const { code, stdout, stderr } = await sluice(t, ['explain', ...words], { cwd: root })
  t.is(code, 0, stderr)
  const [first = '', , ...rows] = stdout.trimEnd().split('\n')
  return { first, rows: rows.map((row) => row.trim().replace(/ {2,}/, ': ')) }
}

test('a small file', async (t) => {
  const site = exampleSite(t)
  const { first, rows } = await explained(t, site, '/')
  t.is(first, 'GET http://localhost/')
  t.deepEqual(rows, [
    `route: '/*': files('${site.path('site')}')`,
    'the only one that takes this request',
    `file: ${site.path('site/index.html')}`,
    'answer: 200, 3 bytes, text/html; charset=utf-8',
    'engine: memory: not larger than transfer.memoryBytes (16kb), so one send is cheapest',
  ])
})

test('encoded files beside a file, and why one is not sent', async (t) => {
  const site = exampleSite(t)
  for (const [ending, bytes] of Object.entries({ br: 'br', zst: 'z', gz: 'gz' })) {
    site.add(`site/folder/page.html.${ending}`, bytes)
  }
  utimesSync(site.path('site/folder/page.html.gz'), 1, 1)
  const { rows } = await explained(t, site, '/folder/page.html')
  const page = site.path('site/folder/page.html')
  t.deepEqual(rows.slice(-3), [
    `variant: zstd, for clients that take it: ${page}.zst, 1 bytes`,
    `variant: br, for clients that take it: ${page}.br, 2 bytes`,
    `not gzip: ${page}.gz is older than the file`,
  ])
})

test('encodings that the gateway makes, and why it makes none', async (t) => {
  const site = exampleSite(t)
  const last = async (path: string) => (await explained(t, site, path)).rows.at(-1)
  const made = 'made in the background after the first request, if it becomes smaller'
  t.is(await last('/made/'), `variant: br, gzip: ${made}`)
  t.is(await last('/made/folder/page.html'), 'not compressed: files of 3b to 32mb are')
  const type = 'its type does not shrink, or it is encoded already'
  t.is(await last('/made/large.bin'), `not compressed: ${type}`)
})

test('a large file, and the same on a route that copies', async (t) => {
  const site = exampleSite(t)
  const sent = await explained(t, site, 'http://localhost:8080/large.bin?x')
  t.regex(
    sent.rows.at(-1) ?? '',
    /^engine: (sendfile: larger than transfer|copy: sendfile is refused)/,
  )
  const copied = await explained(t, site, '/copied/large.bin')
  t.is(copied.rows.at(-1), "engine: copy: the route says transfer: 'copy'")
  t.true(
    copied.rows.includes("before: '/*', because its path has 'copied' where the other has '*'"),
  )
})

test('the most specific route wins, and it is said before which others and why', async (t) => {
  const site = exampleSite(t)
  const { rows } = await explained(t, site, 'http://localhost/docs/intro')
  t.deepEqual(rows.slice(0, 3), [
    "route: 'GET /docs/intro': respond(200)",
    "before: '/docs/:page', because its path has 'intro' where the other has ':page'",
    "before: '/*', because its path has 'docs' where the other has '*'",
  ])
  const host = await explained(t, site, 'www.example.com/a')
  t.deepEqual(host.rows, [
    "route: 'www.example.com/*': redirect(307, 'https://example.com/www?from=$host')",
    "before: '*.example.com/*', because www.example.com is more specific than *.example.com",
    "before: '/*', because it names the host www.example.com",
    'answer: 307 to https://example.com/www?from=$host',
    'engine: memory: the answer was prepared when the gateway started',
  ])
})

test('what is not served, and why not', async (t) => {
  const site = exampleSite(t)
  const last = async (...words: string[]) => (await explained(t, site, ...words)).rows.at(-1)
  t.is(await last('/nothing'), `answer: 404: no file at ${site.path('site/nothing')}`)
  t.is(await last('/.secret'), 'answer: 404: no name that is served')
  t.is(await last('/folder'), 'answer: 301 to the same path with a slash: a directory')
  t.is(await last('/folder/'), `answer: 404: no file at ${site.path('site/folder/index.html')}`)
  t.is(await last('post', '/'), 'answer: 405: files() answers GET, HEAD and OPTIONS')
  t.is(await last('/a%2fb'), 'answer: 404: such a path cannot name a file')
  t.regex((await last('/a/../b')) ?? '', /^answer: 400, before any route/)
  t.regex((await last('DELETE', 'exa"mple/')) ?? '', /^answer: 400, before any route/)
})

test('what takes the place of a file', async (t) => {
  const site = exampleSite(t)
  const last = async (...words: string[]) => (await explained(t, site, ...words)).rows.at(-1)
  t.is(await last('/app/nothing'), 'otherwise: no file: respond(202)')
  t.is(await last('/app/a%2fb'), 'otherwise: no file: respond(202)')
  t.is(await last('POST', '/app/'), 'otherwise: files have no POST: respond(202)')
  t.is(await last('OPTIONS', '/'), 'answer: 204: files() answers GET, HEAD and OPTIONS')
  t.is(await last('/app/folder/'), 'answer: 200, a list of the directory')
  t.is(
    await last('/app/folder/page.html'),
    'answer: 301 to the same path without its last 5 characters',
  )
})

const proxyConfig = `import { defineGateway, files, proxy } from 'sluice'
export default defineGateway({
  upstreams: {
    api: {
      targets: [
        'http://10.0.0.1:3000',
        { url: 'http://localhost:3000', weight: 3 },
        { url: 'unix:app.sock', backup: true },
        'http://no-such-name.invalid',
      ],
      balance: 'hash',
      key: { header: 'X-User' },
      health: { path: '/healthz', interval: '2s' },
    },
    gone: { targets: 'http://no-such-name.invalid' },
  },
  routes: {
    '/api/*': proxy('api', { stripPrefix: '/api', host: 'target' }),
    '/gone': proxy('gone', { transfer: 'copy', rewrite: '/v2$path' }),
    '/*': files('.', { otherwise: proxy('http://127.0.0.1:3000', { host: 'app.test' }) }),
  },
})
`

test('a proxied request: upstream, targets and why others not, what is sent, engine', async (t) => {
  const site = makeSite(t, { 'gateway.config.ts': proxyConfig })
  const { rows } = await explained(t, site, 'http://h/api/users?x=1')
  const local = rows.filter((row) => row.includes('localhost'))
  t.true(local.length > 0)
  for (const row of local)
    t.regex(row, /^target: .* at (127\.0\.0\.1|\[::1\]):3000, weight 3: elig/)
  const others = rows.filter(
    (row) => !row.includes('localhost') && !/^(before|target: .*no-such)/.test(row),
  )
  t.deepEqual(others, [
    "route: '/api/*': proxy('api')",
    "upstream: 'api': hash of the header x-user",
    'target: http://10.0.0.1:3000: eligible',
    `target: unix:${site.path('app.sock')}: a backup, eligible while no other can take requests`,
    'checks: by /healthz every 2s while a gateway runs; none is checked now',
    "sends: GET /users?x=1 (without /api), with the target's own Host",
    'engine: splice for large bodies and chunks, copy for small ones, where that is cheaper',
  ])
  const missing = rows.filter((row) => row.includes('no-such-name'))
  t.regex(
    missing.join(),
    /^target: http:\/\/no-such-name\.invalid: not eligible, does not resolve \(/,
  )
})

test('a proxied request that no target can take', async (t) => {
  const site = makeSite(t, { 'gateway.config.ts': proxyConfig })
  const { rows } = await explained(t, site, 'POST', '/gone')
  t.true(rows.includes('answer: 503: no target can take it'))
  t.true(rows.includes('sends: POST /v2$path (rewrite), with the Host of the client'))
  t.true(rows.includes("engine: copy: the route says transfer: 'copy'"))
})

test('a request that a file does not answer goes on to the application', async (t) => {
  const site = makeSite(t, { 'gateway.config.ts': proxyConfig })
  for (const words of [['/nothing'], ['PUT', '/x']]) {
    const { rows } = await explained(t, site, ...words)
    const about = rows.filter((row) => /^(otherwise|upstream|target|sends)/.test(row))
    const [otherwise, ...rest] = about
    t.regex(otherwise ?? '', /proxy\('http:\/\/127\.0\.0\.1:3000'\)$/)
    t.deepEqual(rest, [
      "upstream: 'http://127.0.0.1:3000': random-two",
      'target: http://127.0.0.1:3000: eligible',
      `sends: ${words.length === 1 ? 'GET' : 'PUT'} ${words.at(-1)}, with Host: app.test`,
    ])
  }
})
