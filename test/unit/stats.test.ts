// stats(): sums over workers, latency quantiles, and the log of faults.
// Figures are made up; that the core's are true is tested in test/behaviour.

import test from 'ava'
import type { NativeStats, NativeWorkerStats } from '../../src/native/interface.ts'
import { levelFrom, logFallbacks, logFault } from '../../src/telemetry/log.ts'
import { quantileUs } from '../../src/telemetry/quantiles.ts'
import { combineStats } from '../../src/telemetry/stats.ts'
import { byName } from '../../src/telemetry/traffic.ts'

const worker = (n: number): NativeWorkerStats => ({
  accepted: n,
  connections: n,
  refused: n,
  requests: n,
  bytesIn: n,
  bytesOut: n,
  questions: n,
  remembered: n,
  answers: n,
  parked: n,
  turns: n,
  hooks: { asked: n, open: n, remembered: n, limited: n, denied: n },
  mirrors: {
    sent: n,
    refused: n,
    failed: n,
    timedOut: n,
    behind: n,
    limited: n,
    unavailable: n,
    aborted: n,
    inFlight: n,
    waitingBytes: n,
    bytes: n,
    teedBytes: n,
  },
  turnTimes: { count: n, sumUs: 10 * n, buckets: [{ leUs: 10 * n, count: n }] },
  blockedOn: { read: n },
  pipes: { open: n, made: n, refused: n },
  tls: { underWay: n, handshakes: n, resumed: n, kernel: n, putOff: n },
  engines: { memory: { responses: n, bytes: n }, [`only${n}`]: { responses: n, bytes: n } },
  syscalls: { recv: n },
  errors: { 'bad-host': n },
  statuses: { 200: n },
})

const kind = { route: 0, statusClass: 2, isForwarded: false, bytes: 9 }

const native: NativeStats = {
  workers: [worker(1), worker(2)],
  traffic: [
    { ...kind, engine: 'memory', count: 4, sumUs: 100, buckets: [{ leUs: 40, count: 4 }] },
    { ...kind, route: 1, engine: 'copy', isForwarded: true, count: 0, sumUs: 0, buckets: [] },
  ],
  channels: [],
  upstreams: [
    {
      queued: 2,
      targets: [
        {
          id: 7,
          active: 1,
          connections: 2,
          requests: 3,
          connects: 4,
          failures: 5,
          retries: 6,
          ejected: true,
          circuit: 'open',
        },
      ],
    },
  ],
  files: { descriptors: 1, heldBytes: 2 },
  watched: { folders: 3, paths: 4, changes: 5 },
  accessLog: { lines: 6, bytes: 600, dropped: 1 },
  io: { threads: 2, done: 3, waiting: 0, syscalls: { openat2: 3 } },
}

const questions = { asked: 3, joined: 0, confirmed: 0, refused: 0, failed: 0, pending: 0 }
const cache = {
  files: 1,
  heldBytes: 2,
  answers: 1,
  looks: 3,
  opened: 1,
  shared: 0,
  evictedFiles: 0,
  evictedAnswers: 0,
  idleFiles: 0,
  stale: 0,
}

const member = {
  id: 7,
  url: 'http://app:3000',
  address: '10.0.0.1:3000',
  weight: 2,
  backup: false,
  draining: false,
  health: 'up' as const,
  reason: '',
}
const unresolved = [{ url: 'http://other', reason: 'ENOTFOUND' }]
const upstreams = [{ name: 'api', members: [member, { ...member, id: 8 }], unresolved }]
const compression = {
  waiting: 0,
  made: 1,
  useless: 0,
  changed: 0,
  failed: 0,
  refused: 0,
  bytesIn: 2,
  bytesOut: 1,
}
const names = [
  { key: '/*', upstream: '' },
  { key: '/x', upstream: 'api' },
]
const traffic = byName(native.traffic, (route) => names[route])
const generation = { number: 1, live: 1, unchanged: 0, failed: 0 }
const own = { questions, cache, compression, upstreams, traffic, generation }
const sources = { native, ...own, certificates: [] }

test('totals are sums over the workers', (t) => {
  const { total, workers } = combineStats(sources)
  t.deepEqual(total, {
    ...worker(3),
    turnTimes: {
      count: 3,
      sumUs: 30,
      buckets: [
        { leUs: 10, count: 1 },
        { leUs: 20, count: 3 },
      ],
    },
    engines: {
      memory: { responses: 3, bytes: 3 },
      only1: { responses: 1, bytes: 1 },
      only2: { responses: 2, bytes: 2 },
    },
  })
  t.deepEqual(workers, native.workers)
})

test('targets have their counts by id, and none before the core knows them', (t) => {
  const [api] = combineStats(sources).upstreams
  t.like(api, { name: 'api', queued: 2, unresolved })
  t.deepEqual(api?.targets[0], {
    url: 'http://app:3000',
    address: '10.0.0.1:3000',
    weight: 2,
    backup: false,
    draining: false,
    health: 'up',
    reason: '',
    active: 1,
    connections: 2,
    requests: 3,
    connects: 4,
    failures: 5,
    retries: 6,
    ejected: true,
    circuit: 'open',
  })
  t.like(api?.targets[1], { requests: 0, ejected: false, health: 'up' })
})

test('latencies name the route and have a mean, also when nothing was counted', (t) => {
  const { latencies } = combineStats(sources)
  const [first, second] = latencies
  t.like(first, { route: '/*', engine: 'memory', count: 4, meanUs: 25, p50Us: 20, bytes: 9 })
  t.like(first, { status: '2xx', upstream: '' })
  t.like(second, { route: '/x', engine: 'copy', upstream: 'api', count: 0, meanUs: 0, p99Us: 0 })
})

test('quantiles lie on straight lines within their bucket', (t) => {
  const buckets = [
    { leUs: 10, count: 0 },
    { leUs: 20, count: 50 },
    { leUs: 40, count: 50 },
    { leUs: 80, count: 100 },
  ]
  t.is(quantileUs(buckets, 0), 10)
  t.is(quantileUs(buckets, 0.25), 15)
  t.is(quantileUs(buckets, 0.5), 20)
  t.is(quantileUs(buckets, 0.75), 60)
  t.is(quantileUs(buckets, 1), 80)
})

test('an open last bucket answers with its lower bound', (t) => {
  const buckets = [
    { leUs: 10, count: 1 },
    { leUs: Number.POSITIVE_INFINITY, count: 2 },
  ]
  t.is(quantileUs(buckets, 0.99), 10)
})

test('faults are logged with code and message; ours as errors, others as warnings', (t) => {
  const lines: [string, object, string][] = []
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push([level, fields, message])
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  for (const code of ['internal-error', 'head-too-large', 'EMFILE', 'constructor']) {
    logFault(logger, { type: 'fault', worker: 1, code, message: `about ${code}` })
  }
  t.deepEqual(lines, [
    ['error', { code: 'internal-error', worker: 1 }, 'about internal-error'],
    ['warn', { code: 'head-too-large', worker: 1 }, 'about head-too-large'],
    ['warn', { code: 'EMFILE', worker: 1 }, 'about EMFILE'],
    ['warn', { code: 'constructor', worker: 1 }, 'about constructor'],
  ])
})

test('an unknown log level is info', (t) => {
  t.is(levelFrom('debug'), 'debug')
  t.is(levelFrom('loud'), 'info')
  t.is(levelFrom(undefined), 'info')
})

test('what the kernel refuses is one line, and nothing when it refuses nothing', (t) => {
  const lines: string[] = []
  const log = (_fields: object, message: string) => void lines.push(message)
  const logger = { debug: log, info: log, warn: log, error: log }
  const splice = { name: 'splice', available: false, error: 'EPERM', detail: 'copy' }
  const kernelTls = { ...splice, name: 'kTLS' }
  logFallbacks(logger, [{ ...splice, available: true }], [{ tls: {} }])
  // Not where nobody wants it.
  logFallbacks(logger, [kernelTls], [{}])
  t.deepEqual(lines, [])
  logFallbacks(logger, [splice, { ...splice, name: 'tee' }], [{}])
  t.is(lines.length, 1)
  t.regex(lines[0] ?? '', /splice \(EPERM\): copy; tee \(EPERM\): copy/)
  logFallbacks(logger, [kernelTls], [{ tls: {} }])
  t.regex(lines[1] ?? '', /kTLS/)
})
