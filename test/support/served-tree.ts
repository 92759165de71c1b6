// A directory of real files behind a gateway, compared with the disk: every file whole, its head, a
// part of it, and unchanged; every directory with and without its slash.

import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { files } from '../../src/index.ts'
import { type RawClient, request } from './client.ts'
import { startGateway, type TransferMode } from './gateway.ts'
import { Random } from './random.ts'

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

/** Serves `root` and compares everything in it; returns how many files that were. */
export async function compareTree(
  t: ExecutionContext,
  root: string,
  transfer: TransferMode,
): Promise<number> {
  const tree = listTree(root)
  const { connect, gateway } = await startGateway(t, {
    workers: 2,
    transfer,
    routes: { '/tree/*': files(root) },
  })
  const random = new Random(tree.files.length)
  const queue = [...tree.files]
  const lane = async () => {
    const client = await connect()
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      await compareFile(t, client, targetOf(path), readFileSync(join(root, path)), random)
    }
  }
  await Promise.all([lane(), lane(), lane(), lane()])
  const client = await connect()
  for (const path of tree.directories) await compareDirectory(t, client, root, path)
  t.deepEqual(gateway.stats().total.errors['short-file'], undefined)
  return tree.files.length
}

async function compareFile(
  t: ExecutionContext,
  client: RawClient,
  target: string,
  content: Buffer,
  random: Random,
): Promise<void> {
  const whole = await client.ask(request(target))
  t.is(whole.status, 200, target)
  t.true(whole.body.equals(content), target)
  const head = await client.ask(request(target, {}, 'HEAD'))
  t.is(head.status, 200)
  t.deepEqual(head.fields.filter(isLasting), whole.fields.filter(isLasting))
  t.truthy(whole.field('content-type'), target)
  const etag = whole.field('etag') ?? ''
  t.is((await client.ask(request(target, { 'If-None-Match': etag }))).status, 304)
  if (content.length === 0) return
  const first = random.below(content.length)
  const last = first + random.below(content.length - first)
  const part = await client.ask(request(target, { Range: `bytes=${first}-${last}` }))
  t.is(part.status, 206)
  t.is(part.field('content-range'), `bytes ${first}-${last}/${content.length}`)
  t.true(part.body.equals(content.subarray(first, last + 1)), `${target} ${first}-${last}`)
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
