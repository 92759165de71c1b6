// Looks at the disk that are under way in the core: whoever asks for the same path meanwhile shares
// one. Main thread. Bounded by the undecided questions, of which each waits for a few at a time.
// Must never drop a look that somebody waits for.

import type { LookAt, NativeGateway } from '../native/interface.ts'

/** A look that the core has not answered. */
export interface PendingLook<Found> {
  readonly key: string
  readonly where: LookAt
  /** How many wait for `found`. */
  waiters: number
  /** It was made a second time. */
  isRetry: boolean
  readonly found: Promise<Found>
  readonly settle: (found: Found) => void
  readonly fail: (error: unknown) => void
}

export class PendingLooks<Found> {
  readonly #native: Pick<NativeGateway, 'look'>
  readonly #byKey = new Map<string, PendingLook<Found>>()
  readonly #byId = new Map<number, PendingLook<Found>>()
  /** Looks made since start; also the id of the last. */
  #made = 0

  constructor(native: Pick<NativeGateway, 'look'>) {
    this.#native = native
  }

  get made(): number {
    return this.#made
  }

  /** Looks there, or waits with others who do. */
  join(where: LookAt): Promise<Found> {
    const key = keyOf(where)
    const known = this.#byKey.get(key)
    if (known) {
      known.waiters++
      return known.found
    }
    const { promise: found, resolve: settle, reject: fail } = Promise.withResolvers<Found>()
    this.#start({ key, where, waiters: 1, isRetry: false, found, settle, fail })
    return found
  }

  /** The look with this id, which is no longer pending; undefined when nobody made it. */
  take(id: number): PendingLook<Found> | undefined {
    const pending = this.#byId.get(id)
    this.#byId.delete(id)
    if (pending) this.#byKey.delete(pending.key)
    return pending
  }

  /** Makes a look that was taken once more; those who wait for it go on waiting. */
  retry(pending: PendingLook<Found>): void {
    pending.isRetry = true
    this.#start(pending)
  }

  /** Forgets them all: nobody waits any more. */
  clear(): void {
    this.#byId.clear()
    this.#byKey.clear()
  }

  #start(pending: PendingLook<Found>): void {
    const id = ++this.#made
    this.#byId.set(id, pending)
    this.#byKey.set(pending.key, pending)
    try {
      this.#native.look(id, pending.where)
    } catch (error) {
      this.take(id)
      pending.fail(error)
    }
  }
}

function keyOf({ root, path, follow, list }: LookAt): string {
  return `${follow ? 'f' : ''}${list ? 'l' : ''}\0${root}\0${path}`
}
