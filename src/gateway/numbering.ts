// The numbers by which the core knows listeners, upstreams, routes and channels. They outlive a
// generation of the configuration: what did not change keeps its number, and with it connections,
// health, counts and remembered answers. Must never give a number to another one while requests may
// be under way that mean the one before.

import { isDeepStrictEqual } from 'node:util'
import type { CompiledConfig, ReferenceNumbers } from '../config/compile.ts'
import { fileRoots, firstRootNumber } from '../config/file-roots.ts'
import type { ResolvedConfig } from '../config/resolved.ts'
import type { NativeConfig, NativeListener } from '../native/interface.ts'
import type { SecureListener } from '../tls/certificates.ts'

/** By position in the resolved configuration; upstreams of the app follow the others. */
export interface Numbers {
  listeners: number[]
  upstreams: number[]
  routes: number[]
  /** Files that are no route, by their place in fileRoots(). */
  roots: number[]
  /** By their place in channelsOf(). */
  channels: number[]
}

/** What a generation was compiled to, and the numbers of its parts. */
export interface Numbered {
  generation: number
  resolved: ResolvedConfig
  compiled: CompiledConfig
  numbers: Numbers
}

/** Compiles the new configuration, whose upstreams and roots have these numbers. */
export type Compile = (numbers: Partial<ReferenceNumbers>) => CompiledConfig

/** So many numbers lie idle before one is used again: late lines of a log may still bear them. */
const mostIdle = 64

interface Leaving {
  number: number
  /** The last generation that had it. */
  last: number
}

/** The numbers of one kind. */
class Pool {
  #next: number
  #free: number[] = []
  #leaving: Leaving[] = []

  constructor(first = 0) {
    this.#next = first
  }

  take(): number {
    const idle = this.#free.length > mostIdle ? this.#free.shift() : undefined
    return idle ?? this.#next++
  }

  leave(number: number, last: number): void {
    this.#leaving.push({ number, last })
  }

  /** Nothing is under way on generations before `oldest`. */
  settle(oldest: number): void {
    const gone = this.#leaving.filter(({ last }) => last < oldest)
    this.#leaving = this.#leaving.filter(({ last }) => last >= oldest)
    this.#free.push(...gone.map(({ number }) => number))
  }
}

const kinds = ['listeners', 'upstreams', 'routes', 'roots', 'channels'] as const

export class Numbering {
  readonly #pools: Record<keyof Numbers, Pool> = {
    listeners: new Pool(),
    upstreams: new Pool(),
    routes: new Pool(),
    roots: new Pool(firstRootNumber),
    channels: new Pool(),
  }

  /**
   * Numbers for another configuration, whose app is always another one. A generation that is given
   * up again has to be handed to giveUp().
   */
  next(before: Numbered | undefined, { resolved, generation, compile }: NextGeneration): Numbered {
    const plain = compile({})
    const nameOf = (index: number, of: ResolvedConfig, { name }: { name: string }) =>
      `${index < of.upstreams.length ? 'own' : 'app'} ${name}`
    const named = new Map(
      before?.compiled.upstreams.map((one, at) => [nameOf(at, before.resolved, one), at] as const),
    )
    const upstreams = numbersOf(this.#pools.upstreams, plain.upstreams, (upstream, index) => {
      const name = nameOf(index, resolved, upstream)
      const at = named.get(name)
      const one = at === undefined ? undefined : before?.compiled.upstreams[at]
      if (one === undefined || name.startsWith('app')) return undefined
      return isSameUpstream(one, upstream) ? numberAt(before?.numbers.upstreams, at) : undefined
    })
    const had = before ? fileRoots(before.resolved) : []
    const roots = numbersOf(this.#pools.roots, fileRoots(resolved), (root) => {
      return numberAt(
        before?.numbers.roots,
        had.findIndex((one) => isDeepStrictEqual(one, root)),
      )
    })
    const channels = numbersOf(
      this.#pools.channels,
      compile({ upstreams, roots }).channels,
      sameChannel(before),
    )
    const compiled = compile({ upstreams, roots, channels })
    const listeners = numbersOf(this.#pools.listeners, compiled.listeners, sameListener(before))
    const known = new Map(before?.compiled.routes.map(({ key }, index) => [key, index] as const))
    const isCopied = before?.compiled.transfer.mode === compiled.transfer.mode
    const routes = numbersOf(this.#pools.routes, compiled.routes, (route, index) => {
      const at = known.get(route.key)
      if (before === undefined || at === undefined || !isCopied) return undefined
      const isSame =
        isDeepStrictEqual(before.compiled.routes[at], route) &&
        isDeepStrictEqual(before.resolved.routes[at], resolved.routes[index])
      return isSame ? before.numbers.routes[at] : undefined
    })
    const numbers = { listeners, upstreams, routes, roots, channels }
    return { generation, resolved, compiled, numbers }
  }

  /** `next` takes the place of `before`. */
  replace(before: Numbered, next: Numbered): void {
    this.#leave(before, next, before.generation)
  }

  /** `next` was not used after all. */
  giveUp(before: Numbered, next: Numbered): void {
    this.#leave(next, before, 0)
  }

  /** Nothing is under way on generations before `oldest`. */
  settle(oldest: number): void {
    for (const kind of kinds) this.#pools[kind].settle(oldest)
  }

  #leave(from: Numbered, to: Numbered, last: number): void {
    for (const kind of kinds) {
      const stays = new Set(to.numbers[kind])
      const gone = from.numbers[kind].filter((number) => !stays.has(number))
      for (const number of gone) this.#pools[kind].leave(number, last)
    }
  }
}

export interface NextGeneration {
  resolved: ResolvedConfig
  generation: number
  compile: Compile
}

function numberAt(numbers: readonly number[] | undefined, at = -1): number | undefined {
  return at < 0 ? undefined : numbers?.[at]
}

/** Nobody gets the number that another one has kept. */
function numbersOf<T>(
  pool: Pool,
  all: readonly T[],
  kept: (one: T, index: number) => number | undefined,
): number[] {
  const used = new Set<number>()
  return all.map((one, index) => {
    const known = kept(one, index)
    const number = known === undefined || used.has(known) ? pool.take() : known
    used.add(number)
    return number
  })
}

// A name is the same channel, whatever it keeps. A relay is so while its stream comes from the same
// place in the same way.
function sameChannel(before: Numbered | undefined) {
  const known = before?.compiled.channels ?? []
  return ({ name, feed }: CompiledConfig['channels'][number]): number | undefined => {
    const at = known.findIndex((one) => one.name === name && isDeepStrictEqual(one.feed, feed))
    return numberAt(before?.numbers.channels, at)
  }
}

type Upstream = CompiledConfig['upstreams'][number]

// Targets come and go under the same number.
function isSameUpstream({ targets: _one, ...one }: Upstream, other: Upstream): boolean {
  const { targets: _other, ...rest } = other
  return isDeepStrictEqual(one, rest)
}

// The same address is the same socket, whatever its rules: the k-th on any free port is the k-th.
function sameListener(before: Numbered | undefined) {
  const left = before?.compiled.listeners.map(addressOf) ?? []
  return (listener: CompiledConfig['listeners'][number]): number | undefined => {
    const at = left.indexOf(addressOf(listener))
    if (at >= 0) left[at] = ''
    return numberAt(before?.numbers.listeners, at)
  }
}

function addressOf(listener: CompiledConfig['listeners'][number]): string {
  return listener.kind === 'unix' ? `unix:${listener.path}` : `${listener.host} ${listener.port}`
}

/** The configuration as the core takes it: everybody at their number, holes where nobody is. */
export function placed({ generation, compiled, numbers }: Numbered): NativeConfig {
  const withTwin = (listener: NativeListener): NativeListener => {
    const twin = numbers.listeners[listener.secureTwin - 1]
    return twin === undefined ? listener : { ...listener, secureTwin: twin + 1 }
  }
  return {
    ...compiled,
    generation,
    listeners: spread(compiled.listeners.map(withTwin), numbers.listeners),
    upstreams: spread(compiled.upstreams, numbers.upstreams),
    routes: spread(compiled.routes, numbers.routes),
    channels: spread(compiled.channels, numbers.channels),
  }
}

/** Those that speak TLS. */
export function secureListeners({ resolved, numbers }: Numbered): SecureListener[] {
  return resolved.listen.flatMap(({ tls }, index) => {
    const number = numbers.listeners[index] ?? index
    return tls === undefined ? [] : [{ number, where: `listen[${index}].tls`, tls }]
  })
}

function spread<T>(all: readonly T[], numbers: readonly number[]): (T | null)[] {
  const most = numbers.reduce((one, other) => Math.max(one, other), -1)
  const places = new Array<T | null>(most + 1).fill(null)
  for (const [index, one] of all.entries()) places[numbers[index] ?? index] = one
  return places
}
