// What the core tells of files: what workers ask, what was found, what has changed. Types only.

/** A worker met a path that its table does not remember; the request is parked until the answer. */
export interface QuestionEvent {
  type: 'question'
  worker: number
  /** Unique among the open questions of that worker. */
  id: number
  /** Index into NativeConfig.routes. */
  route: number
  /**
   * What the final '*' matched, percent-decoded once, valid UTF-8, without empty or dot segments,
   * with its leading slash: '/docs/*' asks '' for '/docs', '/' for '/docs/', '/a' for '/docs/a'.
   * A NUL alone stands for every path that cannot name a file.
   */
  path: string
}

/** The outcome of NativeGateway.look(), from an I/O thread. */
export interface LookedEvent {
  type: 'looked'
  id: number
  /**
   * 'special': neither file nor directory (FIFO, socket, device). 'refused': escapes the root, no
   * permission, a name too long or a loop. 'failed': the system could not tell (EIO, EMFILE …).
   */
  outcome: 'file' | 'directory' | 'absent' | 'special' | 'refused' | 'failed'
  /** Id of the open file when outcome is 'file', else 0. The caller owns it: release() it once. */
  file: number
  /** Bytes, by fstat of the very descriptor. */
  size: number
  /** Modification time in milliseconds since the epoch. */
  mtimeMs: number
  /** Device, inode, size, times in one number: equal means unchanged; 0n: nothing was there. */
  identity: bigint
  /** Bytes that the core holds in memory for it; 0: it holds a descriptor instead. */
  heldBytes: number
  /** errno name when refused or failed, else ''. */
  error: string
  /** Of a directory that was to be listed: what is in it and can be asked for, in no order. */
  entries: DirectoryEntry[]
  /** There were more entries than fit. */
  hasMore: boolean
}

/** A regular file or a directory, perhaps by a symlink. */
export interface DirectoryEntry {
  name: string
  type: 'file' | 'directory'
  /** Bytes; 0 for a directory. */
  size: number
  mtimeMs: number
}

/** Remembered answers that workers gave since the last such event (at most every 100 ms). */
export interface TouchedEvent {
  type: 'touched'
  answers: number[]
}

/**
 * What these answers rest on has changed on disk; the worker that noticed has dropped them.
 * TypeScript forgets them, which tells the other workers.
 */
export interface StaleEvent {
  type: 'stale'
  answers: number[]
}
