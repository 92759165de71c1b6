// files() as a site wants it, on both twins: fallbacks, other actions, clean URLs, error pages,
// fields by pattern, hidden names.

import { renameSync, utimesSync, writeFileSync } from 'node:fs'
import { files, redirect, respond } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { until } from '../support/wait.ts'

testOnBothTwins('a fallback answers for pages, not for missing assets', async (t, transfer) => {
  const site = makeSite(t, { 'index.html': 'app', 'a/b.js': 'script' })
  const { get } = await startGateway(t, {
    transfer,
    routes: { '/*': files(site.root, { fallback: 'index.html' }) },
  })
  for (const target of ['/', '/users/7', '/users/7/', '/a/', '/a/b/c?d=e.f']) {
    const reply = await get(target)
    t.is(reply.status, 200, target)
    t.is(reply.body.toString(), 'app', target)
    t.is(reply.field('content-type'), 'text/html; charset=utf-8', target)
  }
  t.is((await get('/a/b.js')).body.toString(), 'script')
  for (const target of ['/a/c.js', '/.git', '/x/.env', '/a//b', '/%ff', '/a%5cb']) {
    t.is((await get(target)).status, 404, target)
  }
  const again = await get('/users/8', {
    'If-None-Match': (await get('/users/7')).field('etag') ?? '',
  })
  t.is(again.status, 304)
})

testOnBothTwins('a fallback that is not there is a 404 until it is', async (t, transfer) => {
  const site = makeSite(t, { other: '' })
  const routes = { '/*': files(site.root, { fallback: 'app/index.html' }) }
  const { get } = await startGateway(t, { transfer, routes })
  t.is((await get('/users')).status, 404)
  site.add('app/index.html', 'here')
  await until('the fallback', async () => (await get('/users')).body.toString() === 'here')
})

testOnBothTwins('otherwise: another action takes what has no file', async (t, transfer) => {
  const site = makeSite(t, { 'index.html': 'home', 'a.txt': 'a' })
  const { get, connect } = await startGateway(t, {
    transfer,
    routes: {
      '/app/*': files(site.root, { otherwise: respond(202, { from: 'the application' }) }),
      '/old/*': files(site.root, { otherwise: redirect(307, '/new$rest') }),
    },
  })
  t.is((await get('/app/')).body.toString(), 'home')
  t.is((await get('/app/a.txt')).body.toString(), 'a')
  for (const target of ['/app/b', '/app/b.js', '/app/a//b', '/app/%ff', '/app/.env']) {
    const reply = await get(target)
    t.is(reply.status, 202, target)
    t.is(reply.field('content-type'), 'application/json')
  }
  const client = await connect()
  for (const method of ['POST', 'OPTIONS', 'DELETE']) {
    t.is((await client.ask(request('/app/a.txt', {}, method))).status, 202, method)
  }
  t.is((await get('/old/x/y?q=1')).field('location'), '/new/x/y?q=1')
  t.is((await get('/old/a.txt')).status, 200)
  site.add('b.js', 'new')
  await until('the new file', async () => (await get('/app/b.js')).body.toString() === 'new')
})

testOnBothTwins('clean URLs', async (t, transfer) => {
  const site = makeSite(t, {
    'index.html': 'home',
    'about.html': 'about',
    'both.html': 'page',
    'both/index.html': 'folder',
    'docs/index.html': 'docs',
    'file.html': 'page',
    file: 'file',
    'ü.html': 'umlaut',
    'ü/début.html': 'beginning',
  })
  const { get } = await startGateway(t, {
    transfer,
    routes: {
      '/*': files(site.root, { cleanUrls: true }),
      '/strict/*': files(site.root, { cleanUrls: 'redirect' }),
      '/other/*': files(site.root, { cleanUrls: 'redirect', index: 'début.html' }),
    },
  })
  t.is((await get('/about')).body.toString(), 'about')
  t.is((await get('/about')).field('content-type'), 'text/html; charset=utf-8')
  t.is((await get('/about.html')).body.toString(), 'about')
  t.is((await get('/both')).body.toString(), 'page')
  t.is((await get('/both/')).body.toString(), 'folder')
  t.is((await get('/docs')).field('location'), '/docs/')
  t.is((await get('/about/?q')).field('location'), '/about?q')
  t.is((await get('/missing')).status, 404)
  const leads: Record<string, string> = {
    '/strict/about.html': '/strict/about',
    '/strict/about.html?a=b&c': '/strict/about?a=b&c',
    '/strict/about%2Ehtml': '/strict/about',
    '/strict/%C3%BC.html': '/strict/%C3%BC',
    '/strict/docs/index.html': '/strict/docs/',
    '/strict/index.html': '/strict/',
    '/strict/docs/%69ndex.htm%6c?q': '/strict/docs/?q',
  }
  for (const [target, location] of Object.entries(leads)) {
    const reply = await get(target)
    t.is(reply.status, 301, target)
    t.is(reply.field('location'), location, target)
    t.is((await get(location)).status, 200, location)
  }
  const elsewhere = await get('/other/%C3%BC/d%C3%A9but.html?q')
  t.is(elsewhere.field('location'), '/other/%C3%BC/?q', 'an index page with a name of its own')
  t.is((await get('/strict/file.html')).body.toString(), 'page', 'its clean URL is another file')
  t.is((await get('/strict/file')).body.toString(), 'file')
})

testOnBothTwins('pages for errors', async (t, transfer) => {
  const page = `<h1>not here</h1>${patternBytes(40_000).toString('hex')}`
  const site = makeSite(t, { '404.html': page, 'a.txt': 'a' })
  const { get, connect } = await startGateway(t, {
    transfer,
    routes: {
      '/*': files(site.root, {
        errors: { 404: '404.html' },
        cacheControl: 'max-age=60',
        headers: { 'X-Own': '1', '*.html': { 'X-Frame-Options': 'DENY' } },
      }),
    },
  })
  for (const target of ['/missing', '/a/b.js', '/.env', '/a//b', '/%00', '/a.txt/']) {
    const reply = await get(target)
    t.is(reply.status, 404, target)
    t.is(reply.body.toString(), page, target)
    t.is(reply.field('content-type'), 'text/html; charset=utf-8')
    t.is(reply.field('x-own'), '1')
    t.is(reply.field('x-frame-options'), 'DENY')
    for (const name of ['cache-control', 'etag', 'last-modified', 'accept-ranges']) {
      t.is(reply.field(name), undefined, name)
    }
  }
  const client = await connect()
  const head = await client.ask(request('/missing', {}, 'HEAD'))
  t.is(head.field('content-length'), String(page.length))
  t.is((await client.ask(request('/missing', { Range: 'bytes=0-1' }))).status, 404)
  t.is((await client.ask(request('/missing', { 'If-None-Match': '*' }))).status, 404)
  t.is((await client.ask(request('/404.html'))).status, 200, 'a file like others')
  writeFileSync(site.path('new'), 'changed')
  renameSync(site.path('new'), site.path('404.html'))
  await until('the new page', async () => (await get('/missing')).body.toString() === 'changed')
})

testOnBothTwins('an error page that is not there is no page', async (t, transfer) => {
  const site = makeSite(t, { '404.html': { directory: true } })
  const routes = { '/*': files(site.root, { errors: { 404: '404.html' } }) }
  const { get } = await startGateway(t, { transfer, routes })
  t.is((await get('/missing')).body.toString(), '404 Not Found\n')
})

testOnBothTwins(
  'fields by pattern: hashed assets stay, pages are asked again',
  async (t, transfer) => {
    const site = makeSite(t, {
      'index.html': '',
      'docs/index.html': '',
      'assets/app.3f9a2c1b.js': '',
      'assets/app-B7kQ9x2Z.css': '',
      'assets/app.js': '',
      'report-20240131.pdf': '',
      'bootstrap-datepicker.js': '',
    })
    const { get } = await startGateway(t, {
      transfer,
      routes: {
        '/*': files(site.root, {
          cacheControl: { '*[hash].*': 'max-age=31536000, immutable', '*.html': 'no-cache' },
          headers: {
            'X-All': 'a',
            '*.{html,js}': { 'X-Some': 's', 'X-All': 'b' },
            '/assets/*': { 'X-Assets': 'yes', 'x-content-type-options': 'off' },
          },
        }),
      },
    })
    const kept = 'max-age=31536000, immutable'
    const expected: Record<string, (string | undefined)[]> = {
      '/': ['no-cache', 'b', 's', undefined],
      '/docs/': ['no-cache', 'b', 's', undefined],
      '/assets/app.3f9a2c1b.js': [kept, 'b', 's', 'yes'],
      '/assets/app-B7kQ9x2Z.css': [kept, 'a', undefined, 'yes'],
      '/assets/app.js': [undefined, 'b', 's', 'yes'],
      '/report-20240131.pdf': [undefined, 'a', undefined, undefined],
      '/bootstrap-datepicker.js': [undefined, 'b', 's', undefined],
      '/missing.html': [undefined, 'a', undefined, undefined],
    }
    for (const [target, values] of Object.entries(expected)) {
      const { field } = await get(target)
      t.deepEqual(['cache-control', 'x-all', 'x-some', 'x-assets'].map(field), values, target)
    }
    t.is((await get('/assets/app.js')).field('x-content-type-options'), 'off')
  },
)

testOnBothTwins('hidden names are not there', async (t, transfer) => {
  const site = makeSite(t, {
    'a.txt': 'a',
    'a.BAK': '',
    'a~': '',
    '#a#': '',
    'secret/a.txt': '',
    'node_modules/x/a.js': '',
    'x/node_modules': '',
    'page.sql.html': '',
  })
  const { get } = await startGateway(t, {
    transfer,
    routes: {
      '/*': files(site.root, {
        hide: ['*.{bak,sql.html}', '*~', '#*#', '/secret/*', 'node_modules'],
        cleanUrls: true,
        fallback: 'a.txt',
      }),
    },
  })
  const hidden = ['/a.bak', '/a.BAK', '/a~', '/%23a%23', '/secret/a.txt', '/node_modules/x/a.js']
  for (const target of [...hidden, '/x/node_modules', '/node_modules/', '/page.sql']) {
    t.is((await get(target)).status, 404, target)
  }
  t.is((await get('/a.txt')).status, 200)
})

testOnBothTwins('a version in a name', async (t, transfer) => {
  const site = makeSite(t, { 'a/style.css': 'plain', 'b.v1.css': 'own', 'c.html': '' })
  const routes = { '/*': files(site.root, { cacheBusting: ['*.css'] }) }
  const { get } = await startGateway(t, { transfer, routes })
  t.is((await get('/a/style.1f3b.css')).body.toString(), 'plain')
  t.is((await get('/b.v1.css')).body.toString(), 'own')
  t.is((await get('/a/style.1.2.css')).status, 404)
  t.is((await get('/c.1.html')).status, 404)
})

testOnBothTwins('OPTIONS says what a file can do', async (t, transfer) => {
  const site = makeSite(t, { a: 'a' })
  const headers = { 'Access-Control-Allow-Origin': '*', 'Content-Language': 'de' }
  const routes = { '/*': files(site.root, { headers }) }
  const { connect, gateway } = await startGateway(t, { transfer, routes })
  const client = await connect()
  for (const target of ['/a', '/missing', '/']) {
    const reply = await client.ask(request(target, {}, 'OPTIONS'))
    t.is(reply.status, 204)
    t.is(reply.field('allow'), 'GET, HEAD, OPTIONS')
    t.is(reply.field('access-control-allow-origin'), '*')
    t.is(reply.field('content-language'), undefined)
    t.is(reply.field('content-length'), undefined)
  }
  const body = `${request('/a', { 'Content-Length': '2' }, 'OPTIONS')}{}`
  t.is((await client.ask(body)).status, 204)
  t.is((await client.ask(request('/a'))).body.toString(), 'a')
  t.is(gateway.stats().total.statuses['204'], 4)
})

testOnBothTwins('symlinks: follow', async (t, transfer) => {
  const site = makeSite(t, {
    'outside/file': 'outside',
    'public/link': { symlink: '../outside/file' },
    'public/folder': { symlink: '../outside' },
    'public/process': { symlink: '/proc/self/fd/0' },
  })
  site.add('public/absolute', { symlink: site.path('outside/file') })
  const { get } = await startGateway(t, {
    transfer,
    routes: {
      '/*': files(site.path('public'), { symlinks: 'follow' }),
      '/inside/*': files(site.path('public')),
    },
  })
  for (const name of ['link', 'folder/file', 'absolute']) {
    t.is((await get(`/${name}`)).body.toString(), 'outside', name)
    t.is((await get(`/inside/${name}`)).status, 404, name)
  }
  t.is((await get('/process')).status, 404)
  t.is((await get('/../outside/file')).status, 400)
  writeFileSync(site.path('outside/file'), 'changed')
  const past = new Date(0)
  utimesSync(site.path('outside/file'), past, past)
  await until('the change', async () => (await get('/link')).body.toString() === 'changed')
})
