// Turns what the core and the file questions count into the one object that stats() returns. Pure;
// main thread. Counters only grow while the gateway lives; gauges say so.

import type { AccessLogStats } from '../native/access-log.ts'
import type { ChannelStats, NativeStats, NativeWorkerStats } from '../native/interface.ts'
import type { UpstreamState } from '../proxy/upstreams.ts'
import { addMirrorStats, noMirrors } from './mirror-metrics.ts'
import { addHistograms, quantileUs } from './quantiles.ts'
import { type RelayStats, splitChannels } from './relay-stats.ts'
import type { NamedTraffic } from './traffic.ts'
import { type UpstreamStats, upstreamStats } from './upstream-stats.ts'

/** Questions about files and what is remembered of them, on the TypeScript side. */
export interface QuestionStats {
  /** Questions that arrived. */
  asked: number
  /** Of those: joined another question about the same route and path that was being decided. */
  joined: number
  /** Of those: led to the answer that another worker already had. */
  confirmed: number
  /** Of those: refused with a 503 because too many were undecided. */
  refused: number
  /** Of those: answered with a 500 by a fault of ours. */
  failed: number
  /** Gauge: undecided now. */
  pending: number
}

/** The descriptor cache and the answers that rest on it. */
export interface CacheStats {
  /** Gauges: files open, bytes of them in memory, answers remembered, absences included. */
  files: number
  heldBytes: number
  answers: number
  /** Looks at the disk that the core was asked for. */
  looks: number
  /** Files that came into the cache, and looks that found one open and unchanged. */
  opened: number
  shared: number
  /** Files and answers that made room for others. */
  evictedFiles: number
  evictedAnswers: number
  /** Files closed because nobody had asked for them in a minute. */
  idleFiles: number
  /** Answers that workers found to be out of date. */
  stale: number
}

/** Files that are encoded in the background. */
export interface CompressionStats {
  /** Gauge: files that wait for it, that of now included. */
  waiting: number
  /** Encodings that were made; and that turned out to be hardly smaller than their file. */
  made: number
  useless: number
  /** Thrown away because the file changed meanwhile. */
  changed: number
  failed: number
  /** Files that were not queued, because too many waited or encoding does not work. */
  refused: number
  /** Bytes of the files of which encodings were made, once for each, and of the encodings. */
  bytesIn: number
  bytesOut: number
}

/**
 * Responses of one route, engine, upstream and class of status that are out; their latency is from
 * the head complete to the last byte handed over.
 */
export interface LatencyStats {
  /** The route as it was written; '': no route took the request. */
  route: string
  engine: string
  /** Whose answer it was, or should have been; '': ours. */
  upstream: string
  /** '2xx'. */
  status: string
  count: number
  /** Of their bodies. */
  bytes: number
  /** Microseconds; quantiles are exact to the width of a histogram bucket. */
  sumUs: number
  meanUs: number
  p50Us: number
  p90Us: number
  p99Us: number
  p999Us: number
  /** Cumulative, Prometheus style. */
  buckets: { leUs: number; count: number }[]
}

/** A certificate in use. */
export interface CertificateStats {
  /** How the configuration names it: 'listen[0].tls.certificates[0]'. */
  certificate: string
  /** The first name that it is for; '' when it has none. */
  name: string
  /** When it ends, in seconds since 1970. */
  expires: number
  /** When what its authority says of it ends; 0: there is nothing to tell clients. */
  ocspExpires: number
}

/** Configurations: what reload() replaces. */
export interface GenerationStats {
  /** Counts the configurations that have been served, from 1. */
  number: number
  /** Gauge: of these, the ones on which something is still under way, that of now included. */
  live: number
  /** Reloads that found nothing new, and that were refused. */
  unchanged: number
  failed: number
}

/** Everything that a gateway counts. */
export interface GatewayStats {
  generation: GenerationStats
  /** Sums over the workers. */
  total: NativeWorkerStats
  workers: NativeWorkerStats[]
  latencies: LatencyStats[]
  questions: QuestionStats
  cache: CacheStats
  /** Targets by upstream, with what happened to each and how it does. */
  upstreams: UpstreamStats[]
  compression: CompressionStats
  channels: ChannelStats[]
  /** By the name of the relay: the key of its route unless it has another. */
  relays: RelayStats[]
  /** Gauges of the core: descriptors and bytes that it holds, running transfers included. */
  files: { descriptors: number; heldBytes: number }
  /** Gauges: directories and paths under inotify; and a counter of the changes that it told. */
  watched: { folders: number; paths: number; changes: number }
  /** Of every listener that speaks TLS. */
  certificates: CertificateStats[]
  /** Lines of the access log; none when it is off. */
  accessLog: AccessLogStats
  /** The threads for whatever may block on a disk. */
  io: { threads: number; done: number; waiting: number; syscalls: Record<string, number> }
}

export interface StatsSources {
  native: NativeStats
  questions: QuestionStats
  cache: CacheStats
  /** In the order of the configuration. */
  upstreams: readonly UpstreamState[]
  compression: CompressionStats
  /** By the names of their routes. */
  traffic: readonly NamedTraffic[]
  certificates: CertificateStats[]
  generation: GenerationStats
}

/** One object of all counters. */
export function combineStats({ native, upstreams, traffic, ...desk }: StatsSources): GatewayStats {
  return {
    total: native.workers.reduce<NativeWorkerStats>(addWorker, noWorker()),
    workers: native.workers,
    latencies: traffic.map(latencyOf),
    ...desk,
    upstreams: upstreamStats(upstreams, native.upstreams),
    ...splitChannels(native.channels),
    files: native.files,
    watched: native.watched,
    accessLog: native.accessLog,
    io: native.io,
  }
}

function latencyOf({ key, upstream, ...traffic }: NamedTraffic): LatencyStats {
  const { engine, statusClass, count, bytes, sumUs, buckets } = traffic
  return {
    route: key,
    engine,
    upstream,
    status: `${statusClass}xx`,
    count,
    bytes,
    sumUs,
    meanUs: count === 0 ? 0 : sumUs / count,
    p50Us: quantileUs(buckets, 0.5),
    p90Us: quantileUs(buckets, 0.9),
    p99Us: quantileUs(buckets, 0.99),
    p999Us: quantileUs(buckets, 0.999),
    buckets,
  }
}

function noWorker(): NativeWorkerStats {
  return {
    accepted: 0,
    connections: 0,
    refused: 0,
    requests: 0,
    bytesIn: 0,
    bytesOut: 0,
    questions: 0,
    remembered: 0,
    answers: 0,
    parked: 0,
    hooks: { asked: 0, open: 0, remembered: 0, limited: 0, denied: 0 },
    mirrors: noMirrors(),
    turns: 0,
    turnTimes: { count: 0, sumUs: 0, buckets: [] },
    blockedOn: {},
    pipes: { open: 0, made: 0, refused: 0 },
    tls: { underWay: 0, handshakes: 0, resumed: 0, kernel: 0, putOff: 0 },
    engines: {},
    syscalls: {},
    errors: {},
    statuses: {},
  }
}

function addWorker(sum: NativeWorkerStats, one: NativeWorkerStats): NativeWorkerStats {
  return {
    accepted: sum.accepted + one.accepted,
    connections: sum.connections + one.connections,
    refused: sum.refused + one.refused,
    requests: sum.requests + one.requests,
    bytesIn: sum.bytesIn + one.bytesIn,
    bytesOut: sum.bytesOut + one.bytesOut,
    questions: sum.questions + one.questions,
    remembered: sum.remembered + one.remembered,
    answers: sum.answers + one.answers,
    parked: sum.parked + one.parked,
    hooks: {
      asked: sum.hooks.asked + one.hooks.asked,
      open: sum.hooks.open + one.hooks.open,
      remembered: sum.hooks.remembered + one.hooks.remembered,
      limited: sum.hooks.limited + one.hooks.limited,
      denied: sum.hooks.denied + one.hooks.denied,
    },
    mirrors: addMirrorStats(sum.mirrors, one.mirrors),
    turns: sum.turns + one.turns,
    turnTimes: addHistograms(sum.turnTimes, one.turnTimes),
    blockedOn: addCounts(sum.blockedOn, one.blockedOn),
    pipes: {
      open: sum.pipes.open + one.pipes.open,
      made: sum.pipes.made + one.pipes.made,
      refused: sum.pipes.refused + one.pipes.refused,
    },
    tls: {
      underWay: sum.tls.underWay + one.tls.underWay,
      handshakes: sum.tls.handshakes + one.tls.handshakes,
      resumed: sum.tls.resumed + one.tls.resumed,
      kernel: sum.tls.kernel + one.tls.kernel,
      putOff: sum.tls.putOff + one.tls.putOff,
    },
    engines: addEngines(sum.engines, one.engines),
    syscalls: addCounts(sum.syscalls, one.syscalls),
    errors: addCounts(sum.errors, one.errors),
    statuses: addCounts(sum.statuses, one.statuses),
  }
}

function addCounts(left: Record<string, number>, right: Record<string, number>) {
  const sum = { ...left }
  for (const [name, count] of Object.entries(right)) sum[name] = (sum[name] ?? 0) + count
  return sum
}

function addEngines(left: NativeWorkerStats['engines'], right: NativeWorkerStats['engines']) {
  const sum = { ...left }
  for (const [name, { responses, bytes }] of Object.entries(right)) {
    const before = sum[name] ?? { responses: 0, bytes: 0 }
    sum[name] = { responses: before.responses + responses, bytes: before.bytes + bytes }
  }
  return sum
}
