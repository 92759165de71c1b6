// Changes that inotify tells: once the core has counted one, no worker serves what was there
// before. No test waits for the second after which everything is looked at again: what is watched
// is believed for longer, so these tests would fail without inotify.

import { execFile } from 'node:child_process'
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'
import { files } from '../../src/index.ts'
import { RawClient, request } from '../support/client.ts'
import { type RunningGateway, startGateway, testOnBothTwins } from '../support/gateway.ts'
import { runProgram } from '../support/program.ts'
import { makeSite, patternBytes, type Site } from '../support/site.ts'
import { until } from '../support/wait.ts'

const large = 100_000

/** 'name' → content that is expected; null: 404. */
type Expected = Record<string, string | Buffer | null>

/** On several connections, so that every worker is asked. */
async function expectAll(t: ExecutionContext, { get }: RunningGateway, expected: Expected) {
  for (const [name, body] of Object.entries(expected)) {
    const replies = await Promise.all(Array.from({ length: 8 }, () => get(`/${name}`)))
    for (const reply of replies) {
      t.is(reply.status, body === null ? 404 : 200, name)
      if (body !== null) t.true(reply.body.equals(Buffer.from(body)), name)
    }
  }
}

/** Makes a change, waits until inotify told at least `paths` changed paths, and looks once. */
async function change(
  t: ExecutionContext,
  running: RunningGateway,
  act: () => void,
  expected: Expected,
  paths = 1,
): Promise<void> {
  const before = running.gateway.stats().watched.changes
  act()
  await until('inotify to tell', () => running.gateway.stats().watched.changes >= before + paths)
  await expectAll(t, running, expected)
}

async function serve(t: ExecutionContext, transfer: 'auto' | 'copy', site: Site, root = site.root) {
  const running = await startGateway(t, { workers: 3, transfer, routes: { '/*': files(root) } })
  return { running, changed: change.bind(null, t, running) }
}

for (const size of [100, large]) {
  testOnBothTwins(`a file of ${size} bytes, in every way it can change`, async (t, transfer) => {
    const site = makeSite(t, { 'in/a': patternBytes(size), 'in/b': Buffer.alloc(size, 'b') })
    const { running, changed } = await serve(t, transfer, site)
    const a = site.path('in/a')
    await expectAll(t, running, { 'in/a': patternBytes(size) })
    const over = Buffer.alloc(size, 'x')
    await changed(() => writeFileSync(a, over), { 'in/a': over })
    await changed(() => appendFileSync(a, 'more'), {
      'in/a': Buffer.concat([over, Buffer.from('more')]),
    })
    await changed(() => truncateSync(a, size / 2), { 'in/a': over.subarray(0, size / 2) })
    await changed(() => renameSync(site.path('in/b'), a), { 'in/a': Buffer.alloc(size, 'b') })
    await changed(() => unlinkSync(a), { 'in/a': null })
    await changed(() => writeFileSync(a, 'back'), { 'in/a': 'back' })
    await changed(() => rmSync(site.path('in'), { recursive: true }), { 'in/a': null })
    await changed(() => site.add('in/a', 'again'), { 'in/a': 'again' })
  })
}

testOnBothTwins('a directory is moved away and another put in its place', async (t, transfer) => {
  const site = makeSite(t, { 'x/deep/a': 'one', 'y/deep/a': 'two', 'x/b': 'b' })
  const { running, changed } = await serve(t, transfer, site)
  await expectAll(t, running, { 'x/deep/a': 'one', 'x/b': 'b' })
  await changed(
    () => {
      renameSync(site.path('x'), site.path('old'))
      renameSync(site.path('y'), site.path('x'))
    },
    { 'x/deep/a': 'two', 'x/b': null, 'old/deep/a': 'one' },
    2,
  )
  await changed(() => writeFileSync(site.path('x/deep/a'), 'three'), { 'x/deep/a': 'three' })
})

testOnBothTwins('a directory becomes a link, and the link is swapped', async (t, transfer) => {
  const site = makeSite(t, { 'v1/a': 'one', 'v2/a': 'two', 'v3/a': 'three', 'app/a': 'zero' })
  site.add('link2', { symlink: 'v2' })
  site.add('link3', { symlink: 'v3' })
  const { running, changed } = await serve(t, transfer, site)
  await expectAll(t, running, { 'app/a': 'zero' })
  await changed(
    () => {
      rmSync(site.path('app'), { recursive: true })
      renameSync(site.path('link2'), site.path('app'))
    },
    { 'app/a': 'two' },
  )
  await changed(() => writeFileSync(site.path('v2/a'), 'written'), { 'app/a': 'written' })
  await changed(() => renameSync(site.path('link3'), site.path('app')), { 'app/a': 'three' })
})

testOnBothTwins('a root that is a link, and one that is not there yet', async (t, transfer) => {
  const site = makeSite(t, { 'r1/a': 'one', 'r2/a': 'two' })
  site.add('way/current', { symlink: '../r1' })
  site.add('next', { symlink: '../r2' })
  const { running, changed } = await serve(t, transfer, site, site.path('way/current'))
  await expectAll(t, running, { a: 'one' })
  await changed(() => renameSync(site.path('next'), site.path('way/current')), { a: 'two' })
  await changed(() => rmSync(site.path('r2'), { recursive: true }), { a: null })
  await changed(() => site.add('r2/a', 'new'), { a: 'new' })
})

testOnBothTwins('what was absent appears, however deep', async (t, transfer) => {
  const site = makeSite(t, { 'docs/a': 'a' })
  const { running, changed } = await serve(t, transfer, site)
  await expectAll(t, running, { 'docs/': null, 'new/deep/file': null })
  await changed(() => site.add('docs/index.html', 'index'), { 'docs/': 'index' })
  await changed(() => site.add('new/deep/file', 'deep'), { 'new/deep/file': 'deep' })
})

testOnBothTwins('a file with two names is looked at again', async (t, transfer) => {
  const site = makeSite(t, { 'in/a': 'before' })
  mkdirSync(site.path('elsewhere'))
  linkSync(site.path('in/a'), site.path('elsewhere/b'))
  const { running } = await serve(t, transfer, site)
  await expectAll(t, running, { 'in/a': 'before' })
  writeFileSync(site.path('elsewhere/b'), 'after it')
  await until('the new content', async () => {
    const reply = await running.get('/in/a').catch(() => undefined)
    return reply?.body.toString() === 'after it'
  })
  t.pass()
})

testOnBothTwins('many files at once: the queue of events overflows', async (t, transfer) => {
  const site = makeSite(t, { 'in/a': 'before' })
  const { running } = await serve(t, transfer, site)
  await expectAll(t, running, { 'in/a': 'before' })
  // The kernel keeps 16,384 by default; the thread that reads them may keep up, which is as good.
  // Not in this process, where every other test would wait for a slow disk.
  const busy = `const { writeFileSync, unlinkSync } = require('node:fs')
    for (let n = 0; n < 10_000; n++) {
      writeFileSync(process.argv[1], '')
      unlinkSync(process.argv[1])
    }`
  await promisify(execFile)(process.execPath, ['-e', busy, site.path('in/b')])
  await change(t, running, () => writeFileSync(site.path('in/a'), 'after'), { 'in/a': 'after' }, 0)
})

testOnBothTwins('the main thread is blocked', async (t, transfer) => {
  const site = makeSite(t, { 'in/a': 'before', 'in/b': 'remembered' })
  const flag = (name: string) => JSON.stringify(site.path(name))
  const { line } = runProgram(
    t,
    `const routes = { '/*': files(${JSON.stringify(site.path('in'))}) }
     const config = { listen: 0, workers: 1, transfer: '${transfer}', routes }
     const gateway = await createGateway(config)
     const [{ port }] = await gateway.listen()
     console.log(port)
     while (!existsSync(${flag('block')})) await new Promise((next) => setTimeout(next, 5))
     console.log('blocked')
     const nothing = new Int32Array(new SharedArrayBuffer(4))
     while (!existsSync(${flag('go')})) Atomics.wait(nothing, 0, 0, 5)`,
  )
  const port = Number(await line())
  const asking = await RawClient.connect({ port })
  const steady = await RawClient.connect({ port })
  t.teardown(() => void [asking, steady].map(({ socket }) => socket.destroy()))
  t.is((await asking.ask(request('/a'))).body.toString(), 'before')
  t.is((await steady.ask(request('/b'))).body.toString(), 'remembered')
  writeFileSync(site.path('block'), '')
  t.is(await line(), 'blocked')
  // By another file in its place: one that is written over shows some of both on the way.
  writeFileSync(site.path('in/next'), 'after')
  renameSync(site.path('in/next'), site.path('in/a'))
  // The old content until the kernel has told; then nothing, since nobody decides.
  const seen: string[] = []
  const reading = (async () => {
    while (seen.at(-1) !== 'after') seen.push((await asking.ask(request('/a'))).body.toString())
  })()
  await until('an end of the old content', async () => {
    const before = seen.length
    for (let n = 0; n < 50; n++) {
      t.is((await steady.ask(request('/b'))).body.toString(), 'remembered')
    }
    return seen.length === before
  })
  t.false(seen.includes('after'))
  writeFileSync(site.path('go'), '')
  await reading
  t.deepEqual(
    seen.filter((body) => body !== 'before'),
    ['after'],
  )
})
