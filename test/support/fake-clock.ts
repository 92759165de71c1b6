// Time that a test moves: timers run when their moment comes, in order, and what they set off
// settles before the next.

import { setImmediate as settled } from 'node:timers/promises'
import type { Clock } from '../../src/proxy/clock.ts'

export class FakeClock implements Clock {
  now = 0
  /** What random() gives: 0.5 is no jitter. */
  chance = 0.5
  #timers: { at: number; run: () => void }[] = []

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.now + ms, run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer)
    }
  }

  random(): number {
    return this.chance
  }

  /** How long until each timer that waits, the next first. */
  get waiting(): number[] {
    return this.#timers.map(({ at }) => at - this.now).sort((a, b) => a - b)
  }

  async advance(ms: number): Promise<void> {
    const end = this.now + ms
    for (;;) {
      await settled()
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#timers = this.#timers.filter((each) => each !== next)
      this.now = next.at
      next.run()
    }
    this.now = end
  }
}
