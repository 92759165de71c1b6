// What the core counts, as it comes over the boundary. Counters only grow while a gateway lives;
// gauges say so.

import type { AccessLogStats } from './access-log.ts'
import type { NativeHookStats } from './hooks.ts'
import type { NativeChannelStats } from './intake.ts'
import type { TlsStats } from './tls.ts'
import type { NativeTargetStats } from './upstreams.ts'

/** Copies of requests to mirrors, by how they ended. */
export interface MirrorStats {
  /** The mirror has all of it and has answered. */
  sent: number
  /** It answered before it had all of it, and took no more. */
  refused: number
  /** No connection, reset, closed, or nonsense for an answer. */
  failed: number
  /** No connection or no answer in time. */
  timedOut: number
  /** More than maxBehind waited. */
  behind: number
  /** limits.mirrors, limits.mirrorBytes, or no descriptor. */
  limited: number
  /** No target could have it: down, ejected, full. */
  unavailable: number
  /** The request ended before all of it was read, or the gateway did. */
  aborted: number
  /** Gauges: under way, and bytes that mirrors have not taken yet. */
  inFlight: number
  waitingBytes: number
  /** Bytes that mirrors took, and bytes of bodies that tee duplicated. */
  bytes: number
  teedBytes: number
}

export interface NativeWorkerStats {
  /** Accepted, open now, refused by a limit. */
  accepted: number
  connections: number
  refused: number
  requests: number
  /** Bytes received and sent on client connections. */
  bytesIn: number
  bytesOut: number
  /** Questions asked, requests answered from the table, answers in the table now. */
  questions: number
  remembered: number
  answers: number
  /** Requests parked for an answer now. */
  parked: number
  hooks: NativeHookStats
  mirrors: MirrorStats
  /** Turns of the event loop, and how long they took: whoever came meanwhile had to wait. */
  turns: number
  turnTimes: NativeHistogram
  /** Gauges: open connections by what they wait for: 'read', 'write', 'answer', 'upstream' … */
  blockedOn: Record<string, number>
  tls: TlsStats
  /**
   * Pipes that bodies are spliced through: open now (at most 16 of them idle), made, and how often
   * none could be had, so that bytes were copied.
   */
  pipes: { open: number; made: number; refused: number }
  /** By engine: responses begun and body bytes moved. */
  engines: Record<string, { responses: number; bytes: number }>
  /** System calls by name. */
  syscalls: Record<string, number>
  /** By name from the list of errors. */
  errors: Record<string, number>
  /** By status code. */
  statuses: Record<string, number>
}

/** Observations in microseconds. */
export interface NativeHistogram {
  count: number
  /** Sum in microseconds. */
  sumUs: number
  /** Upper bounds in microseconds and how many were at most that; cumulative, Prometheus style. */
  buckets: { leUs: number; count: number }[]
}

/**
 * Responses of one route and kind over all workers, that are out: how long each took from the
 * complete head to its last byte. Routes that have left are there until their number is another's.
 */
export interface NativeTraffic extends NativeHistogram {
  /** Number of the route; -1: no route took it. */
  route: number
  engine: string
  /** First digit of the status. */
  statusClass: number
  /** An answer of the route's upstream, or ours because no target of it answered. */
  isForwarded: boolean
  /** Bytes of their bodies. */
  bytes: number
}

export interface NativeStats {
  workers: NativeWorkerStats[]
  traffic: NativeTraffic[]
  /** By upstream, in the order of NativeConfig.upstreams; targets in no order. */
  upstreams: { targets: NativeTargetStats[]; queued: number }[]
  /** In the order of NativeConfig.channels. */
  channels: (NativeChannelStats | null)[]
  /** Open file descriptors and bytes in memory that the core holds for files. */
  files: { descriptors: number; heldBytes: number }
  /**
   * Directories and paths that inotify watches now, and changes that it told since start of paths
   * that somebody's answer rested on.
   */
  watched: { folders: number; paths: number; changes: number }
  accessLog: AccessLogStats
  /** Jobs done and waiting in the I/O threads, and their system calls. */
  io: { threads: number; done: number; waiting: number; syscalls: Record<string, number> }
}
