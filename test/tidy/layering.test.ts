// The order of the house: dependencies point down, and each outside thing has one door.
// The lists below are the ones of docs/ARCHITECTURE.md; whoever changes one changes both.

import { dirname, join, normalize } from 'node:path'
import test from 'ava'
import { codeOf, type SourceFile, sourceFiles } from './source-files.ts'

/** Top first: a folder of native/ may include itself and what stands below it. */
const nativeLayers = [
  'binding',
  'worker',
  'proxy',
  'files',
  'transfer',
  'route',
  'log',
  'http',
  'net',
  'core',
]

/** Top first; a layer's own members may import each other as long as there is no cycle. */
const scriptLayers = [
  ['index', 'cli', 'gateway'],
  ['config', 'files', 'proxy', 'app', 'telemetry', 'admin', 'tls'],
  ['native'],
]

const systemCalls =
  'accept4|bind|connect|listen|socket|socketpair|shutdown|recv|recvmsg|send|sendmsg|sendfile|' +
  'splice|tee|vmsplice|read|readv|pread|preadv2|write|writev|pwrite|open|openat|openat2|close|' +
  'pipe|pipe2|fcntl|ioctl|fstat|stat|fstatat|statx|eventfd|memfd_create|fallocate|mmap|munmap|' +
  'poll|getsockopt|setsockopt|getsockname|getpeername|unlink|rename|syscall|epoll_\\w+|' +
  'inotify_\\w+|timerfd_\\w+'
/** `::send(` anywhere; without the `::` only names that nothing of ours bears. */
const qualifiedCall = new RegExp(`(?<![\\w>:])::(?:${systemCalls})\\s*\\(`)
const plainCall = new RegExp(
  '(?<![\\w.:>~])(?:accept4|recvmsg|sendmsg|vmsplice|openat2?|pipe2|preadv2|fcntl|ioctl|fstatat|' +
    'eventfd|memfd_create|fallocate|getsockopt|setsockopt|epoll_\\w+|inotify_\\w+|timerfd_\\w+|' +
    'syscall)\\s*\\(',
)

function cppFiles(): SourceFile[] {
  return sourceFiles(/^native\/.*\.(cc|h|def)$/)
}

function scriptFiles(): SourceFile[] {
  return sourceFiles(/^src\/.*\.ts$/)
}

function includesOf(file: SourceFile): string[] {
  return [...file.text.matchAll(/^\s*#\s*include\s*[<"]([^>"]+)[>"]/gm)].map(
    (match) => match[1] ?? '',
  )
}

function importsOf(file: SourceFile): string[] {
  const pattern =
    /^(?:import|export)\b[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm
  return [...file.text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** Paths under src/ that a file imports. */
function neighboursOf(file: SourceFile): string[] {
  return importsOf(file)
    .filter((name) => name.startsWith('.'))
    .map((name) => normalize(join(dirname(file.path), name)))
}

function scriptLayerOf(path: string): number {
  const [, room = ''] = path.split('/')
  return scriptLayers.findIndex((rooms) => rooms.includes(room.replace(/\.ts$/, '')))
}

test('C++ includes point down the list of layers', (t) => {
  const wrong = cppFiles().flatMap((file) => {
    const own = nativeLayers.indexOf(file.path.split('/')[1] ?? '')
    if (own < 0) return [`${file.path} is in no known folder`]
    return includesOf(file)
      .filter((name) => nativeLayers.indexOf(name.split('/')[0] ?? '') >= 0)
      .filter((name) => nativeLayers.indexOf(name.split('/')[0] ?? '') < own)
      .map((name) => `${file.path} includes ${name}`)
  })
  t.deepEqual(wrong, [])
})

test('C++ includes of our own name the folder', (t) => {
  const wrong = cppFiles().flatMap((file) =>
    [...file.text.matchAll(/^\s*#\s*include\s*"([^"]+)"/gm)]
      .map((match) => match[1] ?? '')
      .filter((name) => !nativeLayers.includes(name.split('/')[0] ?? ''))
      .map((name) => `${file.path} includes "${name}"`),
  )
  t.deepEqual(wrong, [])
})

test('only native/binding sees Node', (t) => {
  const nodeHeader = /^(node_api|js_native_api|napi|uv|v8|node)(_\w+|-inl)?\.h$|^(uv|node)\//
  const wrong = cppFiles()
    .filter((file) => !file.path.startsWith('native/binding/'))
    .flatMap((file) =>
      includesOf(file)
        .filter((name) => nodeHeader.test(name))
        .map((name) => `${file.path} includes ${name}`),
    )
  t.deepEqual(wrong, [])
})

test('only net/sys makes system calls', (t) => {
  const wrong = cppFiles()
    .filter((file) => !/^native\/net\/sys[._]/.test(file.path))
    .flatMap((file) =>
      codeOf(file.text)
        .split('\n')
        .map((line, index) => ({ line, where: `${file.path}:${index + 1}` }))
        .filter(({ line }) => qualifiedCall.test(line) || plainCall.test(line))
        .map(({ line, where }) => `${where}: ${line.trim()}`),
    )
  t.deepEqual(wrong, [])
})

test('TypeScript imports point down the list of layers', (t) => {
  const wrong = scriptFiles().flatMap((file) => {
    const own = scriptLayerOf(file.path)
    if (own < 0) return [`${file.path} is in no known folder`]
    return neighboursOf(file)
      .filter((path) => scriptLayerOf(path) < own)
      .map((path) => `${file.path} imports ${path}`)
  })
  t.deepEqual(wrong, [])
})

test('only src/native loads the addon', (t) => {
  const wrong = scriptFiles()
    .filter((file) => !file.path.startsWith('src/native/'))
    .filter((file) => /\.node['"`]|process\.dlopen|node-addon-api/.test(file.text))
    .map((file) => file.path)
  t.deepEqual(wrong, [])
})

test('TypeScript imports have no cycle', (t) => {
  const neighbours = new Map(scriptFiles().map((file) => [file.path, neighboursOf(file)]))
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (path: string, trail: string[]): void => {
    if (trail.includes(path)) {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      return
    }
    if (done.has(path)) return
    for (const next of neighbours.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of neighbours.keys()) visit(path, [])
  t.deepEqual(cycles, [])
})

test('no room is called after nothing', (t) => {
  const vague = /(^|[/_.-])(utils?|helpers?|common|misc|managers?)([/_.-]|$)/i
  const wrong = sourceFiles(/^(native|src|test|bench|scripts|examples)\//)
    .map((file) => file.path)
    .filter((path) => vague.test(path))
  t.deepEqual(wrong, [])
})
