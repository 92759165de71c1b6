// Kinds of value: durations, sizes, counts, words, and what is said of wrong ones.

import test from 'ava'
import { respond } from '../../src/config/actions.ts'
import { parseDuration, parseSize, showDuration, showSize } from '../../src/config/units.ts'
import { resolveConfig } from '../../src/config/validate.ts'
import { loadAddon } from '../../src/native/addon.ts'
import { problemsOf } from '../support/problems.ts'

const routes = { '/': respond(200) }
const origin = { file: '', directory: '/' }

test('durations are milliseconds or a number with a unit', (t) => {
  const cases: [unknown, number | undefined][] = [
    [250, 250],
    ['250ms', 250],
    ['5s', 5_000],
    ['1.5s', 1_500],
    ['2 m', 120_000],
    ['1H', 3_600_000],
    ['1d', 86_400_000],
    ['5', undefined],
    ['s', undefined],
    ['5 weeks', undefined],
    ['-5s', undefined],
    ['1e3s', undefined],
    ['', undefined],
    [1.5, undefined],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    [null, undefined],
    ['99999999999999999999d', undefined],
  ]
  for (const [value, expected] of cases) t.is(parseDuration(value), expected, String(value))
})

test('sizes are bytes or a number with a unit, in steps of 1024', (t) => {
  const cases: [unknown, number | undefined][] = [
    [512, 512],
    ['512b', 512],
    ['64kb', 65_536],
    ['64KB', 65_536],
    ['1.5mb', 1_572_864],
    ['2gb', 2_147_483_648],
    ['64k', undefined],
    ['64kib', undefined],
    [true, undefined],
  ]
  for (const [value, expected] of cases) t.is(parseSize(value), expected, String(value))
})

test('what is shown can be read back', (t) => {
  for (const n of [0, 1, 999, 1_000, 1_500, 60_000, 90_000, 3_600_000, 86_400_000]) {
    t.is(parseDuration(showDuration(n)), n)
  }
  for (const n of [0, 1, 1_023, 1_024, 65_536, 1_572_864, 2 ** 40]) t.is(parseSize(showSize(n)), n)
  t.is(showDuration(90_000), '90s')
  t.is(showSize(1_536), '1536b')
})

test('every default is filled in and the result is frozen', (t) => {
  const resolved = resolveConfig({ routes }, origin)
  t.deepEqual(resolved.listen, [{ host: '127.0.0.1', port: 8080, proxyProtocol: false }])
  t.is(resolved.limits.headBytes, 32_768)
  t.is(resolved.timeouts.idle, 60_000)
  t.deepEqual(resolved.transfer, {
    mode: 'auto',
    memoryBytes: 16_384,
    spliceBytes: 16_384,
    pipeBytes: 1_048_576,
    copyBytes: 262_144,
  })
  t.is(resolved.workers, loadAddon().usableCpus())
  t.true(Object.isFrozen(resolved) && Object.isFrozen(resolved.limits))
  t.true(Object.isFrozen(resolved.routes) && Object.isFrozen(resolved.routes[0]?.action))
})

test('given values are read in any of their spellings', (t) => {
  const resolved = resolveConfig(
    {
      workers: 3,
      transfer: 'copy',
      timeouts: { head: '2s', idle: 5_000 },
      limits: { bodyBytes: '1mb', headers: 50 },
      cache: { bytes: 0 },
      serverName: 'Sluice',
      routes,
    },
    origin,
  )
  t.is(resolved.workers, 3)
  t.is(resolved.transfer.mode, 'copy')
  t.is(resolved.transfer.memoryBytes, 16_384)
  t.is(resolved.transfer.spliceBytes, 16_384)
  t.is(resolved.timeouts.head, 2_000)
  t.is(resolved.limits.bodyBytes, 1_048_576)
  t.is(resolved.cache.bytes, 0)
  t.is(resolved.serverName, 'Sluice')
})

test('wrong values say what was expected, what was given and what may have been meant', (t) => {
  const cases: [object, string][] = [
    [{ workers: 0 }, 'workers: expected a whole number from 1 to 256, got 0'],
    [{ workers: '4' }, "workers: expected a whole number from 1 to 256, got '4'"],
    [
      { timeouts: { head: '5 parsecs' } },
      "timeouts.head: expected milliseconds or a duration such as '5s' or '2m', " +
        "from 100ms to 1h, got '5 parsecs'",
    ],
    [
      { limits: { headBytes: '2gb' } },
      "limits.headBytes: expected bytes or a size such as '64kb' or '1mb', " +
        "from 1kb to 1mb, got '2gb'",
    ],
    [{ transfer: 'atuo' }, "transfer: expected 'auto' or 'copy', got 'atuo'; did you mean 'auto'?"],
    [{ transfer: [] }, "transfer: expected 'auto' or 'copy', or an object, got an empty list"],
    [{ limits: null }, 'limits: expected an object, got null'],
    [{ limits: new Map() }, 'limits: expected an object, got a Map'],
    [
      { cache: { files: () => 1 } },
      'cache.files: expected a whole number from 1 to 1000000, got a function',
    ],
    [
      { serverName: 'a\r\nb\x1b' },
      "serverName: expected a field value, got 'a\\r\\nb\\x1b': " +
        'a line break or NUL would end the field',
    ],
  ]
  for (const [part, expected] of cases) t.deepEqual(problemsOf({ routes, ...part }), [expected])
})

test('unknown options are named, at every level, with the nearest known one', (t) => {
  const problems = problemsOf({
    routes,
    limit: {},
    proxy: {},
    timeouts: { haed: 1, tunnel: 1 },
    listen: { prot: 80, port: 80 },
  })
  t.deepEqual(problems, [
    "limit: unknown option; did you mean 'limits'?",
    'proxy: unknown option',
    "listen.prot: unknown option; did you mean 'port'?",
    "timeouts.haed: unknown option; did you mean 'head'?",
    'timeouts.tunnel: unknown option',
  ])
  const misnamed = problemsOf({ route: routes })
  t.true(misnamed.includes("route: unknown option; did you mean 'routes'?"))
})

test('listeners in every spelling', (t) => {
  const plain = { proxyProtocol: false }
  const listen = [80, { host: '::', port: 0 }, { path: 'x.sock' }, { host: 'localhost', port: 0 }]
  t.deepEqual(resolveConfig({ routes, listen }, { file: '', directory: '/run' }).listen, [
    { host: '127.0.0.1', port: 80, ...plain },
    { host: '::', port: 0, ...plain },
    { path: '/run/x.sock', ...plain },
    { host: '127.0.0.1', port: 0, ...plain },
  ])
})

test('impossible listeners', (t) => {
  const cases: [unknown, string][] = [
    [
      [],
      'listen: expected a whole number from 0 to 65535, or an object, or a list of such, ' +
        'got an empty list',
    ],
    [70_000, 'listen: expected a whole number from 0 to 65535, got 70000'],
    [{}, 'listen: expected a port or a path'],
    [{ path: '/x', port: 1 }, 'listen: a unix socket (path) has neither port nor host'],
    [[1, 1], 'listen[1]: the same address as one before it'],
    [
      { port: 1, host: 'example.com' },
      "listen.host: expected an IP address such as '0.0.0.0' or '::', or 'localhost', " +
        "got 'example.com': names of other machines cannot be bound",
    ],
    [
      { path: `/${'x'.repeat(107)}` },
      `listen.path: /${'x'.repeat(107)} has 108 bytes; the system takes at most 107`,
    ],
  ]
  for (const [listen, expected] of cases) t.deepEqual(problemsOf({ routes, listen }), [expected])
})

test('something that is no configuration at all', (t) => {
  const expected = 'expected a configuration such as { routes: { … } }, got '
  t.deepEqual(problemsOf(5), [`${expected}5`])
  t.deepEqual(problemsOf(undefined), [`${expected}undefined`])
  t.deepEqual(problemsOf(Promise.resolve({})), [`${expected}a Promise`])
  t.deepEqual(
    problemsOf(() => ({})),
    [`${expected}a function`],
  )
})

test('whatever is given, the outcome is a configuration or a list of problems', (t) => {
  const pool: unknown[] = [0, -1, 1.5, '', 'x', null, [], {}, true, Symbol('s'), 5n, [[]], { a: 1 }]
  pool.push(new Date(), /x/, new Uint8Array(2), Object.create(null), () => 1, '\0', '/*', [null])
  const keys = ['listen', 'workers', 'limits', 'timeouts', 'transfer', 'cache', 'routes']
  const kinds = ['files', 'respond', 'redirect']
  for (const value of pool) {
    for (const key of keys) t.true(Array.isArray(problemsOf({ routes, [key]: value })))
    for (const kind of kinds) {
      const action = { kind, root: value, status: value, location: value, options: value }
      t.true(problemsOf({ routes: { '/*': action } }).length > 0)
      const options = { index: value, headers: value, contentType: value, keepQuery: value }
      t.true(problemsOf({ routes: { '/*': { ...action, options } } }).length > 0)
    }
  }
})
