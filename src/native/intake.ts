// What clients give to the gateway, as the core takes its rules: files (upload of files()) and
// messages for channels. The twin of decode_upload and decode_channels in native/binding/decode.cc.

import type { NativeProxy } from './upstreams.ts'

/** Messages that are kept and sent to whoever is connected. */
export interface NativeChannel {
  name: string
  /** How its routes send it: 0 server-sent events, 1 lines, 2 bytes as they are. */
  formats: number[]
  bufferBytes: number
  bufferMessages: number
  /** What is sent comes from an upstream; null: it is published. */
  feed: NativeFeed | null
}

/** The one stream behind relay() routes. Times in milliseconds. */
export interface NativeFeed {
  /** Where it comes from. */
  proxy: NativeProxy
  /** That is asked for, perhaps with a query. */
  path: string
  /** Value of Accept. */
  accept: string
  /** Where a client can begin: 0 events, 1 lines, 2 a marker, 3 anywhere. */
  cut: number
  marker: Uint8Array
  /** How long it stays open without a client. */
  linger: number
  /** How long clients are kept while it is away. */
  outage: number
}

/** A route that sends a channel. */
export interface NativeChannelAction {
  kind: 'channel'
  channel: number
  format: number
  /** Slow clients are taken to the newest message; else they are disconnected. */
  skips: boolean
  fields: string
  history: number
  /** Milliseconds; 0: none. */
  heartbeat: number
  /** '': nobody publishes by POST. */
  token: string
  messageBytes: number
  /** Of a feed: no client gets a piece that is not whole. */
  strict: boolean
  /** Of a feed, instead of history; 0: none. */
  historyBytes: number
}

export interface ChannelStats {
  name: string
  /** Gauge: clients that are connected. */
  clients: number
  published: number
  /** Messages that slow clients were not sent, and clients that were disconnected for it. */
  skipped: number
  cut: number
}

/** The same of a feed, whose messages are pieces, with what became of its upstream. */
export interface NativeChannelStats extends ChannelStats {
  /** Gauge: connections to the upstream that answer. */
  connections: number
  /** Answers that were begun to be read, and tries after one had broken. */
  opened: number
  reconnects: number
}

/** What a files() route takes in. */
export interface NativeUpload {
  replace: boolean
  delete: boolean
  /** Directories that are missing are made. */
  directories: boolean
  fsync: boolean
  /** Names may begin with a dot. */
  dotfiles: boolean
  /** Each name is asked for, as a question whose path begins with `mayWrite`. */
  asks: boolean
  bodyBytes: number
  /** Bytes of all files beneath the root; 0: no limit. */
  quota: number
}

/**
 * Begins the path of a question whether a file of that name may be written: answered by 204 or 403.
 * No path of a request has a NUL.
 */
export const mayWrite = '\0put/'
