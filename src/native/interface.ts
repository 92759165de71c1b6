// The typed boundary to the C++ core: what goes in (one plain configuration, answers) and what
// comes out (batches of events). The twin of native/binding/, which checks everything again.
// Only src/native knows the .node file; everybody else sees these types.

import type { NativeAccessLog } from './access-log.ts'
import type { EncodedEvent, EncodeJob, NativeVariant } from './encodings.ts'
import type { LookedEvent, QuestionEvent, StaleEvent, TouchedEvent } from './file-events.ts'
import type { AdoptedEvent, RetiredEvent } from './generation-events.ts'
import type { NativeHooks } from './hooks.ts'
import type { NativeChannel, NativeChannelAction, NativeUpload } from './intake.ts'
import type { NativeListener } from './listener.ts'
import type { Look, LookAt } from './looks.ts'
import type { NativeSockets } from './sockets.ts'
import type { NativeStats } from './stats.ts'
import type { NativeTimeouts } from './timeouts.ts'
import type { NativeCertificates, NativeTls, TlsProblem } from './tls.ts'
import type { NativeTransfer } from './transfer.ts'
import type { NativeProxy, NativeTarget, NativeUpstream } from './upstreams.ts'
import type { LocationPart, NativeAddress } from './values.ts'

export type { ContentCoding, EncodedEvent, EncodeJob, NativeVariant } from './encodings.ts'
export type {
  DirectoryEntry,
  LookedEvent,
  QuestionEvent,
  StaleEvent,
  TouchedEvent,
} from './file-events.ts'
export type { AdoptedEvent, RetiredEvent } from './generation-events.ts'
export type {
  ChannelStats,
  NativeChannel,
  NativeChannelAction,
  NativeChannelStats,
  NativeFeed,
  NativeUpload,
} from './intake.ts'
export type { NativeListener } from './listener.ts'
export type { Look, LookAt } from './looks.ts'
export type {
  MirrorStats,
  NativeHistogram,
  NativeStats,
  NativeTraffic,
  NativeWorkerStats,
} from './stats.ts'
export type { NativeTimeouts } from './timeouts.ts'
export type { NativeTransfer } from './transfer.ts'
export type { NativeProxy, NativeTarget, NativeTargetStats, NativeUpstream } from './upstreams.ts'
export type { LocationPart, NativeAddress, NativeEndpoint } from './values.ts'

/**
 * What TypeScript hands the core at start, and again whole when the configuration is replaced.
 * Plain data: no functions, no class instances. Indexes of listeners, upstreams and routes are
 * numbers that outlive a generation: what did not change keeps its number, null is a hole where
 * somebody has left (src/gateway/numbering.ts).
 */
export interface NativeConfig {
  /** Counts the configurations of a gateway, from 1. */
  generation: number
  /** Native worker threads, each with its own event loop and listeners. */
  workers: number
  listeners: (NativeListener | null)[]
  limits: NativeLimits
  /** In milliseconds, but for the rate. */
  timeouts: NativeTimeouts
  transfer: NativeTransfer
  /** null: there is none. */
  accessLog: NativeAccessLog | null
  /**
   * Whose word on a client's address is believed: 'address/bits', and 'unix' for whoever connects
   * to a unix socket.
   */
  trustedProxies: string[]
  /** Value of the Server field; empty: none is sent. */
  serverName: string
  /** The index of an upstream in this array is its id in routes, targets and stats. */
  upstreams: (NativeUpstream | null)[]
  /** The index of a channel in this array is its id in routes, publish() and stats. */
  channels: (NativeChannel | null)[]
  /** The index of a route in this array is its id in questions and stats. */
  routes: (NativeRoute | null)[]
}

export interface NativeLimits {
  connectionsPerWorker: number
  /** Over all workers; 0: no limit. */
  connectionsPerAddress: number
  /** Requests on one connection before it is closed; 0: no limit. */
  keepAliveRequests: number
  headBytes: number
  /** Of what targets answer. */
  responseHeadBytes: number
  targetBytes: number
  /** Number of header fields. */
  headers: number
  bodyBytes: number
  /** TLS handshakes under way in one worker. */
  handshakes: number
  /** Copies under way to mirrors, and bytes that wait for those, over all workers. */
  mirrors: number
  mirrorBytes: number
}

export interface NativeRoute {
  /** As the user wrote it, for messages and stats. */
  key: string
  /** Upper-case method, or '' for any. GET also answers HEAD. */
  method: string
  /** '' for any, 'example.com', or '*.example.com'; lower case, no port. */
  host: string
  /** '/a/:name/*': literal segments (decoded), parameters, and a final '*'. */
  path: string
  action: NativeAction
  /** What stands before and around the action; null: nothing. */
  hooks: NativeHooks | null
}

export type NativeAction =
  | {
      kind: 'files'
      root: string
      mode: 'auto' | 'copy'
      /** Of the route: on answers to OPTIONS. */
      fields: string
      /** null: nothing is taken in. */
      upload: NativeUpload | null
      /** Takes requests without a file (NativeAnswer.otherwise) and those of other methods. */
      otherwise: NativeAction | null
    }
  | { kind: 'respond'; status: number; fields: string; body: Uint8Array }
  | {
      kind: 'redirect'
      status: number
      fields: string
      location: LocationPart[]
      keepQuery: boolean
    }
  | NativeProxy
  | NativeChannelAction

/** Something an operator should know; rate-limited by the core. */
export interface FaultEvent {
  type: 'fault'
  worker: number
  /** Name from the list of errors, or an errno name. */
  code: string
  /** One sentence for people, with the setting to change where there is one. */
  message: string
}

/** All workers have ended after drain() or close(). The last event. */
export interface EndedEvent {
  type: 'ended'
}

export type NativeEvent =
  | QuestionEvent
  | LookedEvent
  | EncodedEvent
  | TouchedEvent
  | StaleEvent
  | FaultEvent
  | AdoptedEvent
  | RetiredEvent
  | EndedEvent

/** The answer to a question: how the worker serves this route and path from now on. */
export interface NativeAnswer {
  /** Chosen by TypeScript, unique while remembered; names the answer in forget() and events. */
  id: number
  status: number
  /**
   * 'Name: value\r\n' lines. Without Date, Connection, Content-Length, ETag, Last-Modified,
   * Accept-Ranges: the core makes those from the descriptor that it sends.
   */
  fields: string
  /** Open file to send, or 0. */
  file: number
  /**
   * The same file encoded, for clients that take the coding: of those that a client weighs the
   * same, the first. The core adds Content-Encoding; Vary is up to `fields`.
   */
  variants: NativeVariant[]
  /** Body when there is no file; null: the core's short text for the status. */
  body: Uint8Array | null
  /**
   * Answer with a Location: the request's path without its last `drop` bytes (as decoded),
   * then `add`, then the query. The status must be 3xx.
   */
  relocation: { drop: number; add: string } | null
  /** There is no file: the route's `otherwise` takes the request. */
  otherwise: boolean
  /** The same content for clients that prefer application/json to text/html; no file then. */
  json: { fields: string; body: Uint8Array } | null
  /** Whether the worker keeps the answer. */
  remember: boolean
  /** The worker looks again after a second, off its own thread; any difference makes it stale. */
  looks: Look[]
}

/** What a route would do with a request, for `sluice explain`. */
export interface NativeMatch {
  /** Index into NativeConfig.routes, or -1. */
  route: number
  /** Methods that the path has, when no route takes this one (405). */
  allow: string[]
  /** What the final '*' matched, as in QuestionEvent; null when it cannot name a file. */
  rest: string | null
  /** Error name when the request itself is refused ('dot-segment' …), else ''. */
  error: string
}

/** One system call or feature the core tried at start. */
export interface NativeCapability {
  name: string
  available: boolean
  /** errno name when not available, else ''. */
  error: string
  /** What is used instead, or what it is used for. */
  detail: string
}

/**
 * One gateway in the core. Made on, and called from, one JavaScript thread; `onEvents` is called on
 * it with one batch. Two of them in one process do not know each other.
 */
export interface NativeGateway extends NativeCertificates {
  /**
   * Binds every listener and starts the workers. Throws with `code` EADDRINUSE and the like. By
   * number of the listener, `inherited` has sockets that are taken over instead (see sockets.ts).
   */
  listen(inherited?: readonly (readonly number[])[]): (NativeAddress | null)[]
  /**
   * Goes on with another configuration. Binds what is new first; throws as listen() does, and then
   * nothing has changed. Returns where it listens. `workers` and `accessLog` stay as they were.
   * Answers with one AdoptedEvent, and in time with a RetiredEvent for the one before.
   */
  replace(config: NativeConfig): (NativeAddress | null)[]
  /** Ends what is still under way on an old generation. */
  endGeneration(generation: number): void
  /** By number, the descriptors of its sockets, for a successor; until drain() or close(). */
  listeningSockets(): number[][]
  /** A successor has them: drain() and close() leave the paths of unix sockets alone. */
  leaveListeners(): void
  /** Asks all workers for a sign of life; how long the slowest has been asked already, in ms. */
  beat(): number
  /**
   * Looks up a path beneath a root on an I/O thread and opens it when it is a regular file. Answers
   * with one LookedEvent.
   */
  look(id: number, where: LookAt): void
  /** Answers one question. Unknown questions (the client has gone) are ignored. */
  answer(worker: number, question: number, answer: NativeAnswer): void
  /** Every worker drops these answers; running transfers finish. */
  forget(answers: number[]): void
  /** Gives files back. The descriptor closes when the last answer and transfer let go. */
  release(files: number[]): void
  /**
   * Replaces the targets of an upstream on every worker. Requests under way keep theirs; idle
   * connections to targets that are gone close.
   */
  setTargets(upstream: number, targets: NativeTarget[]): void
  /** Where workers ask hooks from now on: a unix socket, or '' for nowhere. */
  setHookSocket(path: string): void
  /**
   * A connection for a process that encodes files (files/encoder-process.ts), instead of the one
   * before. The descriptor is for that process; the caller closes it. Throws with a `code`.
   */
  connectEncoder(): number
  /** The process sees the end of its input; what is under way fails. */
  disconnectEncoder(): void
  /** Answers with one EncodedEvent. Jobs are done in their order. */
  encode(id: number, job: EncodeJob): void
  /** Sends a message to every client of a channel. The id that it got. */
  publish(channel: number, bytes: Uint8Array, event: string): number
  /** Which route a request would take. Works before listen(). */
  match(method: string, host: string, target: string): NativeMatch
  stats(): NativeStats
  /** Opens the access log anew, where it goes to a name. Returns before that has happened. */
  reopenLogs(): void
  /** Stops accepting, finishes requests, then ends; hard stop after timeouts.drain. */
  drain(): void
  /** Ends at once. Idempotent. */
  close(): void
}

export interface NativeAddon extends NativeSockets {
  /** Throws a TypeError naming the path of the first thing wrong in `config`. */
  createGateway(config: NativeConfig, onEvents: (events: NativeEvent[]) => void): NativeGateway
  /** Tries what the kernel and its filters allow. */
  capabilities(): NativeCapability[]
  /** What is wrong with the files that it names. */
  checkTls(tls: NativeTls): TlsProblem[]
  /** 'OpenSSL 3.0.17 …'. */
  tlsLibrary: string
  /** CPUs that this process may use: affinity and cgroup quota, at least 1. */
  usableCpus(): number
  /** 'release' | 'asan' | 'tsan' … */
  buildKind: string
}
