// The options of what clients give, files and messages. Written from the tables of
// schema*.ts: change those, then run scripts/generate-config-docs.ts.

import type { Hooks } from './hooks.ts'
import type { PathParams } from './path-params.ts'
import type { Duration, Size } from './units.ts'

/** Options of channel(). */
export interface ChannelOptions<Params = PathParams> {
  /**
   * How messages follow each other: server-sent events, one line of JSON each, or their bytes as
   * they are. Default: `'sse'`.
   */
  as?: 'sse' | 'ndjson' | 'raw'
  /**
   * How many of the newest messages a client gets first, as far as they are still in the buffer.
   * One that says Last-Event-ID gets what came after that. Default: `0`.
   */
  history?: number
  /**
   * What happens to a client that is further behind than the buffer reaches: it goes on with the
   * newest message, or its connection ends. Default: `'skip'`.
   */
  slow?: 'skip' | 'disconnect'
  /**
   * Bytes of the newest messages that are kept for slow clients and history. Of several routes of
   * one channel the largest value counts. Default: `'4mb'`.
   */
  buffer?: Size
  /** How many messages are kept at most. Default: `1000`. */
  bufferMessages?: number
  /**
   * After so long without a message a comment is sent, for server-sent events. 0: never. Default:
   * `'15s'`.
   */
  heartbeat?: Duration
  /**
   * Who sends it in Authorization: Bearer may publish by POST: the body is the message, the field
   * Sluice-Event its type. '': nobody. Default: `''`.
   */
  token?: string
  /** The longest message that is taken by POST; beyond it 413. Default: `'1mb'`. */
  messageBytes?: Size
  /** Header fields of the answer. */
  headers?: Readonly<Record<string, string>>
  /** What requests pass before the action. See docs/HOOKS.md. Default: none. */
  hooks?: Hooks<Params>
}

/** What is taken in beneath the root. */
export interface UploadOptions {
  /** Whether PUT and POST are taken at all. Default: `true`. */
  enabled?: boolean
  /** The largest file that is taken; beyond it 413. Default: limits.bodyBytes. */
  bodyBytes?: Size
  /**
   * How much all files beneath the root may be together; beyond it 507. What others write there is
   * counted within a minute. Default: `false`.
   */
  quota?: Size | false
  /** Whether PUT may replace a file. false: 409 where there is one. Default: `true`. */
  replace?: boolean
  /** Whether DELETE removes files. Never directories. Default: `false`. */
  delete?: boolean
  /**
   * Whether directories that are missing are made. false: 409 where there is none. Default:
   * `true`.
   */
  directories?: boolean
  /** Whether a file and its name are on the disk before the answer says so. Default: `false`. */
  fsync?: boolean
}
