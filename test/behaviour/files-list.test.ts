// Lists of directories, on both twins: both forms, order, what is not shown, names that would be
// markup, freshness and bounds.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { files } from '../../src/index.ts'
import type { Reply } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite } from '../support/site.ts'
import { until } from '../support/wait.ts'

const asJson = { Accept: 'application/json' }

function namesIn(reply: Reply): string[] {
  return JSON.parse(reply.body.toString()).entries.map(({ name }: { name: string }) => name)
}

function linksIn(reply: Reply): string[] {
  return [...reply.body.toString().matchAll(/href="([^"]*)"/g)].map(([, href]) => href ?? '')
}

testOnBothTwins('a directory as a page and as JSON', async (t, transfer) => {
  const site = makeSite(t, {
    'docs/a10.txt': 'x'.repeat(2048),
    'docs/a2.txt': 'hello',
    'docs/zoo/x': '',
    'docs/Beta': '',
    'docs/.hidden': '',
    'docs/gone.bak': '',
    'docs/fifo': { fifo: true },
    'docs/inside': { symlink: 'a2.txt' },
    'docs/outside': { symlink: '/etc/passwd' },
    'docs/dangling': { symlink: 'nowhere' },
    'with/index.html': 'index',
  })
  const { get } = await startGateway(t, {
    transfer,
    routes: {
      '/*': files(site.root, { list: true, hide: '*.bak', headers: { 'X-Own': '1' } }),
      '/plain/*': files(site.root),
    },
  })
  const page = await get('/docs/')
  t.is(page.status, 200)
  t.is(page.field('content-type'), 'text/html; charset=utf-8')
  t.is(page.field('vary'), 'Accept')
  t.is(page.field('x-own'), '1')
  t.regex(page.field('content-security-policy') ?? '', /default-src 'none'/)
  t.deepEqual(linksIn(page), ['../', './zoo/', './a2.txt', './a10.txt', './Beta', './inside'])
  t.regex(page.body.toString(), /2\.0 KiB/)
  const json = await get('/docs/', asJson)
  t.is(json.field('content-type'), 'application/json')
  t.is(json.field('vary'), 'Accept')
  t.is(json.field('x-own'), '1')
  const { path, entries, hasMore } = JSON.parse(json.body.toString())
  t.is(path, '/docs/')
  t.false(hasMore)
  t.deepEqual(namesIn(json), ['zoo', 'a2.txt', 'a10.txt', 'Beta', 'inside'])
  t.is(entries[0].type, 'directory')
  const modified = '2020-02-02T02:02:02.000Z'
  t.deepEqual(entries[1], { name: 'a2.txt', type: 'file', size: 5, modified })
  t.is(entries[4].size, 5, 'of what the link leads to')
  t.is((await get('/with/')).body.toString(), 'index')
  t.is((await get('/docs')).field('location'), '/docs/')
  t.is((await get('/')).status, 200)
  t.is((await get('/missing/')).status, 404)
  t.is((await get('/plain/docs/')).status, 404)
})

testOnBothTwins('who gets JSON', async (t, transfer) => {
  const site = makeSite(t, { a: '' })
  const { get } = await startGateway(t, {
    transfer,
    routes: { '/*': files(site.root, { list: true }) },
  })
  const accepts: [string, 'html' | 'json'][] = [
    ['application/json', 'json'],
    ['application/json, text/plain, */*', 'json'],
    ['APPLICATION/JSON;q=0.5', 'json'],
    ['text/html;q=0.4, application/json;q=0.5', 'json'],
    ['application/*', 'json'],
    ['*/*', 'html'],
    ['text/html, application/json', 'html'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'html'],
    ['application/json;q=0', 'html'],
    ['application/json;q=0, */*', 'html'],
    ['application/json;q=2', 'html'],
    ['application/jsonx', 'html'],
    ['', 'html'],
  ]
  for (const [accept, kind] of accepts) {
    t.regex(
      (await get('/', { Accept: accept })).field('content-type') ?? '',
      new RegExp(kind),
      accept,
    )
  }
  t.regex((await get('/')).field('content-type') ?? '', /html/)
})

testOnBothTwins(
  'names that would be markup, and names that say other things',
  async (t, transfer) => {
    const names = [
      '<img src=x onerror=alert(1)>',
      `"quotes" & 'more'`,
      'javascript:alert(1)',
      'a b?c#d%41',
      'ü💡',
      '%2e%2e',
      '..a',
    ]
    const site = makeSite(t, Object.fromEntries(names.map((name) => [`d/${name}`, name])))
    site.add('d/back\\slash', '')
    site.add('d/new\nline', '')
    mkdirSync(Buffer.concat([Buffer.from(site.path('d/')), Buffer.from([0xff, 0x61])]))
    const { get } = await startGateway(t, {
      transfer,
      routes: { '/*': files(site.root, { list: true, dotfiles: true }) },
    })
    const page = await get('/d/')
    t.false(/<img|onerror=alert\(1\)>/.test(page.body.toString()))
    t.deepEqual(
      namesIn(await get('/d/', asJson)).sort(),
      names.filter((n) => !n.startsWith('.')).sort(),
    )
    for (const href of linksIn(page).slice(1)) {
      const target = new URL(href.replaceAll('&#39;', "'"), 'http://test/d/')
      t.is(target.origin, 'http://test', href)
      const reply = await get(target.pathname)
      t.is(reply.status, 200, href)
      t.is(reply.body.toString(), decodeURIComponent(target.pathname.slice(3)), href)
    }
  },
)

testOnBothTwins('a list follows its directory', async (t, transfer) => {
  const site = makeSite(t, { 'd/a': 'a', 'd/b': 'b' })
  const { get } = await startGateway(t, {
    transfer,
    routes: { '/*': files(site.root, { list: true }) },
  })
  const sizes = async () => {
    const { entries } = JSON.parse((await get('/d/', asJson)).body.toString())
    return entries.map(({ name, size }: { name: string; size: number }) => `${name} ${size}`).join()
  }
  t.is(await sizes(), 'a 1,b 1')
  rmSync(site.path('d/a'))
  await until('the absence', async () => (await sizes()) === 'b 1')
  writeFileSync(site.path('d/b'), 'longer')
  await until('the size', async () => (await sizes()) === 'b 6')
  site.add('d/index.html', 'index')
  await until('the index', async () => (await get('/d/')).body.toString() === 'index')
})

test('a list is bounded and says so', async (t) => {
  const site = makeSite(t)
  for (let i = 0; i < 10_001; i++) writeFileSync(site.path(`${i}.txt`), '')
  const { get } = await startGateway(t, { routes: { '/*': files(site.root, { list: true }) } })
  const { entries, hasMore } = JSON.parse((await get('/', asJson)).body.toString())
  t.is(entries.length, 10_000)
  t.true(hasMore)
  t.regex((await get('/')).body.toString(), /there are more/)
})

test('lists count by their size among what is remembered', async (t) => {
  const site = makeSite(t)
  for (let d = 0; d < 10; d++) {
    for (let n = 0; n < 100; n++) site.add(`d${d}/a-name-of-some-length-${n}`, '')
  }
  const { get, gateway } = await startGateway(t, {
    cache: { answers: 100 },
    routes: { '/*': files(site.root, { list: true }) },
  })
  let bytes = 0
  for (let d = 0; d < 10; d++) {
    bytes += (await get(`/d${d}/`)).body.length + (await get(`/d${d}/`, asJson)).body.length
  }
  t.true(bytes > 2 * 100 * 1024)
  const { answers, evictedAnswers } = gateway.stats().cache
  t.true(answers > 0 && answers < 6, `${answers} lists of ${bytes / 10} bytes`)
  t.true(evictedAnswers > 0)
  await until('the worker to forget', () => gateway.stats().total.answers <= answers)
})
