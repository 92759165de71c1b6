// Counts requests with a token that is not ours, and says so at most once a minute: somebody may be
// guessing, or have a token that was replaced. Main thread; what was given is never written down.

import type { Logger } from '../telemetry/log.ts'

const silenceMs = 60_000

export class Guesses {
  readonly #logger: Logger
  #count = 0
  #reported = 0
  #nextMs = 0

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get count(): number {
    return this.#count
  }

  /** From `address`; '' on a unix socket. */
  note(address: string): void {
    this.#count += 1
    if (performance.now() < this.#nextMs) return
    const since = this.#count - this.#reported
    this.#reported = this.#count
    this.#nextMs = performance.now() + silenceMs
    const times = since === 1 ? 'once' : `${since} times`
    const fields = { code: 'admin-wrong-token', address, times: since }
    this.#logger.warn(fields, `the admin listener was asked with a wrong token, ${times}`)
  }
}
