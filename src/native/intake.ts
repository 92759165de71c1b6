// What clients give to the gateway, as the core takes its rules: files (upload of files()) and
// messages for channels. The twin of decode_upload and decode_channels in native/binding/decode.cc.

/** Messages that are kept and sent to whoever is connected. */
export interface NativeChannel {
  name: string
  /** How its routes send it: 0 server-sent events, 1 lines, 2 bytes as they are. */
  formats: number[]
  bufferBytes: number
  bufferMessages: number
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
