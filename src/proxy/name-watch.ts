// One name and the addresses that it has: asked for again when its time to live is over, and after
// failures with growing pauses. What was known stays until something better is known: no answer is
// no reason to have no targets. Main thread; one question at a time.

import { type Clock, jittered } from './clock.ts'
import type { Family, Found, Lookup } from './lookup.ts'

/** Times to live are taken as they are between these. */
const shortestMs = 1_000
const longestMs = 30_000
/** The first pause after a failure; each is twice the one before, up to `longestMs`. */
const firstPauseMs = 1_000
/** More addresses than this of one name are not used. */
const mostAddresses = 256

export interface NameWatchOptions {
  name: string
  lookup: Lookup
  clock: Clock
  /** The addresses have changed; never called with none once there were some. */
  onChange: (addresses: readonly string[]) => void
  /** The name stops resolving (with the reason), or does again (undefined). */
  onTrouble: (reason: string | undefined) => void
}

export class NameWatch {
  readonly #options: NameWatchOptions
  #v4: readonly string[] = []
  #v6: readonly string[] = []
  #failures = 0
  #trouble: string | undefined
  #asked = false
  #stopped = false
  #callOff: () => void = () => {}

  constructor(options: NameWatchOptions) {
    this.#options = options
  }

  /** Every address known, IPv4 first. */
  get addresses(): readonly string[] {
    return [...this.#v4, ...this.#v6]
  }

  /** Why there is no answer now; undefined while all is well. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** Whether there has been an answer, or a failure, yet. */
  get wasAsked(): boolean {
    return this.#asked
  }

  /** Asks, and goes on asking until stop(). Resolves after the first answer or failure. */
  async start(): Promise<void> {
    const { lookup, clock, name } = this.#options
    const found = await lookup.find(name).catch(
      (error): Found => ({
        v4: { kind: 'failed', reason: String(error.code ?? error.message) },
        v6: { kind: 'failed', reason: String(error.code ?? error.message) },
      }),
    )
    if (this.#stopped) return
    const pause = this.#take(found)
    this.#asked = true
    this.#callOff = clock.after(pause, () => void this.start())
  }

  stop(): void {
    this.#stopped = true
    this.#callOff()
  }

  /** Returns how long the answer is good for. */
  #take({ v4, v6 }: Found): number {
    const before = this.addresses.join()
    const hasSome = v4.kind === 'found' || v6.kind === 'found'
    if (hasSome) {
      this.#v4 = kept(v4, this.#v4)
      this.#v6 = kept(v6, this.#v6)
    }
    if (this.addresses.join() !== before) this.#options.onChange(this.addresses)
    const failed = [v4, v6].find(({ kind }) => kind === 'failed')
    this.#report(hasSome ? undefined : reasonOf(failed ?? v4))
    this.#failures = hasSome ? 0 : this.#failures + 1
    if (hasSome) return timeToLive(v4, v6)
    const pause = Math.min(firstPauseMs * 2 ** (this.#failures - 1), longestMs)
    return jittered(this.#options.clock, pause, 0.2)
  }

  #report(reason: string | undefined): void {
    if (reason === this.#trouble) return
    this.#trouble = reason
    this.#options.onTrouble(reason)
  }
}

function kept(family: Family, before: readonly string[]): readonly string[] {
  if (family.kind === 'failed') return before
  if (family.kind === 'none') return []
  // Sorted: servers turn the order of records with every answer.
  return [...new Set(family.addresses)].sort().slice(0, mostAddresses)
}

function timeToLive(...families: Family[]): number {
  const said = families.flatMap((family) => (family.kind === 'found' ? [family.ttlMs] : []))
  return Math.min(longestMs, Math.max(shortestMs, Math.min(...said)))
}

function reasonOf(family: Family): string {
  return family.kind === 'found' ? '' : family.reason
}
