// The descriptor cache: the files that the core holds open for us, bounded by number and by bytes
// in memory, most recently served last to go. Main thread. JavaScript sees ids, never descriptors.
// Must never release a file that an answer in the making still needs, nor keep one that no answer
// rests on: a kept file costs a descriptor and, when deleted on disk, its space.
// Encodings that were made of a file are kept beside it, also while no answer rests on them.
//
//   look ─▶ pinned by who waits ─▶ attached to answers ─▶ dropped ─▶ released when unpinned
//                                          │ evicted, idle, stale, replaced, last answer gone

import { LRUCache } from 'lru-cache'
import type {
  ContentCoding,
  EncodedEvent,
  LookAt,
  LookedEvent,
  NativeGateway,
} from '../native/interface.ts'
import type { Finding } from './decide.ts'
import { PendingLooks } from './looks.ts'
import type { Outbox } from './outbox.ts'

/** A file that the core holds for us. */
export interface OpenFile {
  readonly key: string
  /** Id in the core; never used again after release. */
  readonly id: number
  readonly identity: bigint
  readonly size: number
  readonly heldBytes: number
  readonly hasDescriptor: boolean
  /** An encoding of the file with this identity: its content exists nowhere else. */
  readonly isEncoding: boolean
  /** Ids of the remembered answers that send it. */
  readonly answers: Set<number>
  /** Decisions in progress that found it. */
  pins: number
  /** No longer in the cache; released when the last pin goes. */
  dropped: boolean
}

/** What a look found; `open` is pinned for the caller, who must unpin() it once. */
export interface Found extends Finding {
  open: OpenFile | null
}

export interface FileCacheBounds {
  /** At least 1. */
  files: number
  bytes: number
  /** Of those files, how many may be open: connections need descriptors, too. */
  descriptors: number
}

export interface FileCacheOptions {
  native: Pick<NativeGateway, 'look'>
  outbox: Outbox
  bounds: FileCacheBounds
  /** A file has gone from the cache: these answers must be forgotten. */
  onDropped: (answers: number[]) => void
  /** Clock in milliseconds, for tests. */
  clock?: { now(): number }
}

/** Counters since start, and sizes now. */
export interface FileCacheCounts {
  files: number
  heldBytes: number
  looks: number
  opened: number
  shared: number
  evictedFiles: number
  idleFiles: number
}

/**
 * A file that nobody asked for this long is closed, so that what was deleted gives back its space.
 */
const idleMs = 60_000

export class FileCache {
  readonly #looks: PendingLooks<Found>
  readonly #outbox: Outbox
  readonly #onDropped: (answers: number[]) => void
  readonly #files: LRUCache<string, OpenFile>
  readonly #mostDescriptors: number
  #descriptors = 0
  readonly #counts = { heldBytes: 0, opened: 0, shared: 0, evictedFiles: 0, idleFiles: 0 }

  constructor(options: FileCacheOptions) {
    this.#looks = new PendingLooks(options.native)
    this.#outbox = options.outbox
    this.#onDropped = options.onDropped
    const { files, bytes, descriptors } = options.bounds
    this.#mostDescriptors = descriptors
    // Every entry must cost something: all that are open by descriptor cost less than one byte.
    const costOfByte = files + 1
    this.#files = new LRUCache<string, OpenFile>({
      max: files,
      maxSize: bytes * costOfByte + files,
      sizeCalculation: (file) => file.heldBytes * costOfByte + 1,
      ttl: idleMs,
      ttlResolution: 0,
      updateAgeOnGet: true,
      allowStale: true,
      noDeleteOnStaleGet: true,
      disposeAfter: (file, _key, reason) => this.#disposed(file, reason),
      ...(options.clock ? { perf: options.clock } : {}),
    })
  }

  /**
   * Looks there now; whoever asks while a look is under way shares it. A file that is already open
   * and has not changed is found again under its old id.
   */
  look(where: LookAt): Promise<Found> {
    return this.#looks.join(where)
  }

  /**
   * The outcome of a look. After close(), or of a look that nobody made, its file is given back.
   */
  looked(event: LookedEvent): void {
    const pending = this.#looks.take(event.id)
    if (!pending) {
      if (event.file !== 0) this.#outbox.release(event.file)
      return
    }
    if (!pending.isRetry && ranOut(event) && this.relieve()) {
      this.#looks.retry(pending)
      return
    }
    const open = event.outcome === 'file' ? this.#admit(pending.key, event, pending.waiters) : null
    const { type: _type, id: _id, heldBytes: _heldBytes, ...found } = event
    pending.settle({ ...found, file: open?.id ?? 0, open })
  }

  /** Ends one pin that look() gave. */
  unpin(file: OpenFile): void {
    file.pins--
    if (file.pins > 0) return
    if (file.dropped) this.#outbox.release(file.id)
    else this.#letGo(file)
  }

  /** `answer` rests on the pinned `file`, which has not been dropped, from now on. */
  attach(file: OpenFile, answer: number): void {
    file.answers.add(answer)
  }

  /** `answer` was forgotten; a file that no answer rests on goes with the last one. */
  detach(file: OpenFile, answer: number): void {
    file.answers.delete(answer)
    this.#letGo(file)
  }

  /** A worker served it: it becomes the most recent one. */
  touch(file: OpenFile): void {
    if (!file.dropped) this.#files.get(file.key)
  }

  /**
   * It is no longer what the disk has: forgets every answer that rests on it. Encodings stay: whose
   * they are is told by identity.
   */
  drop(file: OpenFile): void {
    if (!file.dropped && !file.isEncoding) this.#files.delete(file.key)
  }

  /** The encoding that was made of the pinned `file` as it is, pinned once, if there is one. */
  encodingOf({ key, identity }: OpenFile, coding: ContentCoding): OpenFile | undefined {
    const encoding = this.#files.get(encodingKey(key, coding))
    if (encoding && encoding.identity !== identity) this.#files.delete(encoding.key)
    if (!encoding || encoding.dropped) return undefined
    encoding.pins++
    return encoding
  }

  /** Keeps what was made of `file`; false when there is no room for it at all. */
  admitEncoding(file: OpenFile, coding: ContentCoding, event: EncodedEvent): boolean {
    const key = encodingKey(file.key, coding)
    const { identity } = file
    return !this.#keep(openFile({ key, identity, isEncoding: true }, event)).dropped
  }

  /** The answers that rest on what is open where `file` was found. */
  answersOn({ key }: OpenFile): number[] {
    return [...(this.#files.peek(key)?.answers ?? [])]
  }

  /**
   * Descriptors have run out, or would: closes an eighth of those that the cache holds, least
   * recently served first, since it must not starve the listeners. False when it holds none.
   */
  relieve(): boolean {
    const holders = [...this.#files.rvalues()].filter((file) => file?.hasDescriptor)
    const chosen = holders.slice(0, Math.ceil(holders.length / 8))
    for (const file of chosen) if (file) this.#files.delete(file.key)
    this.#counts.evictedFiles += chosen.length
    this.#outbox.flush()
    return chosen.length > 0
  }

  /** Closes what nobody asked for in a minute. */
  purgeIdle(): void {
    this.#files.purgeStale()
  }

  /** Forgets everything; looks under way are given back when they arrive. */
  close(): void {
    this.#looks.clear()
    this.#files.clear()
  }

  counts(): FileCacheCounts {
    return { files: this.#files.size, looks: this.#looks.made, ...this.#counts }
  }

  /** The open file for what was looked at, old or new, pinned `pins` times. */
  #admit(key: string, event: LookedEvent, pins: number): OpenFile {
    const known = this.#files.get(key)
    if (known && known.identity === event.identity) {
      this.#outbox.release(event.file)
      this.#counts.shared++
      known.pins += pins
      return known
    }
    const { identity, heldBytes } = event
    const state = { key, identity, isEncoding: false }
    this.#counts.opened++
    return this.#keep(openFile(state, { ...event, hasDescriptor: heldBytes === 0 }, pins))
  }

  #keep(file: OpenFile): OpenFile {
    this.#counts.heldBytes += file.heldBytes
    if (file.hasDescriptor && ++this.#descriptors > this.#mostDescriptors) this.relieve()
    // What somebody deleted gives back its space; an encoding would have to be made again.
    this.#files.set(file.key, file, file.isEncoding ? { ttl: 0 } : {})
    // Larger than the whole bound: the cache did not take it, so it is sent once and not
    // remembered.
    if (this.#files.peek(file.key) !== file) this.#disposed(file, 'evict')
    return file
  }

  /** Nobody waits for it: it goes, unless answers rest on it. */
  #letGo(file: OpenFile): void {
    const isNeeded = file.pins > 0 || file.answers.size > 0 || file.isEncoding
    if (!file.dropped && !isNeeded) this.#files.delete(file.key)
  }

  #disposed(file: OpenFile, reason: LRUCache.DisposeReason): void {
    file.dropped = true
    this.#counts.heldBytes -= file.heldBytes
    if (file.hasDescriptor) this.#descriptors--
    if (reason === 'evict') this.#counts.evictedFiles++
    if (reason === 'expire') this.#counts.idleFiles++
    const answers = [...file.answers]
    file.answers.clear()
    if (answers.length > 0) this.#onDropped(answers)
    if (file.pins === 0) this.#outbox.release(file.id)
  }
}

function ranOut({ outcome, error }: LookedEvent): boolean {
  return outcome === 'failed' && (error === 'EMFILE' || error === 'ENFILE')
}

type Opened = Pick<EncodedEvent, 'file' | 'size' | 'heldBytes' | 'hasDescriptor'>

function openFile(
  state: Pick<OpenFile, 'key' | 'identity' | 'isEncoding'>,
  { file: id, size, heldBytes, hasDescriptor }: Opened,
  pins = 0,
): OpenFile {
  return { ...state, id, size, heldBytes, hasDescriptor, answers: new Set(), pins, dropped: false }
}

/** No key of a look begins like this. */
function encodingKey(key: string, coding: ContentCoding): string {
  return `${coding}\0${key}`
}
