// How late the loop of this JavaScript thread is, looked at twice a second while somebody wants to
// know: whoever waits for it, such as a question about a file, waits as long. Costs two wake-ups a
// second. Must never keep the process alive.

import type { Observations } from './exposition.ts'

const intervalMs = 500
const mostOctaves = 40

export class LoopLag {
  /** By power of two: [i] took less than 2 ** i microseconds, but not less than half of it. */
  readonly #octaves = new Array<number>(mostOctaves).fill(0)
  readonly #timer: NodeJS.Timeout
  #sumUs = 0
  #due: number

  constructor() {
    this.#due = performance.now() + intervalMs
    this.#timer = setInterval(() => this.#look(), intervalMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  observations(): Observations {
    let count = 0
    const buckets = this.#octaves.map((own, exponent) => {
      count += own
      return { leUs: 2 ** exponent - 1, count }
    })
    return { count, sumUs: this.#sumUs, buckets }
  }

  #look(): void {
    const now = performance.now()
    const lagUs = Math.max(0, Math.floor((now - this.#due) * 1000))
    const octave = Math.min(Math.ceil(Math.log2(lagUs + 1)), mostOctaves - 1)
    this.#octaves[octave] = (this.#octaves[octave] ?? 0) + 1
    this.#sumUs += lagUs
    this.#due = now + intervalMs
  }
}
