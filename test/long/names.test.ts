// A hundred thousand generated names: the walk that stands in for openat2 against openat2 itself,
// and real requests against a model of what they should find. SLUICE_SEED makes it others,
// SLUICE_COUNT fewer.

import { execFile } from 'node:child_process'
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { promisify } from 'node:util'
import test from 'ava'
import { files } from '../../src/index.ts'
import { type Reply, request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, type Site } from '../support/site.ts'

const count = Number(process.env.SLUICE_COUNT ?? 100_000)

test('the walk and openat2 agree', async (t) => {
  const program = new URL('../../native/build/Release/unit_tests', import.meta.url).pathname
  const env = { ...process.env, SLUICE_TEST_NAMES: String(count) }
  const { stdout } = await promisify(execFile)(program, ['walk_agrees_with_openat2'], { env })
  t.regex(stdout, /^[1-9]\d* passed, 0 failed$/m)
})

/** Pieces of targets: names that are there, names that are not, and what is not a name. */
const words = [
  'a',
  'b',
  'a.txt',
  'index.html',
  '%C3%BC',
  '%c3%bc',
  '%61',
  'link',
  'folder',
  'out',
  'absolute',
  'dangling',
  'fifo',
  'missing',
  '.hidden',
  '.well-known',
  'a%20b',
  '100%25',
  '%2e',
  '..',
  '%2E.',
  '.',
  '...',
  '%2f',
  'a%2Fb',
  '%5c',
  '%00',
  'a%0a',
  '%',
  '%4',
  '%zz',
  '%ff',
  '%c0%ae',
  '%ed%a0%80',
  '%252e',
  '',
  '~',
  ';x',
  'a;x',
  'a+b',
  'x'.repeat(300),
]

function makeTree(t: Parameters<typeof makeSite>[0]): Site {
  return makeSite(t, {
    secret: 'outside',
    'public/index.html': 'root',
    'public/a/index.html': 'a',
    'public/a/b/a.txt': 'ab',
    'public/a/a.txt': 'a',
    'public/b/link': { symlink: '../a/a.txt' },
    'public/link': { symlink: 'a/b/a.txt' },
    'public/folder': { symlink: 'a' },
    'public/a/folder': { symlink: '../b' },
    'public/out': { symlink: '../secret' },
    'public/a/out': { symlink: '../../secret' },
    'public/absolute': { symlink: '/etc/passwd' },
    'public/dangling': { symlink: 'nowhere' },
    'public/fifo': { fifo: true },
    'public/ü/ü': 'umlaut',
    'public/a b': 'space',
    'public/100%': 'percent',
    'public/.hidden': 'no',
    'public/a/.hidden': 'no',
    'public/.well-known/a': 'known',
    'public/.well-known/.hidden': 'no',
    'public/...': 'no',
    'public/~': 'tilde',
    'public/;x': 'semicolon',
    'public/a;x': 'semicolon too',
    'public/a+b': 'plus',
  })
}

/** A random number below `bound`, by a seed. */
function randomOf(seed: number): (bound: number) => number {
  let state = seed
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 8) % bound
  }
}

function generated(random: (bound: number) => number): string {
  const segments = Array.from({ length: 1 + random(4) }, () => words[random(words.length)] ?? '')
  const joined = random(5) === 0 ? segments.join('').slice(0, 400) : segments.join('/')
  return `/${joined}${random(6) === 0 ? '/' : ''}`
}

/** What a target should find: a status, and a body or a location. */
function expected(root: string, target: string): [status: number, content?: string] {
  const decoded = decode(target)
  if (hasDots(decoded.toString('latin1').split(/[/\\]/))) return [400]
  if (!isName(target, decoded)) return [404]
  const path = decoded.toString()
  const rest = path.replace(/^\/\.well-known(?=\/|$)/, '')
  if (rest.includes('/.')) return [404]
  const found = read(root, path.endsWith('/') ? `${path}index.html` : path)
  return found === 'directory' ? [301, `${target}/`] : found === undefined ? [404] : [200, found]
}

/** The bytes of a target; a bad escape stays what it is. */
function decode(target: string): Buffer {
  return Buffer.from(
    target.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
}

/** '.' or '..' as a segment, also with parameters after it (';x'). */
function hasDots(segments: string[]): boolean {
  return segments.some((segment) => /^\.\.?(;|$)/.test(segment))
}

function isName(target: string, decoded: Buffer): boolean {
  if (/%(?![0-9a-f]{2})|%2f|%5c|\/\//i.test(target)) return false
  if (decoded.some((byte) => byte < 0x20 || byte === 0x7f)) return false
  return Buffer.from(decoded.toString()).equals(decoded)
}

function read(root: string, path: string): string | 'directory' | undefined {
  try {
    const real = realpathSync(root + path)
    if (real !== root && !real.startsWith(`${root}/`)) return undefined
    const status = statSync(real)
    if (status.isDirectory()) return 'directory'
    return status.isFile() ? readFileSync(real, 'utf8') : undefined
  } catch {
    return undefined
  }
}

function contentOf(reply: Reply): string | undefined {
  if (reply.status === 301) return reply.field('location')
  return reply.status === 200 ? reply.body.toString() : undefined
}

testOnBothTwins('requests find what a model says', async (t, transfer) => {
  const site = makeTree(t)
  const root = realpathSync(site.path('public'))
  const routes = { '/*': files(root) }
  const { connect } = await startGateway(t, { transfer, routes })
  const random = randomOf(Number(process.env.SLUICE_SEED ?? 1))
  const statuses: Record<number, number> = {}
  const wrong: unknown[] = []
  let client = await connect()
  for (let i = 0; i < count && wrong.length < 20; i++) {
    const target = generated(random)
    const reply = await client.ask(request(target))
    const got = [reply.status, contentOf(reply)]
    const want = expected(root, target)
    if (got[0] !== want[0] || got[1] !== want[1]) wrong.push({ target, got, want })
    statuses[reply.status] = (statuses[reply.status] ?? 0) + 1
    if (reply.field('connection') === 'close') {
      client.socket.destroy()
      client = await connect()
    }
  }
  t.deepEqual(wrong, [])
  t.log(statuses)
  for (const status of [200, 301, 400, 404])
    t.true((statuses[status] ?? 0) > count / 100, String(status))
})
