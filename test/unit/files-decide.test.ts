// Decisions about one path of a files() route, on a pretended disk: statuses, fields, and which
// paths an answer rests on.

import test from 'ava'
import type { ResolvedFiles } from '../../src/config/resolved.ts'
import { decide, type Finding } from '../../src/files/decide.ts'
import { mediaTypeOf } from '../../src/files/media-types.ts'
import { filesRoute } from '../support/files-route.ts'

const route = filesRoute('/site', { index: ['index.html', 'index.htm'], precompressed: false })

const absent: Finding = {
  outcome: 'absent',
  file: 0,
  identity: 0n,
  size: 0,
  mtimeMs: 0,
  error: '',
}
const file = (id: number, rest: Partial<Finding> = {}): Finding => ({
  ...absent,
  outcome: 'file',
  file: id,
  identity: BigInt(id),
  size: 1000,
  ...rest,
})
const directory: Finding = { ...absent, outcome: 'directory', identity: 9n }

function decideOn(
  disk: Record<string, Finding>,
  path: string,
  options: Partial<ResolvedFiles> = {},
) {
  return decide({ ...route, ...options }, path, async ({ path: name }) => disk[name] ?? absent)
}

const restsOn = (decision: Awaited<ReturnType<typeof decide>>) =>
  decision.looks.map(({ path, identity }) => [path, identity])

test('serves a regular file and rests on it alone', async (t) => {
  const decision = await decideOn({ 'docs/a.html': file(3) }, '/docs/a.html')
  t.like(decision, { status: 200, file: 3, body: null, relocation: null, remember: true })
  t.is(
    decision.fields,
    'Content-Type: text/html; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n',
  )
  t.deepEqual(decision.looks, [
    { root: '/site', path: 'docs/a.html', follow: false, list: false, identity: 3n },
  ])
})

test('redirects a directory asked for without its slash', async (t) => {
  const decision = await decideOn({ docs: directory }, '/docs')
  t.like(decision, { status: 301, file: 0, relocation: { drop: 0, add: '/' }, remember: true })
  t.deepEqual(restsOn(decision), [['docs', 9n]])
})

test('the root itself without its slash is a directory', async (t) => {
  const decision = await decideOn({ '': directory }, '')
  t.like(decision, { status: 301, relocation: { drop: 0, add: '/' } })
  t.deepEqual(restsOn(decision), [['', 9n]])
})

test('takes the first index page and rests on the absence of those before it', async (t) => {
  const decision = await decideOn({ 'docs/index.htm': file(4) }, '/docs/')
  t.like(decision, { status: 200, file: 4 })
  t.deepEqual(restsOn(decision), [
    ['docs/index.html', 0n],
    ['docs/index.htm', 4n],
  ])
})

test('an index page does not rest on those after it, nor on its directory', async (t) => {
  const disk = { docs: directory, 'docs/index.html': file(4), 'docs/index.htm': file(5) }
  t.deepEqual(restsOn(await decideOn(disk, '/docs/')), [['docs/index.html', 4n]])
})

test('the index page of the root', async (t) => {
  t.like(await decideOn({ 'index.html': file(1) }, '/'), { status: 200, file: 1 })
})

test('an index name that is a directory does not count', async (t) => {
  const disk = { 'index.html': directory, 'index.htm': file(2) }
  t.like(await decideOn(disk, '/'), { status: 200, file: 2 })
})

test('a directory without an index page is a 404 that rests on every index name', async (t) => {
  const decision = await decideOn({ docs: directory }, '/docs/')
  t.like(decision, { status: 404, remember: true, body: null })
  t.deepEqual(restsOn(decision), [
    ['docs/index.html', 0n],
    ['docs/index.htm', 0n],
  ])
})

test('a file asked for with a slash is a 404', async (t) => {
  t.like(await decideOn({ 'a.html': file(1) }, '/a.html/'), { status: 404, file: 0 })
})

for (const outcome of ['absent', 'refused', 'special'] as const) {
  test(`${outcome} is a 404 that is remembered`, async (t) => {
    const found: Finding = { ...absent, outcome, identity: 7n }
    const decision = await decideOn({ a: found }, '/a')
    t.like(decision, { status: 404, remember: true, file: 0 })
    t.deepEqual(restsOn(decision), [['a', 7n]])
  })
}

test('what the system could not tell is never remembered', async (t) => {
  const failed = (error: string): Finding => ({ ...absent, outcome: 'failed', error })
  for (const path of ['/a', '/a/']) {
    const disk = (error: string) => ({ a: failed(error), 'a/index.html': failed(error) })
    for (const error of ['EMFILE', 'ENFILE', 'ENOMEM']) {
      const decision = await decideOn(disk(error), path)
      t.like(decision, { status: 503, remember: false, fields: 'Retry-After: 1\r\n' })
    }
    t.like(await decideOn(disk('EIO'), path), { status: 500, remember: false, fields: '' })
  }
})

test('names that begin with a dot are a 404 without a look', async (t) => {
  const look = () => Promise.reject(new Error('looked'))
  const hidden = [
    '/.env',
    '/.git/config',
    '/a/.b',
    '/a/.b/',
    '/.',
    '/.well-knownx',
    '/.well-known/.x',
  ]
  for (const path of hidden) {
    const decision = await decide(route, path, look)
    t.like(decision, { status: 404, remember: true }, path)
    t.deepEqual(decision.looks, [])
  }
})

test('dots elsewhere and /.well-known/ are served', async (t) => {
  for (const path of ['/a.b', '/a..', '/.well-known/acme-challenge/x']) {
    t.like(await decideOn({ [path.replace(/^\//, '')]: file(1) }, path), { status: 200 }, path)
  }
  t.like(await decideOn({ '.well-known': directory }, '/.well-known'), { status: 301 })
  t.like(await decideOn({ 'sub/.well-known/x': file(1) }, '/sub/.well-known/x'), { status: 404 })
})

test('dotfiles: true serves them', async (t) => {
  t.like(await decideOn({ '.env': file(1) }, '/.env', { dotfiles: true }), { status: 200, file: 1 })
})

test('fields of the route are on every answer, and replace ours', async (t) => {
  const options = {
    headers: { 'x-content-type-options': 'off', 'X-Own': '1' },
    cacheControl: 'no-cache',
  }
  const served = await decideOn({ a: file(1) }, '/a', options)
  t.is(
    served.fields,
    'Content-Type: application/octet-stream\r\nCache-Control: no-cache\r\n' +
      'x-content-type-options: off\r\nX-Own: 1\r\n',
  )
  const missing = await decideOn({}, '/a', options)
  t.is(missing.fields, 'x-content-type-options: off\r\nX-Own: 1\r\n')
})

test('fields that describe or keep a file are not on an answer without one', async (t) => {
  const headers = {
    'Content-Language': 'de',
    Expires: '0',
    'cache-control': 'immutable',
    'X-Own': '1',
  }
  t.is((await decideOn({}, '/a', { headers })).fields, 'X-Own: 1\r\n')
})

test('rejects when the look does', async (t) => {
  const look = () => Promise.reject(new Error('no core'))
  await t.throwsAsync(decide(route, '/a', look), { message: 'no core' })
})

const types: Record<string, string> = {
  'a.html': 'text/html; charset=utf-8',
  'A.HTML': 'text/html; charset=utf-8',
  'a.css': 'text/css; charset=utf-8',
  'a.js': 'text/javascript; charset=utf-8',
  'a.mjs': 'text/javascript; charset=utf-8',
  'a.txt': 'text/plain; charset=utf-8',
  'a.json': 'application/json',
  'a.map': 'application/json',
  'a.webmanifest': 'application/manifest+json',
  'a.svg': 'image/svg+xml',
  'a.png': 'image/png',
  'a.avif': 'image/avif',
  'a.woff2': 'font/woff2',
  'a.wasm': 'application/wasm',
  'a.pdf': 'application/pdf',
  'a.tar.gz': 'application/gzip',
  'dir.html/a.nonsense': 'application/octet-stream',
  'dir.html/LICENSE': 'application/octet-stream',
  html: 'application/octet-stream',
  '.html': 'application/octet-stream',
  '': 'application/octet-stream',
}

for (const [name, type] of Object.entries(types)) {
  test(`media type of '${name}'`, (t) => t.is(mediaTypeOf(name), type))
}
