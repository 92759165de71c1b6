// The generations of the configuration that live: the one of now, and those before it on which
// something is still under way. Main thread. Must never let more than three live, nor end what is
// under way before its time (timeouts.drain) is over.

import type { AppLink } from '../app/link.ts'
import type { NativeGateway } from '../native/interface.ts'

const mostGenerations = 3

interface Live {
  number: number
  app: AppLink | undefined
  adopted: PromiseWithResolvers<void>
  /** Running once another one has taken its place. */
  deadline: NodeJS.Timeout | undefined
  isOver: boolean
}

export interface LiveOptions {
  native: Pick<NativeGateway, 'endGeneration'>
  /** Nothing is under way on this one any more. */
  onOver(): void
}

export class LiveGenerations {
  readonly #options: LiveOptions
  readonly #all = new Map<number, Live>()
  #waiting: PromiseWithResolvers<void>[] = []

  constructor(options: LiveOptions) {
    this.#options = options
  }

  get count(): number {
    return this.#all.size
  }

  /** Of those on which something may be under way. */
  get oldest(): number {
    const numbers = [...this.#all.values()].filter(({ isOver }) => !isOver)
    return Math.min(...numbers.map(({ number }) => number))
  }

  begin(number: number, app: AppLink | undefined): void {
    const adopted = Promise.withResolvers<void>()
    adopted.promise.catch(() => {})
    this.#all.set(number, { number, app, adopted, deadline: undefined, isOver: false })
  }

  get hasRoom(): boolean {
    return this.#all.size < mostGenerations
  }

  /** Resolves when another one may begin. */
  async room(): Promise<void> {
    while (!this.hasRoom) {
      const change = Promise.withResolvers<void>()
      this.#waiting.push(change)
      await change.promise
    }
  }

  /** Another one takes its place: what is under way on it has so many milliseconds. */
  leave(number: number, drain: number): void {
    const live = this.#all.get(number)
    if (live === undefined) return
    live.deadline = setTimeout(() => this.#options.native.endGeneration(number), drain)
  }

  /** Resolves when every worker has it. */
  whenAdopted(number: number): Promise<void> {
    return this.#all.get(number)?.adopted.promise ?? Promise.resolve()
  }

  onAdopted(number: number): void {
    this.#all.get(number)?.adopted.resolve()
  }

  /** The core has nothing of it left. */
  onRetired(number: number): void {
    const live = this.#all.get(number)
    if (live === undefined || live.isOver) return
    live.isOver = true
    clearTimeout(live.deadline)
    this.#options.onOver()
    // What its functions do besides may end in peace.
    const stopped = live.app?.stop({ drain: true }) ?? Promise.resolve()
    void stopped.catch(() => {}).then(() => this.#remove(number))
  }

  /** The gateway has ended. Resolves when no app is left. */
  async stop(options: { drain: boolean }): Promise<void> {
    const ended = new Error('the gateway has ended')
    for (const { deadline, adopted } of this.#all.values()) {
      clearTimeout(deadline)
      adopted.reject(ended)
    }
    for (const { reject } of this.#waiting.splice(0)) reject(ended)
    await Promise.all([...this.#all.values()].map(({ app }) => app?.stop(options)))
  }

  #remove(number: number): void {
    this.#all.delete(number)
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }
}
