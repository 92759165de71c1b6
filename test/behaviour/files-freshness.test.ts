// What changes on disk is seen, though answers are remembered: new content, replacement,
// truncation, deletion, appearance, and a root that is swapped. On both twins. Tests wait for the
// change to be seen; how soon is said by core/limits.h.

import { renameSync, rmSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { files } from '../../src/index.ts'
import { type Reply, request } from '../support/client.ts'
import { type RunningGateway, startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { until } from '../support/wait.ts'

const small = 100
const large = 100_000

function serve(root: string, transfer: 'auto' | 'copy') {
  return { workers: 2, transfer, routes: { '/*': files(root) } } as const
}

/** Several connections, so that every worker has the answer. */
async function warm({ get }: RunningGateway, target: string): Promise<void> {
  for (let n = 0; n < 8; n++) await get(target)
}

/**
 * Asks on several connections; undefined for one that was cut off: a file that became shorter while
 * it was remembered is never padded, so the connection ends before the length that was promised.
 */
function askAll({ get }: RunningGateway, target: string): Promise<(Reply | undefined)[]> {
  return Promise.all(Array.from({ length: 8 }, () => get(target).catch(() => undefined)))
}

/** Waits until every one of several connections sees `body`. */
async function seen(running: RunningGateway, target: string, body: Uint8Array): Promise<void> {
  await until(`new content of ${target}`, async () => {
    const replies = await askAll(running, target)
    return replies.every((reply) => reply?.status === 200 && reply.body.equals(body))
  })
}

async function seenStatus(running: RunningGateway, target: string, status: number): Promise<void> {
  await until(`${status} for ${target}`, async () => {
    const replies = await askAll(running, target)
    return replies.every((reply) => reply?.status === status)
  })
}

for (const size of [small, large]) {
  testOnBothTwins(`a file of ${size} bytes is written over`, async (t, transfer) => {
    const site = makeSite(t, { a: patternBytes(size) })
    const running = await startGateway(t, serve(site.root, transfer))
    await warm(running, '/a')
    const changed = Buffer.alloc(size, 'x')
    writeFileSync(site.path('a'), changed)
    await seen(running, '/a', changed)
    writeFileSync(site.path('a'), 'shorter')
    await seen(running, '/a', Buffer.from('shorter'))
    t.pass()
  })

  testOnBothTwins(`a file of ${size} bytes is replaced`, async (t, transfer) => {
    const site = makeSite(t, { a: patternBytes(size), b: Buffer.alloc(size, 'b') })
    const running = await startGateway(t, serve(site.root, transfer))
    await warm(running, '/a')
    renameSync(site.path('b'), site.path('a'))
    await seen(running, '/a', Buffer.alloc(size, 'b'))
    t.pass()
  })

  testOnBothTwins(`a file of ${size} bytes is deleted and comes back`, async (t, transfer) => {
    const site = makeSite(t, { a: patternBytes(size) })
    const running = await startGateway(t, serve(site.root, transfer))
    await warm(running, '/a')
    unlinkSync(site.path('a'))
    await seenStatus(running, '/a', 404)
    writeFileSync(site.path('a'), 'back')
    await seen(running, '/a', Buffer.from('back'))
    t.pass()
  })

  testOnBothTwins(`a file of ${size} bytes is cut short`, async (t, transfer) => {
    const site = makeSite(t, { a: patternBytes(size) })
    const running = await startGateway(t, serve(site.root, transfer))
    await warm(running, '/a')
    truncateSync(site.path('a'), size / 2)
    await seen(running, '/a', patternBytes(size).subarray(0, size / 2))
    t.pass()
  })
}

testOnBothTwins('what was absent appears', async (t, transfer) => {
  const site = makeSite(t, { 'docs/a': 'a' })
  const running = await startGateway(t, serve(site.root, transfer))
  await warm(running, '/docs/')
  await warm(running, '/new/deep/file')
  site.add('docs/index.html', 'index')
  site.add('new/deep/file', 'deep')
  await seen(running, '/docs/', Buffer.from('index'))
  await seen(running, '/new/deep/file', Buffer.from('deep'))
  t.pass()
})

testOnBothTwins(
  'an index page that comes first wins over one that was served',
  async (t, transfer) => {
    const site = makeSite(t, { 'index.htm': 'second' })
    const config = { ...serve(site.root, transfer) }
    const routes = { '/*': files(site.root, { index: ['index.html', 'index.htm'] }) }
    const running = await startGateway(t, { ...config, routes })
    await seen(running, '/', Buffer.from('second'))
    site.add('index.html', 'first')
    await seen(running, '/', Buffer.from('first'))
    rmSync(site.path('index.html'))
    await seen(running, '/', Buffer.from('second'))
    t.pass()
  },
)

testOnBothTwins('a directory becomes a file and a file a directory', async (t, transfer) => {
  const site = makeSite(t, { 'a/index.html': 'index', b: 'file' })
  const running = await startGateway(t, serve(site.root, transfer))
  await seenStatus(running, '/a', 301)
  await seen(running, '/b', Buffer.from('file'))
  rmSync(site.path('a'), { recursive: true })
  rmSync(site.path('b'))
  site.add('a', 'file now')
  site.add('b/index.html', 'index now')
  await seen(running, '/a', Buffer.from('file now'))
  await seenStatus(running, '/b', 301)
  await seen(running, '/b/', Buffer.from('index now'))
  t.pass()
})

testOnBothTwins('a root that is a link is followed anew', async (t, transfer) => {
  const site = makeSite(t, {
    'release-1/index.html': 'one',
    'release-2/index.html': 'two',
    current: { symlink: 'release-1' },
    next: { symlink: 'release-2' },
  })
  const running = await startGateway(t, serve(site.path('current'), transfer))
  await seen(running, '/', Buffer.from('one'))
  renameSync(site.path('next'), site.path('current'))
  await seen(running, '/', Buffer.from('two'))
  t.pass()
})

testOnBothTwins('a file cut short while it is sent closes the connection', async (t, transfer) => {
  const size = 20_000_000
  const site = makeSite(t, { big: patternBytes(size) })
  const { connect, gateway } = await startGateway(t, {
    transfer,
    routes: { '/*': files(site.root) },
  })
  const client = await connect()
  client.write(request('/big'))
  await client.arrived(1)
  client.socket.pause()
  truncateSync(site.path('big'), 1000)
  client.socket.resume()
  const received = await client.readToEnd()
  t.true(received.length < size)
  await until('the error to be counted', () => gateway.stats().total.errors['short-file'] === 1)
})

testOnBothTwins(
  'a transfer goes on though its file is deleted and forgotten',
  async (t, transfer) => {
    const content = patternBytes(12_000_000)
    const site = makeSite(t, { big: content, a: 'a', b: 'b', c: 'c' })
    const routes = { '/*': files(site.root) }
    const { connect, get, gateway } = await startGateway(t, {
      transfer,
      cache: { files: 1 },
      routes,
    })
    const client = await connect()
    client.write(request('/big'))
    await client.arrived(1)
    client.socket.pause()
    unlinkSync(site.path('big'))
    symlinkSync('a', site.path('big'))
    for (const name of ['a', 'b', 'c']) await get(`/${name}`)
    t.is(gateway.stats().cache.files, 1)
    client.socket.resume()
    t.true((await client.read()).body.equals(content))
  },
)
