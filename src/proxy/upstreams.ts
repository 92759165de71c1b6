// All upstreams of one gateway: tells the core which targets there are, at start and whenever that
// changes, and takes what operators ask for at run time. Main thread; from start() to stop().

import { dirname } from 'node:path'
import { problemLine } from '../config/errors.ts'
import { Place } from '../config/place.ts'
import type { TargetOptions } from '../config/proxy-options.ts'
import type { ResolvedConfig, ResolvedTarget, ResolvedUpstream } from '../config/resolved.ts'
import { upstream as upstreamOptions } from '../config/schema-upstreams.ts'
import { didYouMean } from '../config/suggest.ts'
import type { NativeTarget } from '../native/upstreams.ts'
import type { Logger } from '../telemetry/log.ts'
import { type Clock, systemClock } from './clock.ts'
import { Gate } from './gate.ts'
import type { Probe } from './health-check.ts'
import { type Lookup, systemLookup } from './lookup.ts'
import { type Probed, probeOf } from './probes.ts'
import { isRelayed, RelayLink } from './relay-link.ts'
import { type Member, type Surroundings, Upstream } from './upstream.ts'

export type { Member } from './upstream.ts'

/** Checks that run at once. */
const mostChecks = 32

/** Something was asked of an upstream or a target that is not there, or cannot be. */
export class UpstreamError extends Error {
  readonly code = 'ERR_SLUICE_UPSTREAM'
  override name = 'UpstreamError'
}

/** Targets of a running gateway, by the names of their upstreams. Throws UpstreamError. */
export interface GatewayUpstreams {
  /** Adds a target, as the configuration would name it. */
  add(upstream: string, target: string | TargetOptions): void
  /** Takes a target out, by its URL. Requests under way finish. */
  remove(upstream: string, url: string): void
  /** A target (its URL), or one address of it, gets no new requests; those under way finish. */
  drain(upstream: string, target: string): void
  /** It gets requests again. */
  undrain(upstream: string, target: string): void
}

/** What is known of one upstream without the core. */
export interface UpstreamState {
  name: string
  members: Member[]
  /** URLs whose names have no address now. */
  unresolved: { url: string; reason: string }[]
}

export interface UpstreamsOptions {
  upstreams: readonly ResolvedUpstream[]
  /** Relative paths of sockets start here. */
  directory: string
  logger: Logger
  lookup?: Lookup
  clock?: Clock
  probeOf?: (probed: Probed) => Probe
  /** Without them targets with TLS cannot be reached. */
  relays?: RelayLink
}

/** Upstreams of another configuration that are being made ready. */
export interface StagedUpstreams {
  /** Resolves when every name of those that are new has been asked for once. */
  ready: Promise<unknown>
  /** By position in the configuration: with which it begins. */
  targets(upstream: number): NativeTarget[]
  /** They take the place of the ones before; the core knows them by these numbers from now on. */
  commit(numbers: readonly number[]): void
  abandon(): void
}

/** An upstream, and the number by which the core knows it. */
interface Placed {
  upstream: Upstream
  number: number
}

export class Upstreams implements GatewayUpstreams {
  #upstreams: Placed[]
  readonly #around: Surroundings
  readonly #directory: string
  readonly #changed = new Set<Placed>()
  #publish: ((upstream: number, targets: NativeTarget[]) => void) | undefined
  readonly #relays: RelayLink | undefined
  /** Configurations that are being made ready. */
  #staged = 0
  #lastId = 0

  constructor(options: UpstreamsOptions) {
    const { upstreams, directory, logger, clock = systemClock } = options
    this.#directory = directory
    this.#relays = options.relays
    this.#around = {
      clock,
      logger,
      lookup: options.lookup ?? systemLookup(),
      gate: new Gate(mostChecks),
      probeOf: options.probeOf ?? probeOf,
      nextId: () => ++this.#lastId,
    }
    this.#upstreams = upstreams.map((upstream, index) => this.#make(upstream, index))
  }

  #make(config: ResolvedUpstream, number: number): Placed {
    const upstream = new Upstream(config, this.#around, () => this.#note(placed))
    const placed: Placed = { upstream, number }
    return placed
  }

  /** By position in the configuration. */
  get numbers(): number[] {
    return this.#upstreams.map(({ number }) => number)
  }

  /** Those that are new begin to resolve and to check; nothing else changes until commit(). */
  stage(configs: readonly ResolvedUpstream[]): StagedUpstreams {
    const fresh: Placed[] = []
    const next = configs.map((config) => {
      const known = this.#upstreams.find(({ upstream }) => upstream.name === config.name)
      if (known?.upstream.isReachedAsBy(config)) return known
      const made = this.#make(config, -1)
      if (known !== undefined) made.upstream.succeed(known.upstream)
      fresh.push(made)
      return made
    })
    this.#staged += 1
    const started = Promise.all(fresh.map(({ upstream }) => upstream.start()))
    const ready = started.then(() => this.#place(next))
    return {
      ready,
      targets: (upstream) => this.#reached(next[upstream]?.upstream),
      commit: (numbers) => {
        this.#staged -= 1
        for (const { upstream } of this.#upstreams.filter((one) => !next.includes(one))) {
          upstream.stop()
        }
        this.#upstreams = next
        for (const [index, placed] of next.entries()) {
          const number = numbers[index] ?? index
          if (placed.number !== number) this.#note(placed)
          placed.number = number
          const config = configs[index]
          if (config !== undefined) placed.upstream.configure(config)
        }
      },
      abandon: () => {
        this.#staged -= 1
        for (const { upstream } of fresh) upstream.stop()
      },
    }
  }

  /** Relays of their own have come or gone: the core may reach other targets than before. */
  publishAgain(): void {
    for (const placed of this.#upstreams) {
      if (placed.upstream.targets.some(isRelayed)) this.#note(placed)
    }
  }

  /** Resolves when those that need relays have them, as far as they can. */
  async placed(): Promise<void> {
    await this.#relays?.settled()
  }

  /** As far as there is a way to them yet. */
  #reached(upstream: Upstream | undefined): NativeTarget[] {
    const targets = upstream?.targets ?? []
    return this.#relays?.reach(targets) ?? targets
  }

  /** Resolves when all of these that need relays have them. */
  async #place(all: readonly Placed[]): Promise<void> {
    for (const { upstream } of all) this.#reached(upstream)
    await this.placed()
  }

  /** The targets of an upstream now. */
  targets(upstream: number): NativeTarget[] {
    return this.#reached(this.#upstreams[upstream]?.upstream)
  }

  states(): UpstreamState[] {
    return this.#upstreams.map(({ upstream: { name, members, unresolved } }) => {
      return { name, members, unresolved }
    })
  }

  /**
   * Begins to resolve names and to check; `publish` hands the core the targets of an upstream when
   * they have changed. Resolves when every name has been asked for once, found or not.
   */
  async start(publish: (upstream: number, targets: NativeTarget[]) => void): Promise<void> {
    this.#publish = publish
    await Promise.all(this.#upstreams.map(({ upstream }) => upstream.start()))
    // Relays may have come before anybody could be told.
    this.publishAgain()
    this.#tell()
  }

  /** Ends every timer, question and check. */
  stop(): void {
    this.#publish = undefined
    for (const { upstream } of this.#upstreams) upstream.stop()
    this.#around.lookup.close()
    this.#relays?.stop()
  }

  add(upstream: string, target: string | TargetOptions): void {
    const found = this.#named(upstream)
    for (const one of this.#read(target)) {
      if (found.has(one.url)) throw new UpstreamError(`'${upstream}' has ${one.url} already`)
      found.add(one)
    }
  }

  remove(upstream: string, url: string): void {
    const found = this.#named(upstream)
    if (!found.remove(url)) throw this.#unknown(found, url)
  }

  drain(upstream: string, target: string): void {
    const found = this.#named(upstream)
    if (!found.setDraining(target, true)) throw this.#unknown(found, target)
  }

  undrain(upstream: string, target: string): void {
    const found = this.#named(upstream)
    if (!found.setDraining(target, false)) throw this.#unknown(found, target)
  }

  #named(name: string): Upstream {
    const found = this.#upstreams.find(({ upstream }) => upstream.name === name)
    if (found !== undefined) return found.upstream
    const names = this.#upstreams.map(({ upstream }) => upstream.name)
    throw new UpstreamError(`no upstream is called '${name}'${didYouMean(name, names)}`)
  }

  #unknown(upstream: Upstream, target: string): UpstreamError {
    const names = upstream.members.flatMap(({ url, address }) => [url, address])
    const hint = didYouMean(target, names)
    return new UpstreamError(`'${upstream.name}' has no target ${target}${hint}`)
  }

  #read(target: string | TargetOptions): ResolvedTarget[] {
    const place = new Place('', this.#directory)
    const read = upstreamOptions.targets.kind.read(target, place)
    if (read !== undefined) return read
    throw new UpstreamError(place.problems.map(problemLine).join('; '))
  }

  // What changes in one go is told in one go.
  #note(upstream: Placed): void {
    this.#changed.add(upstream)
    if (this.#changed.size === 1) queueMicrotask(() => this.#tell())
  }

  #tell(): void {
    const changed = [...this.#changed]
    this.#changed.clear()
    for (const { upstream, number } of changed) {
      // Those that are made ready are in no configuration yet; they begin with what they have then.
      if (number < 0) continue
      try {
        this.#publish?.(number, this.#reached(upstream))
      } catch (error) {
        const fields = { code: 'internal-error', err: error }
        this.#around.logger.error(fields, 'the targets of an upstream could not be replaced')
      }
    }
    if (this.#staged > 0) return
    this.#relays?.keep(this.#upstreams.flatMap((placed) => placed.upstream.targets))
  }
}

/** Those of a configuration. */
export function upstreamsOf({ upstreams, file }: ResolvedConfig, logger: Logger): Upstreams {
  const directory = file === '' ? process.cwd() : dirname(file)
  const relays = new RelayLink({ logger, onPlaced: () => all.publishAgain() })
  const all: Upstreams = new Upstreams({ upstreams, directory, logger, relays })
  return all
}
