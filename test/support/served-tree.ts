// A directory of real files behind a gateway, compared with the disk: every file whole, its head, a
// part of it, and unchanged, as it is and in every coding that the gateway makes of it; every
// directory with and without its slash.

import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { ExecutionContext } from 'ava'
import { type ContentCoding, files } from '../../src/index.ts'
import { type RawClient, request } from './client.ts'
import { type RunningGateway, startGateway, type TransferMode } from './gateway.ts'
import { Random } from './random.ts'
import { inTheBackground, until } from './wait.ts'

export interface Tree {
  /** Paths relative to the root. */
  files: string[]
  directories: string[]
}

/** What a gateway may serve beneath `root`: no dotfiles, and no links that lead out. */
export function listTree(root: string): Tree {
  const top = realpathSync(root)
  const tree: Tree = { files: [], directories: [''] }
  for (let at = 0; at < tree.directories.length; at++) {
    const directory = tree.directories[at] ?? ''
    for (const name of readdirSync(join(top, directory))) {
      const path = join(directory, name)
      if (name.startsWith('.') || !`${realpathSync(join(top, path))}/`.startsWith(`${top}/`))
        continue
      const status = statSync(join(top, path))
      if (status.isDirectory()) tree.directories.push(path)
      else if (status.isFile()) tree.files.push(path)
    }
  }
  return tree
}

const targetOf = (path: string) => `/tree/${path.split('/').map(encodeURIComponent).join('/')}`

/** So many files at a time: with their encodings they fit into the descriptors of a process. */
const batch = 2_500

/** How the tree is served. */
export interface Serving {
  transfer: TransferMode
  /** Also in these codings, as soon as the gateway has made them. */
  codings?: ContentCoding[]
}

/** What was compared. */
export interface Compared {
  files: number
  /** Answers that were encoded. */
  encoded: number
}

/** Serves `root` and compares everything in it. */
export async function compareTree(
  t: ExecutionContext,
  root: string,
  { transfer, codings = [] }: Serving,
): Promise<Compared> {
  const tree = listTree(root)
  const running = await startGateway(t, {
    workers: 2,
    transfer,
    // What is encoded stays, as far as there are descriptors: it is for the next round.
    cache: { files: 4 * tree.files.length + 100, bytes: '1gb', answers: 4 * tree.files.length },
    routes: { '/tree/*': files(root, { compress: codings.length > 0 ? codings : false }) },
  })
  const { connect, gateway } = running
  const random = new Random(tree.files.length)
  const compared = { files: tree.files.length, encoded: 0 }
  const everyFile = async (some: readonly string[], coding: ContentCoding | undefined) => {
    const queue = [...some]
    const lane = async () => {
      const client = await connect()
      for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
        const file = { target: targetOf(path), content: readFileSync(join(root, path)) }
        const isEncoded = await compareFile(t, client, file, coding, random)
        if (isEncoded) compared.encoded++
      }
    }
    await Promise.all([lane(), lane(), lane(), lane()])
  }
  for (let at = 0; at < tree.files.length; at += batch) {
    const some = tree.files.slice(at, at + batch)
    await everyFile(some, undefined)
    await everythingEncoded(running)
    for (const coding of codings) await everyFile(some, coding)
  }
  // All of them once more, now that more were asked for than can be open.
  if (tree.files.length > batch) await everyFile(tree.files, undefined)
  const client = await connect()
  for (const path of tree.directories) await compareDirectory(t, client, root, path)
  t.deepEqual(gateway.stats().total.errors['short-file'], undefined)
  t.is(gateway.stats().compression.failed, 0)
  return compared
}

/** Waits for as long as there is progress, since thousands of files may take minutes. */
async function everythingEncoded({ gateway }: RunningGateway): Promise<void> {
  for (let left = gateway.stats().compression.waiting; left > 0; ) {
    const before = left
    await until(
      'the next encoding',
      () => {
        left = gateway.stats().compression.waiting
        return left < before
      },
      inTheBackground,
    )
  }
}

const decoders: Record<ContentCoding, (bytes: Buffer) => Buffer> = {
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
  gzip: gunzipSync,
}

/** One file for clients that take `coding`; whether the answer was encoded. */
async function compareFile(
  t: ExecutionContext,
  client: RawClient,
  { target, content }: { target: string; content: Buffer },
  coding: ContentCoding | undefined,
  random: Random,
): Promise<boolean> {
  const accepts = coding === undefined ? {} : { 'Accept-Encoding': coding }
  const ask = (fields: Record<string, string>, method = 'GET') =>
    client.ask(request(target, { ...accepts, ...fields }, method))
  const whole = await ask({})
  const isEncoded = whole.field('content-encoding') !== undefined
  t.is(whole.status, 200, target)
  const plain = isEncoded && coding !== undefined ? decoders[coding](whole.body) : whole.body
  t.true(plain.equals(content), target)
  const head = await ask({}, 'HEAD')
  t.is(head.status, 200)
  t.deepEqual(head.fields.filter(isLasting), whole.fields.filter(isLasting))
  t.truthy(whole.field('content-type'), target)
  const etag = whole.field('etag') ?? ''
  t.is((await ask({ 'If-None-Match': etag })).status, 304)
  const { length } = whole.body
  if (length === 0) return isEncoded
  const first = random.below(length)
  const last = first + random.below(length - first)
  const part = await ask({ Range: `bytes=${first}-${last}` })
  t.is(part.status, 206)
  t.is(part.field('content-range'), `bytes ${first}-${last}/${length}`)
  t.true(part.body.equals(whole.body.subarray(first, last + 1)), `${target} ${first}-${last}`)
  return isEncoded
}

const isLasting = ([name]: [string, string]) => name !== 'Date'

async function compareDirectory(
  t: ExecutionContext,
  client: RawClient,
  root: string,
  path: string,
): Promise<void> {
  const target = path === '' ? '/tree' : targetOf(path)
  const index = listTree(join(root, path)).files.includes('index.html')
  const reply = await client.ask(request(`${target}/`))
  t.is(reply.status, index ? 200 : 404, target)
  if (!index) return
  t.true(reply.body.equals(readFileSync(join(root, path, 'index.html'))), target)
  const slashless = await client.ask(request(target))
  t.is(slashless.status, 301)
  t.is(slashless.field('location'), `${target}/`)
}
