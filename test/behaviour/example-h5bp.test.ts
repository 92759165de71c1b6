// The example that stands for the HTML5 Boilerplate server configurations: the header fields of a
// small set of files, and what is not served.

import { gunzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { loadConfigFile } from '../../src/config/load.ts'
import type { ResolvedConfig } from '../../src/config/resolved.ts'
import { startCore } from '../../src/gateway.ts'
import { RawClient, request } from '../support/client.ts'
import { makeSite, type Site } from '../support/site.ts'
import { inTheBackground, until } from '../support/wait.ts'

const year = 'public, max-age=31536000, immutable'
const none = undefined

/** Content-Type, Cache-Control, whether a document's fields are there, CORS, X-Frame-Options. */
type Row = [string, string | undefined, boolean, (string | undefined)?, string?]

const expected: Record<string, Row> = {
  'index.html': [
    'text/html; charset=utf-8',
    'private, max-age=0, must-revalidate',
    true,
    none,
    'DENY',
  ],
  'main.css': ['text/css; charset=utf-8', year, false],
  'main.js': ['text/javascript; charset=utf-8', year, true],
  'module.mjs': ['text/javascript; charset=utf-8', year, true],
  'data.json': ['application/json; charset=utf-8', 'no-cache', false],
  'data.xml': ['application/xml', 'no-cache', true],
  'feed.atom': ['application/atom+xml', 'public, max-age=3600, stale-while-revalidate=3600', true],
  'site.webmanifest': ['application/manifest+json', 'public, max-age=604800', false],
  'favicon.ico': ['image/vnd.microsoft.icon', 'public, max-age=604800', false, '*'],
  'photo.JPG': ['image/jpeg', year, false, '*'],
  'drawing.svg': ['image/svg+xml', year, true, '*'],
  'font.woff2': ['font/woff2', year, false, '*'],
  'paper.pdf': ['application/pdf', year, true],
  'readme.md': ['text/markdown; charset=utf-8', 'private, max-age=0, must-revalidate', false],
  'archive.unknown': ['application/octet-stream', year, false],
  '.well-known/security.txt': ['text/plain; charset=utf-8', year, false],
}

const hidden = ['.git/config', '.env', 'dump.sql', 'a.bak', 'a.conf', 'a.BAK', 'a~', '#a#', 'x.swp']

async function startExample(site: Site) {
  const file = new URL('../../examples/h5bp.config.ts', import.meta.url).pathname
  const resolved = await loadConfigFile(file)
  const config: ResolvedConfig = {
    ...resolved,
    workers: 1,
    listen: [{ host: '127.0.0.1', port: 0, proxyProtocol: false }],
    routes: resolved.routes.map((route) =>
      route.action.kind === 'files'
        ? { ...route, action: { ...route.action, root: site.root } }
        : route,
    ),
  }
  const quiet = () => {}
  return startCore(config, { debug: quiet, info: quiet, warn: quiet, error: quiet })
}

/** The example on a site, and a client that asks it by names. */
async function serveExample(t: ExecutionContext, site: Site) {
  const gateway = await startExample(site)
  t.teardown(() => gateway.close({ drain: false }))
  const [address] = await gateway.listen()
  const client = await RawClient.connect({ port: address?.kind === 'tcp' ? address.port : 0 })
  t.teardown(() => void client.socket.destroy())
  return (name: string, { Host = 'example.com', ...fields }: Record<string, string> = {}) =>
    client.ask(request(`/${encodeURI(name).replaceAll('#', '%23')}`, { Host, ...fields }))
}

test('the header fields that its files are known for', async (t) => {
  const names = [...Object.keys(expected), ...hidden, '404.html', 'drawing.svgz']
  const site = makeSite(t, Object.fromEntries(names.map((name) => [name, name])))
  const get = await serveExample(t, site)
  for (const [name, [type, cacheControl, isDocument, cors, frames]] of Object.entries(expected)) {
    const { status, body, field } = await get(name)
    t.is(status, 200, name)
    t.is(body.toString(), name)
    t.is(field('content-type'), type, name)
    t.is(field('cache-control'), cacheControl, name)
    t.is(field('access-control-allow-origin'), cors, name)
    t.is(field('x-frame-options'), frames, name)
    t.is(field('x-content-type-options'), 'nosniff', name)
    t.is(field('server'), undefined)
    t.regex(field('strict-transport-security') ?? '', /max-age=16070400/)
    for (const document of ['content-security-policy', 'permissions-policy']) {
      t.is(field(document) !== undefined, isDocument, `${name} ${document}`)
    }
    const refers = isDocument || name.endsWith('.css')
    t.is(field('referrer-policy') !== undefined, refers, `${name} referrer-policy`)
  }
  for (const name of hidden) {
    const reply = await get(name)
    t.is(reply.status, 404, name)
    t.is(reply.body.toString(), '404.html', name)
  }
  t.is((await get('missing')).field('cache-control'), undefined)
  t.is((await get('main.20240131.css')).body.toString(), 'main.css')
  t.is((await get('drawing.svgz')).field('content-encoding'), 'gzip')
  const moved = await get('a/b?c', { Host: 'www.example.com' })
  t.deepEqual([moved.status, moved.field('location')], [301, 'https://example.com/a/b?c'])
  t.is((await get('index.html', { Host: 'other.example' })).status, 404)
})

test('files are sent compressed, by a build step or by the gateway', async (t) => {
  const css = 'main { color: #123456 }\n'.repeat(20)
  const site = makeSite(t, { 'main.css': css, 'main.js': 'plain', 'main.js.br': 'brotli' })
  const get = await serveExample(t, site)
  const before = await get('main.js', { 'Accept-Encoding': 'gzip, br' })
  t.deepEqual([before.field('content-encoding'), before.body.toString()], ['br', 'brotli'])
  const fields = { 'Accept-Encoding': 'gzip' }
  t.is((await get('main.css', fields)).field('vary'), 'Accept-Encoding')
  await until(
    'an encoding',
    async () => {
      const reply = await get('main.css', fields)
      return reply.field('content-encoding') && gunzipSync(reply.body).toString() === css
    },
    inTheBackground,
  )
})
