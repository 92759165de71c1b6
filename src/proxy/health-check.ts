// Active checks of one target: when the next one is due, and what a row of outcomes means. A check
// begins only when the one before it has ended; how it is made is somebody else's (probes.ts). Main
// thread.

import { type Clock, jittered } from './clock.ts'
import type { Gate } from './gate.ts'

/** Throws an Error that says in a few words what is wrong; ends soon after `signal` says so. */
export type Probe = (signal: AbortSignal) => Promise<void>

/** Up or down as checks say; 'unchecked' until the first one has ended, and as good as up. */
export type Health = 'unchecked' | 'up' | 'down'

export interface HealthCheckOptions {
  probe: Probe
  /** What the first check waits for; its time does not count. */
  ready: () => Promise<void>
  /** Milliseconds. */
  interval: number
  timeout: number
  rise: number
  fall: number
  clock: Clock
  /** Bounds how many checks of a gateway run at once. */
  gate: Gate
  /** With why, when it is down. */
  onChange: (health: Health, reason: string) => void
}

/** Around each interval, so that many targets are not checked in step. */
const jitterShare = 0.1

export class HealthCheck {
  readonly #options: HealthCheckOptions
  readonly #stop = new AbortController()
  #health: Health = 'unchecked'
  /** Outcomes in a row that contradict `#health`. */
  #against = 0
  #lastReason = ''
  #callOff: () => void = () => {}

  constructor(options: HealthCheckOptions) {
    this.#options = options
  }

  get health(): Health {
    return this.#health
  }

  /** Why the last check failed; '' when it did not. */
  get lastReason(): string {
    return this.#lastReason
  }

  /** Checks now, and goes on until stop(). */
  start(): void {
    const begin = () => void (this.#stop.signal.aborted || this.#check())
    this.#options.ready().then(begin, begin)
  }

  stop(): void {
    this.#stop.abort()
    this.#callOff()
  }

  async #check(): Promise<void> {
    const { gate, clock, interval } = this.#options
    const reason = await gate.run(() => this.#probe())
    if (this.#stop.signal.aborted) return
    this.#take(reason)
    this.#callOff = clock.after(jittered(clock, interval, jitterShare), () => void this.#check())
  }

  /** Why it failed, or ''. */
  async #probe(): Promise<string> {
    const { probe, clock, timeout } = this.#options
    const late = new AbortController()
    const callOff = clock.after(timeout, () => late.abort())
    try {
      await probe(AbortSignal.any([late.signal, this.#stop.signal]))
      return ''
    } catch (error) {
      return late.signal.aborted ? `no answer within ${timeout} ms` : (error as Error).message
    } finally {
      callOff()
    }
  }

  #take(reason: string): void {
    this.#lastReason = reason
    const outcome = reason === '' ? 'up' : 'down'
    if (outcome === this.#health) {
      this.#against = 0
      return
    }
    this.#against += 1
    const { rise, fall, onChange } = this.#options
    const enough = this.#health === 'unchecked' ? 1 : outcome === 'up' ? rise : fall
    if (this.#against < enough) return
    this.#health = outcome
    this.#against = 0
    onChange(outcome, reason)
  }
}
