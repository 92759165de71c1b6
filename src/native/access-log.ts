// The access log between TypeScript and the core: how it looks, where it goes, why it cannot be
// had. The twin of native/log/format.h. Pure; any thread.

/** The fields by their names in JSON lines, in the order in which they stand there. */
export const logFields = [
  'time',
  'client',
  'method',
  'host',
  'target',
  'protocol',
  'worker',
  'route',
  'referer',
  'userAgent',
  'requestId',
  'status',
  'bytes',
  'durationUs',
  'engine',
  'error',
  'upstream',
  'upstreamConnectUs',
  'upstreamFirstByteUs',
  'upstreamUs',
  'retries',
] as const

/** Those of a line unless the configuration names others. */
export const usualLogFields = logFields.filter((name) => name !== 'protocol' && name !== 'worker')

export type LogField = (typeof logFields)[number]

export interface NativeAccessLog {
  format: 'json' | 'combined'
  /** Of JSON lines. */
  fields: readonly LogField[]
  /** The share that is logged by the first digit of the status; [0]: without an answer. */
  sample: readonly [number, number, number, number, number, number]
  to: { kind: 'stdout' | 'stderr' | 'file' | 'socket'; path: string }
  /** Names of query parameters, lower case. */
  redact: readonly string[]
}

/** Lines since the start: written, their bytes, and those that were dropped. */
export interface AccessLogStats {
  lines: number
  bytes: number
  dropped: number
}

const reasons: Record<string, string> = {
  EACCES: 'permission denied',
  ENOENT: 'no such directory',
  EISDIR: 'it is a directory',
  EROFS: 'the file system is read-only',
  EBADF: 'it is closed',
  EAGAIN: 'no more threads can be started (raise ulimit -u)',
}

/** The access log could not be opened. */
export class AccessLogError extends Error {
  readonly code = 'ERR_SLUICE_ACCESS_LOG'
  override name = 'AccessLogError'
  /** errno name such as EACCES. */
  readonly errno: string

  /** `cause` is what the core threw. */
  constructor(to: NativeAccessLog['to'], cause: NodeJS.ErrnoException) {
    const { code = '', message } = cause
    const place = to.path === '' ? to.kind : to.path
    super(`cannot write the access log to ${place}: ${reasons[code] ?? message}`, { cause })
    this.errno = code
  }
}
