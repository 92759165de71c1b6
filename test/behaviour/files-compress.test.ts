// Files that the gateway encodes itself, over real sockets: the first clients get them as they are,
// later ones encoded; each content is encoded once, by a process of its own, in the background.

import {
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { files } from '../../src/index.ts'
import { type RawClient, type Reply, request } from '../support/client.ts'
import {
  fileEngine,
  type RunningGateway,
  startGateway,
  testOnBothTwins,
} from '../support/gateway.ts'
import { makeFolder, makeSite, patternBytes } from '../support/site.ts'
import { inTheBackground, until } from '../support/wait.ts'

/** Text that shrinks to about half. */
const text = (bytes: number) => patternBytes(bytes / 2).toString('hex')

const decoders: Record<string, (bytes: Buffer) => Buffer> = {
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
  gzip: gunzipSync,
}

function decoded(reply: Reply): Buffer {
  const coding = reply.field('content-encoding')
  return coding === undefined ? reply.body : (decoders[coding]?.(reply.body) ?? reply.body)
}

/** Asks until the answer comes in `coding`, and gives it. */
async function encodedReply(client: RawClient, path: string, coding: string): Promise<Reply> {
  const ask = () => client.ask(request(path, { 'Accept-Encoding': coding }))
  let reply = await ask()
  await until(
    `${path} in ${coding}`,
    async () => {
      if (reply.field('content-encoding') !== coding) reply = await ask()
      return reply.field('content-encoding') === coding
    },
    inTheBackground,
  )
  return reply
}

/** Waits until nothing is left to be encoded. */
const finished = ({ gateway }: RunningGateway) =>
  until('the last encoding', () => gateway.stats().compression.waiting === 0, inTheBackground)

for (const [size, bytes] of [
  ['small', 8_000],
  ['large', 60_000],
] as const) {
  testOnBothTwins(`a ${size} file is encoded once it was asked for`, async (t, transfer) => {
    const content = text(bytes)
    const site = makeSite(t, { 'a.txt': content })
    const running = await startGateway(t, {
      transfer,
      routes: { '/*': files(site.root, { compress: true }) },
    })
    const client = await running.connect()
    const first = await client.ask(request('/a.txt', { 'Accept-Encoding': 'gzip' }))
    t.is(first.field('content-encoding'), undefined)
    t.is(first.field('vary'), 'Accept-Encoding')
    t.is(first.body.toString(), content)
    await finished(running)
    t.like(running.gateway.stats().compression, { made: 3, failed: 0, bytesIn: 3 * bytes })

    for (const coding of ['br', 'zstd', 'gzip']) await encodedReply(client, '/a.txt', coding)
    // A worker counts what it sent after its client may have it: one more answer, and it has.
    await client.ask(request('/a.txt', {}, 'HEAD'))
    const before = running.engineBytes()
    const tags = new Set([first.field('etag')])
    let moved = 0
    for (const coding of ['br', 'zstd', 'gzip']) {
      const whole = await encodedReply(client, '/a.txt', coding)
      t.is(decoded(whole).toString(), content)
      t.true(whole.body.length < bytes * 0.7)
      tags.add(whole.field('etag'))
      await compareParts(t, client, coding, whole)
      moved += 2 * whole.body.length - 3
    }
    t.is(tags.size, 4)
    await client.ask(request('/a.txt', {}, 'HEAD'))
    const engine = fileEngine(transfer, size)
    t.is(running.engineBytes()[engine], (before[engine] ?? 0) + moved)
  })
}

/** Head, unchanged and the part from byte 3 on of what came whole. */
async function compareParts(t: ExecutionContext, client: RawClient, coding: string, whole: Reply) {
  const accepts = { 'Accept-Encoding': coding }
  const etag = whole.field('etag') ?? ''
  t.regex(etag, new RegExp(`^"[0-9a-f-]+-${coding}"$`))
  const head = await client.ask(request('/a.txt', accepts, 'HEAD'))
  t.is(head.field('content-length'), String(whole.body.length))
  t.is(head.field('content-encoding'), coding)
  const same = await client.ask(request('/a.txt', { ...accepts, 'If-None-Match': etag }))
  t.is(same.status, 304)
  const range = { Range: 'bytes=3-', 'If-Range': etag }
  const part = await client.ask(request('/a.txt', { ...accepts, ...range }))
  t.is(part.status, 206)
  t.true(part.body.equals(whole.body.subarray(3)))
}

test('nothing is encoded twice: 50 at once, two workers, several paths, eviction', async (t) => {
  const site = makeSite(t, { 'index.html': text(40_000), 'other.txt': 'x' })
  const running = await startGateway(t, {
    workers: 2,
    cache: { answers: 4 },
    routes: { '/*': files(site.root, { compress: 'gzip', fallback: 'index.html' }) },
  })
  const clients = await Promise.all(Array.from({ length: 50 }, () => running.connect()))
  const ask = (path: string) =>
    Promise.all(clients.map((client) => client.ask(request(path, { 'Accept-Encoding': 'gzip' }))))
  for (const path of ['/', '/index.html', '/some/where', '/']) {
    for (const reply of await ask(path)) t.is(decoded(reply).toString(), text(40_000))
  }
  await finished(running)
  for (let n = 0; n < 20; n++) await ask(`/driven/out/${n}`)
  const [client] = clients
  if (client) await encodedReply(client, '/', 'gzip')
  for (const reply of await ask('/')) t.is(reply.field('content-encoding'), 'gzip')
  await finished(running)
  t.like(running.gateway.stats().compression, { made: 1, failed: 0, useless: 0, changed: 0 })
})

test('a file that changes is encoded anew, and never sent as it was', async (t) => {
  const site = makeSite(t, { 'a.txt': text(20_000) })
  const routes = { '/*': files(site.root, { compress: ['gzip'] }) }
  const running = await startGateway(t, { routes })
  const client = await running.connect()
  await encodedReply(client, '/a.txt', 'gzip')
  for (let round = 1; round <= 3; round++) {
    const content = `${round}${text(20_000)}`
    writeFileSync(site.path('new'), content)
    utimesSync(site.path('new'), 1_600_000_000 + round, 1_600_000_000 + round)
    renameSync(site.path('new'), site.path('a.txt'))
    await until('the new content', async () => {
      const reply = await client.ask(request('/a.txt', { 'Accept-Encoding': 'gzip' }))
      return decoded(reply).toString() === content
    })
    t.is(decoded(await encodedReply(client, '/a.txt', 'gzip')).toString(), content)
  }
  t.is(running.gateway.stats().compression.made, 4)
})

test('what is there encoded is not made, the rest is', async (t) => {
  const site = makeSite(t, { 'a.js': text(20_000), 'a.js.gz': 'the sidecar itself' })
  const running = await startGateway(t, { routes: { '/*': files(site.root, { compress: true }) } })
  const client = await running.connect()
  const sidecar = await encodedReply(client, '/a.js', 'gzip')
  t.is(sidecar.body.toString(), 'the sidecar itself')
  t.is(decoded(await encodedReply(client, '/a.js', 'br')).toString(), text(20_000))
  await finished(running)
  t.is(running.gateway.stats().compression.made, 2)
})

test('not encoded: what does not shrink, is small, large, or of another type', async (t) => {
  const site = makeSite(t, {
    'random.txt': patternBytes(20_000),
    'small.txt': text(1_000),
    'large.txt': text(50_000),
    'picture.png': text(20_000),
    'packed.svgz': text(20_000),
    'last.txt': text(20_000),
  })
  const headers = { '*.svgz': { 'Content-Type': 'image/svg+xml', 'Content-Encoding': 'gzip' } }
  const compress = { codings: 'br', minBytes: 2_000, maxBytes: 40_000 } as const
  const running = await startGateway(t, {
    routes: { '/*': files(site.root, { compress, headers }) },
  })
  const client = await running.connect()
  const accepts = { 'Accept-Encoding': 'br' }
  for (const name of ['random.txt', 'small.txt', 'large.txt', 'picture.png', 'packed.svgz']) {
    for (let round = 0; round < 2; round++) {
      const reply = await client.ask(request(`/${name}`, accepts))
      t.true(reply.body.equals(readFileSync(site.path(name))), name)
      t.not(reply.field('content-encoding'), 'br')
    }
  }
  await encodedReply(client, '/last.txt', 'br')
  await finished(running)
  t.like(running.gateway.stats().compression, { made: 1, useless: 1, failed: 0 })
})

test('encodings are bounded by bytes, and those in a directory have no name', async (t) => {
  const names = Array.from({ length: 12 }, (_, index) => `f${index}.txt`)
  const site = makeSite(t)
  for (const [index, name] of names.entries()) site.add(name, `${index}${text(100_000)}`)
  const directory = makeFolder(t)
  for (const where of ['', directory]) {
    const running = await startGateway(t, {
      cache: { bytes: 200_000, files: 100, directory: where },
      routes: { '/*': files(site.root, { compress: 'gzip' }) },
    })
    const client = await running.connect()
    for (const [index, name] of names.entries()) {
      const reply = await encodedReply(client, `/${name}`, 'gzip')
      t.is(decoded(reply).toString(), `${index}${text(100_000)}`)
    }
    await finished(running)
    const stats = () => running.gateway.stats()
    t.is(stats().compression.made, names.length)
    await until('the closing of what was driven out', () => stats().files.heldBytes <= 200_000)
    t.true(stats().files.heldBytes > 50_000)
    t.true(stats().cache.heldBytes <= 200_000)
    // Asked for again at once, what was driven out is not made again.
    for (const name of names) await client.ask(request(`/${name}`, { 'Accept-Encoding': 'gzip' }))
    await finished(running)
    t.is(stats().compression.made, names.length)
    t.deepEqual(readdirSync(directory), [])
    t.is(openIn(directory).length > 0, where === directory)
    await running.gateway.close({ drain: false })
    await until('the closing of all', () => openIn(directory).length === 0)
  }
})

/** Descriptors of this process that lead into a directory, also by no name. */
function openIn(directory: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`)
      return target.startsWith(directory) ? [target] : []
    } catch {
      return [] // the descriptor by which the directory was read
    }
  })
}
