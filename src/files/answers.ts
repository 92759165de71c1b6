// Remembered answers by route and path, absences included, bounded in number, and in bytes where
// they are large. The workers' tables hold copies; what goes from here is forgotten there. Main
// thread.
// Must never hand out an id twice, nor keep an answer whose file the cache has dropped.

import { isDeepStrictEqual } from 'node:util'
import { LRUCache } from 'lru-cache'
import type { NativeAnswer } from '../native/interface.ts'
import type { FileCache, OpenFile } from './cache.ts'
import type { Decision } from './decide.ts'
import type { Outbox } from './outbox.ts'
import type { EncodingWish } from './variants.ts'

// Long paths and the pages of lists weigh more, so that the bound on answers bounds their memory.
const keyBytesPerAnswer = 256
const pageBytesPerAnswer = 1024

function weight(key: string, { body, json }: Pick<NativeAnswer, 'body' | 'json'>): number {
  const pageBytes = (body?.byteLength ?? 0) + (json?.body.byteLength ?? 0)
  return 1 + Math.floor(key.length / keyBytesPerAnswer) + Math.floor(pageBytes / pageBytesPerAnswer)
}

interface Remembered {
  key: string
  answer: NativeAnswer
  /** Those that it sends. */
  files: OpenFile[]
  wish: EncodingWish | undefined
}

/** Counters since start, and the size now. */
export interface AnswerCounts {
  answers: number
  confirmed: number
  evictedAnswers: number
  stale: number
}

export class AnswerTable {
  readonly #files: FileCache
  readonly #outbox: Outbox
  readonly #byKey: LRUCache<string, Remembered>
  readonly #byId = new Map<number, Remembered>()
  readonly #counts = { confirmed: 0, evictedAnswers: 0, stale: 0 }
  #lastId = 0

  /** `bound` answers are kept, the most recently served last to go. */
  constructor(files: FileCache, outbox: Outbox, bound: number) {
    this.#files = files
    this.#outbox = outbox
    // By size instead of `max`: that would reserve room for the whole bound at start.
    this.#byKey = new LRUCache<string, Remembered>({
      maxSize: Math.max(1, bound),
      sizeCalculation: ({ answer }, key) => weight(key, answer),
      disposeAfter: (remembered, _key, reason) => this.#disposed(remembered, reason),
    })
  }

  /**
   * Gives `decision` an id and remembers it under `key`, if it may be. `pinned` are the files that
   * its looks found. The same outcome as before keeps its id, so that workers share one answer.
   */
  admit(key: string, { wish, ...decision }: Decision, pinned: OpenFile[]): NativeAnswer {
    const before = this.#byKey.get(key)
    if (before && decision.remember && isSame(before.answer, decision)) {
      this.#counts.confirmed++
      return before.answer
    }
    const answer: NativeAnswer = { id: ++this.#lastId, ...decision }
    const sent = new Set([decision.file, ...decision.variants.map(({ file }) => file)])
    const files = [...new Set(pinned.filter(({ id }) => sent.has(id)))]
    // A file that was evicted while the answer was made is sent once more and not remembered.
    if (files.some(({ dropped }) => dropped)) answer.remember = false
    // Nor is what weighs more than all answers together may.
    if (weight(key, answer) > this.#byKey.maxSize) answer.remember = false
    if (answer.remember) this.#keep({ key, answer, files, wish })
    return answer
  }

  /**
   * Workers gave these answers: they and their files become the most recent ones. Gives the
   * encodings that they lack.
   */
  touched(ids: number[]): EncodingWish[] {
    const wishes: EncodingWish[] = []
    for (const id of ids) {
      const remembered = this.#byId.get(id)
      if (!remembered) continue
      this.#byKey.get(remembered.key)
      for (const file of remembered.files) this.#files.touch(file)
      if (remembered.wish) wishes.push(remembered.wish)
    }
    return wishes
  }

  /** A worker saw that the disk no longer agrees: the answers go, and with them their files. */
  stale(ids: number[]): void {
    for (const id of ids) {
      const remembered = this.#byId.get(id)
      if (!remembered) continue
      this.#counts.stale++
      this.#byKey.delete(remembered.key)
      for (const file of remembered.files) this.#files.drop(file)
    }
  }

  /**
   * An operator wants these to be decided anew: the answers go, and with them their files. How many
   * there were.
   */
  evict(isWanted: (key: string) => boolean): number {
    const wanted = [...this.#byKey.entries()].filter(([key]) => isWanted(key))
    for (const [key, { files }] of wanted) {
      this.#byKey.delete(key)
      for (const file of files) this.#files.drop(file)
    }
    return wanted.length
  }

  /** Forgets answers of which a file has gone. */
  forget(ids: number[]): void {
    for (const id of ids) {
      const remembered = this.#byId.get(id)
      if (remembered) this.#byKey.delete(remembered.key)
    }
  }

  /** Forgets what is remembered of routes; a key begins with the number of its route. */
  forgetRoutes(routes: ReadonlySet<number>): void {
    for (const key of [...this.#byKey.keys()]) {
      if (routes.has(Number.parseInt(key, 10))) this.#byKey.delete(key)
    }
  }

  close(): void {
    this.#byKey.clear()
  }

  counts(): AnswerCounts {
    return { answers: this.#byKey.size, ...this.#counts }
  }

  #keep(remembered: Remembered): void {
    for (const file of remembered.files) this.#files.attach(file, remembered.answer.id)
    this.#byId.set(remembered.answer.id, remembered)
    this.#byKey.set(remembered.key, remembered)
  }

  #disposed(remembered: Remembered, reason: LRUCache.DisposeReason): void {
    const { answer, files } = remembered
    if (reason === 'evict') this.#counts.evictedAnswers++
    this.#byId.delete(answer.id)
    this.#outbox.forget(answer.id)
    for (const file of files) this.#files.detach(file, answer.id)
  }
}

/** A decision follows from what its looks found, so equal findings are equal answers. */
function isSame(answer: NativeAnswer, decision: Omit<NativeAnswer, 'id'>): boolean {
  if (answer.file !== decision.file || answer.looks.length !== decision.looks.length) return false
  if (!isDeepStrictEqual(answer.variants, decision.variants)) return false
  return answer.looks.every((look, index) => look.identity === decision.looks[index]?.identity)
}
