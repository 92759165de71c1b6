// What an app sees of the core. Its upstreams have numbers there once its generation is served;
// until then what it says of their targets is kept. Main thread.

import type { NativeGateway, NativeStats, NativeTarget } from '../native/interface.ts'

type Core = Pick<NativeGateway, 'setTargets' | 'setHookSocket' | 'stats'>

export class AppPlace implements Core {
  readonly #native: Core
  readonly #kept = new Map<number, NativeTarget[]>()
  #hookSocket: string | undefined
  #numbers: readonly number[] | undefined

  constructor(native: Core) {
    this.#native = native
  }

  /** The core knows its upstreams by these numbers from now on. */
  open(numbers: readonly number[]): void {
    this.#numbers = numbers
    for (const [upstream, targets] of this.#kept) this.setTargets(upstream, targets)
    this.#kept.clear()
    if (this.#hookSocket !== undefined) this.#native.setHookSocket(this.#hookSocket)
  }

  setHookSocket(path: string): void {
    this.#hookSocket = path
    if (this.#numbers !== undefined) this.#native.setHookSocket(path)
  }

  /** `upstream`: by position in its configuration. */
  setTargets(upstream: number, targets: NativeTarget[]): void {
    const number = this.#numbers?.[upstream]
    if (number === undefined) this.#kept.set(upstream, targets)
    else this.#native.setTargets(number, targets)
  }

  /** Upstreams by position in its configuration. */
  stats(): NativeStats {
    const stats = this.#native.stats()
    const nobody = { targets: [], queued: 0 }
    const upstreams = (this.#numbers ?? []).map((number) => stats.upstreams[number] ?? nobody)
    return { ...stats, upstreams }
  }
}
