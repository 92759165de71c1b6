// One service and who offers it, as SRV records (RFC 2782) say: asked for again at fixed times,
// since Node does not tell how long such an answer is good for. What was known stays until
// something better is known. Main thread; one question at a time.

import { type Clock, jittered } from './clock.ts'
import type { Lookup, Service, ServiceRecord } from './lookup.ts'

/** From an answer to the next question. */
const intervalMs = 10_000
/** The first pause after a failure; each is twice the one before, up to `longestMs`. */
const firstPauseMs = 1_000
const longestMs = 30_000
/** More records than this of one service are not used: the first by priority are. */
const mostRecords = 64
/** The heaviest of a target's possible weights. */
const mostWeight = 1_000

/** A host that offers the service, as a target. */
export interface Offer {
  host: string
  port: number
  weight: number
  /** It is for when those of the best priority cannot. */
  backup: boolean
}

export interface ServiceWatchOptions {
  name: string
  lookup: Lookup
  clock: Clock
  /** Who offers it has changed. false: none of them can be used, so nothing was changed. */
  onChange: (offers: Offer[]) => Promise<boolean>
  /** The service is not found any more (with the reason), or is again (undefined). */
  onTrouble: (reason: string | undefined) => void
}

export class ServiceWatch {
  readonly #options: ServiceWatchOptions
  #known = ''
  #failures = 0
  #trouble: string | undefined
  #stopped = false
  #callOff: () => void = () => {}

  constructor(options: ServiceWatchOptions) {
    this.#options = options
  }

  /** Why there is no answer now; undefined while all is well. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** Asks, and goes on asking until stop(). Resolves when the first answer is in use. */
  async start(): Promise<void> {
    const { lookup, clock, name } = this.#options
    const found = await lookup
      .findService(name)
      .catch((error): Service => ({ kind: 'failed', reason: String(error.code ?? error.message) }))
    if (this.#stopped) return
    const pause = await this.#take(found)
    if (this.#stopped) return
    this.#callOff = clock.after(jittered(clock, pause, 0.2), () => void this.start())
  }

  stop(): void {
    this.#stopped = true
    this.#callOff()
  }

  /** Returns after how long to ask again. */
  async #take(found: Service): Promise<number> {
    if (found.kind !== 'found') {
      this.#report(found.reason)
      this.#failures += 1
      return Math.min(firstPauseMs * 2 ** (this.#failures - 1), longestMs)
    }
    this.#failures = 0
    this.#report(undefined)
    const offers = offersOf(found.records)
    const key = JSON.stringify(offers)
    if (key !== this.#known && (await this.#options.onChange(offers))) this.#known = key
    return intervalMs
  }

  #report(reason: string | undefined): void {
    if (reason === this.#trouble) return
    this.#trouble = reason
    this.#options.onTrouble(reason)
  }
}

/**
 * Records as targets, in an order of their own. The lowest priority number takes the requests; all
 * others are backups.
 */
export function offersOf(records: readonly ServiceRecord[]): Offer[] {
  const sorted = records
    .toSorted((a, b) => a.priority - b.priority || compare(nameOf(a), nameOf(b)))
    .filter((one, at, all) => all.findIndex((other) => nameOf(other) === nameOf(one)) === at)
    .slice(0, mostRecords)
  const best = sorted[0]?.priority
  const tiers = [
    sorted.filter(({ priority }) => priority === best),
    sorted.filter(({ priority }) => priority !== best),
  ]
  return tiers.flatMap((tier, index) => {
    const weights = sharesOf(tier.map(({ weight }) => weight))
    return tier.map(({ host, port }, at) => {
      return { host, port, weight: weights[at] ?? 1, backup: index === 1 }
    })
  })
}

/** 0 is the smallest share that there is (RFC 2782), unless all are 0: then they are alike. */
function sharesOf(weights: readonly number[]): number[] {
  const most = Math.max(...weights)
  if (most === 0) return weights.map(() => 1)
  const unit = weights.includes(0)
    ? most / mostWeight
    : Math.max(
        weights.reduce((a, b) => greatestDivisor(a, b), 0),
        most / mostWeight,
      )
  return weights.map((weight) => Math.max(1, Math.round(weight / unit)))
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b)
}

function nameOf({ host, port }: ServiceRecord): string {
  return `${host}:${port}`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
