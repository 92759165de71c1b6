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
