// How long the core waits: in milliseconds, but for the rate.

export interface NativeTimeouts {
  head: number
  body: number
  idle: number
  write: number
  /** Bytes per second of a body; 0: any. */
  minimumRate: number
  drain: number
  /** For the head of a handler's answer, for the verdict of a hook; 0: no limit. */
  handler: number
}
