// Bounds how many of something run at once; the others wait in line. Main thread.

export class Gate {
  readonly #most: number
  #running = 0
  readonly #line: (() => void)[] = []

  constructor(most: number) {
    this.#most = most
  }

  /** Runs `work` when it is its turn; passes on what it gives or throws. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running === this.#most) await new Promise<void>((resolve) => this.#line.push(resolve))
    else this.#running += 1
    try {
      return await work()
    } finally {
      // Whoever is next takes the place; it is never free in between.
      const next = this.#line.shift()
      if (next) next()
      else this.#running -= 1
    }
  }
}
