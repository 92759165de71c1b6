// Gathers what the core is to forget and to close, and hands it over once per turn of the main
// loop: a scan through a full cache evicts thousands of entries, and each call wakes every worker.
// Main thread. Must never reorder: what was handed over in answers before is forgotten after.

import type { NativeGateway } from '../native/interface.ts'

/** Pending forget() and release() calls of one gateway. */
export class Outbox {
  readonly #native: Pick<NativeGateway, 'forget' | 'release'>
  #answers: number[] = []
  #files: number[] = []
  #scheduled: NodeJS.Immediate | undefined

  constructor(native: Pick<NativeGateway, 'forget' | 'release'>) {
    this.#native = native
  }

  /** Every worker is to drop this answer. */
  forget(answer: number): void {
    this.#answers.push(answer)
    this.#schedule()
  }

  /** The core may close this file. Exactly once per file. */
  release(file: number): void {
    this.#files.push(file)
    this.#schedule()
  }

  /** Hands over what has gathered, now. */
  flush(): void {
    clearImmediate(this.#scheduled)
    this.#scheduled = undefined
    const answers = this.#answers
    const files = this.#files
    this.#answers = []
    this.#files = []
    if (answers.length > 0) this.#native.forget(answers)
    if (files.length > 0) this.#native.release(files)
  }

  #schedule(): void {
    this.#scheduled ??= setImmediate(() => this.flush())
  }
}
