// Which encoded files beside a file are sent in its place, on a pretended disk.

import test from 'ava'
import type { FilesOptions } from '../../src/config/options.ts'
import { decide, type Finding } from '../../src/files/decide.ts'
import { filesRoute } from '../support/files-route.ts'

const absent: Finding = {
  outcome: 'absent',
  file: 0,
  identity: 0n,
  size: 0,
  mtimeMs: 0,
  error: '',
}

const file = (id: number, size: number, mtimeMs = 1000): Finding => {
  return { ...absent, outcome: 'file', file: id, identity: BigInt(id), size, mtimeMs }
}

/** What is decided about `path`, and the names that were looked at. */
async function decideOn(disk: Record<string, Finding>, path: string, options: FilesOptions = {}) {
  const looked: string[] = []
  const decision = await decide(filesRoute('/site', options), path, async ({ path: name }) => {
    looked.push(name)
    return disk[name] ?? absent
  })
  return { decision, looked, vary: /^Vary: (.*)\r$/im.exec(decision.fields)?.[1] }
}

test('sidecars are variants, the smallest first; the answer rests on all of them', async (t) => {
  const disk = { 'a.js': file(1, 900), 'a.js.br': file(2, 500), 'a.js.gz': file(3, 400) }
  const { decision, vary } = await decideOn(disk, '/a.js')
  t.like(decision, { status: 200, file: 1, remember: true })
  t.deepEqual(decision.variants, [
    { coding: 'gzip', file: 3 },
    { coding: 'br', file: 2 },
  ])
  t.deepEqual(
    decision.looks.map(({ path, identity }) => [path, identity]),
    [
      ['a.js', 1n],
      ['a.js.br', 2n],
      ['a.js.zst', 0n],
      ['a.js.gz', 3n],
    ],
  )
  t.is(vary, 'Accept-Encoding')
})

test('at the same size br comes before zstd before gzip', async (t) => {
  const sidecars = { 'a.css.gz': file(2, 5), 'a.css.zst': file(3, 5), 'a.css.br': file(4, 5) }
  const { decision } = await decideOn({ 'a.css': file(1, 9), ...sidecars }, '/a.css')
  t.deepEqual(
    decision.variants.map(({ coding }) => coding),
    ['br', 'zstd', 'gzip'],
  )
})

test('a sidecar that is older than its file, empty or no regular file is not sent', async (t) => {
  const flawed = {
    older: file(2, 5, 999),
    empty: file(2, 0),
    directory: { ...absent, outcome: 'directory' as const, identity: 5n },
    absent,
  }
  for (const [name, found] of Object.entries(flawed)) {
    const { decision, vary } = await decideOn({ 'a.js': file(1, 9), 'a.js.br': found }, '/a.js')
    t.deepEqual(decision.variants, [], name)
    t.is(decision.looks.length, 4, name)
    t.is(vary, undefined, name)
  }
  const { decision } = await decideOn({ 'a.js': file(1, 9), 'a.js.br': file(2, 5, 1000) }, '/a.js')
  t.is(decision.variants.length, 1)
})

test('a sidecar of which the system cannot tell: the answer is not remembered', async (t) => {
  const failed: Finding = { ...absent, outcome: 'failed', error: 'EMFILE' }
  const disk = { 'a.js': file(1, 9), 'a.js.br': failed, 'a.js.gz': file(3, 5) }
  const { decision } = await decideOn(disk, '/a.js')
  t.like(decision, { status: 200, file: 1, remember: false })
  t.deepEqual(decision.variants, [{ coding: 'gzip', file: 3 }])
})

test('no sidecars of what does not shrink or is encoded, nor when told so', async (t) => {
  const cases: [string, FilesOptions][] = [
    ['a.png', {}],
    ['a.bin', {}],
    ['a', {}],
    ['a.svgz', { headers: { '*.svgz': { 'Content-Encoding': 'gzip' } } }],
    ['a.js', { headers: { 'Content-Type': 'image/png' } }],
    ['a.js', { precompressed: false }],
  ]
  for (const [name, options] of cases) {
    const { looked } = await decideOn({ [name]: file(1, 9) }, `/${name}`, options)
    t.deepEqual(looked, [name])
  }
  const typed = { headers: { '*.bin': { 'Content-Type': 'Text/CSV; header=present' } } }
  t.is((await decideOn({ 'a.bin': file(1, 9) }, '/a.bin', typed)).looked.length, 4)
})

test('hidden names are no sidecars', async (t) => {
  const disk = { 'a.js': file(1, 9), 'a.js.gz': file(2, 5), 'a.js.br': file(3, 5) }
  const { decision, looked } = await decideOn(disk, '/a.js', { hide: '*.gz' })
  t.deepEqual(decision.variants, [{ coding: 'br', file: 3 }])
  t.false(looked.includes('a.js.gz'))
})

test('index pages, clean URLs, fallbacks and error pages have variants too', async (t) => {
  const page = { 'p.html': file(1, 9), 'p.html.gz': file(2, 5) }
  const variants = [{ coding: 'gzip' as const, file: 2 }]
  const cases: [string, FilesOptions, number][] = [
    ['/', { index: 'p.html' }, 200],
    ['/p', { cleanUrls: true }, 200],
    ['/somewhere', { fallback: 'p.html' }, 200],
    ['/missing.txt', { errors: { 404: 'p.html' } }, 404],
  ]
  for (const [path, options, status] of cases) {
    const { decision, vary } = await decideOn(page, path, options)
    t.like(decision, { status, file: 1, variants })
    t.is(vary, 'Accept-Encoding')
  }
})

test('Vary joins what the route varies by itself', async (t) => {
  const disk = { 'a.js': file(1, 9), 'a.js.br': file(2, 5) }
  for (const [own, joined] of [
    ['Origin', 'Origin, Accept-Encoding'],
    ['Origin , ACCEPT-Encoding', 'Origin , ACCEPT-Encoding'],
    ['*', '*'],
  ] as const) {
    t.is((await decideOn(disk, '/a.js', { headers: { Vary: own } })).vary, joined)
  }
})
