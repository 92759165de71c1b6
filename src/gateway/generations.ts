// What a gateway serves, and its replacement by another configuration: numbers, upstreams, app and
// core change together or not at all. Main thread. Must never leave half of a new configuration
// behind when the other half cannot be had.

import { isDeepStrictEqual } from 'node:util'
import { doorSocket } from '../app/contract.ts'
import type { AppFunctions } from '../app/functions.ts'
import { type AppLink, linkApp, TargetIds } from '../app/link.ts'
import { compileConfig } from '../config/compile.ts'
import { appUpstreams } from '../config/compile-app.ts'
import { asksApp } from '../config/compile-hooks.ts'
import { hasInnerRoutes } from '../config/compile-inner.ts'
import { ConfigError } from '../config/errors.ts'
import { fileRoots } from '../config/file-roots.ts'
import { setSource, sourceOf } from '../config/load.ts'
import type { ResolvedConfig, ResolvedFileSet } from '../config/resolved.ts'
import { frozen } from '../config/validate.ts'
import type { FileQuestions } from '../files/questions.ts'
import { distribute, type InheritedSocket } from '../native/inheritance.ts'
import type { NativeConfig, NativeGateway, NativeTraffic } from '../native/interface.ts'
import { type Address, addressOf, ListenError } from '../native/listening.ts'
import type { Publication, PublishTo } from '../native/publication.ts'
import type { StagedUpstreams, Upstreams } from '../proxy/upstreams.ts'
import type { Logger } from '../telemetry/log.ts'
import type { GenerationStats } from '../telemetry/stats.ts'
import {
  byName,
  type NamedTraffic,
  noRoute,
  type RouteName,
  routeNames,
} from '../telemetry/traffic.ts'
import type { SecureListener } from '../tls/certificates.ts'
import { AppPlace } from './app-place.ts'
import { fixedChanges, withFixed } from './fixed.ts'
import { LiveGenerations } from './live.ts'
import { type Compile, type Numbered, Numbering, placed, secureListeners } from './numbering.ts'

/** What came of a reload. */
export interface ReloadResult {
  /** The number of the configuration that is served now, from 1. */
  generation: number
  /** false: it is what was served already. */
  changed: boolean
  /** Where it listens. */
  addresses: Address[]
  /** What the configuration says and a running gateway cannot change, each naming its key. */
  warnings: string[]
}

export interface GenerationsOptions {
  resolved: ResolvedConfig
  functions: AppFunctions | undefined
  upstreams: Upstreams
  logger: Logger
  secret: string
  /** Of the gateway, for the sockets of the app. */
  runDirectory(): string
}

// How long listening and reloading wait for the addresses of names.
const namePatienceMs = 2_000

/** Resolves when `ready` does, or after a while: a name may have no address for now. */
export async function patiently(ready: Promise<unknown>): Promise<void> {
  const patience = Promise.withResolvers<void>()
  const timer = setTimeout(patience.resolve, namePatienceMs)
  await Promise.race([ready, patience.promise]).finally(() => clearTimeout(timer))
}

export class Generations {
  readonly #options: GenerationsOptions
  readonly #numbering = new Numbering()
  readonly #targetIds = new TargetIds()
  readonly #counts = { unchanged: 0, failed: 0 }
  /** Of routes that have left, for those of the same key. */
  #carried: NamedTraffic[] = []
  /** By the number of the route, of those that have left, too. */
  readonly #names: RouteName[] = []
  /** Numbers of routes that have left, by the last generation that had them. */
  #left: { last: number; routes: Set<number> }[] = []
  #current: Numbered
  /** What the configuration said, before what cannot change was put in its place. */
  #written: ResolvedConfig
  #app: AppLink | undefined
  #core: { native: NativeGateway; questions: FileQuestions; live: LiveGenerations } | undefined
  #addresses: Address[] = []
  #lastApp = 0
  #isEnded = false

  constructor(options: GenerationsOptions) {
    this.#options = options
    this.#written = options.resolved
    this.#current = this.#number(undefined, options.resolved, (upstream) =>
      options.upstreams.targets(upstream),
    )
    this.#note(this.#current)
  }

  get resolved(): ResolvedConfig {
    return this.#current.resolved
  }

  /** Where it listens, in the order of the configuration. */
  get addresses(): Address[] {
    return this.#addresses
  }

  get secureListeners(): SecureListener[] {
    return secureListeners(this.#current)
  }

  /** What the core begins with. */
  get first(): NativeConfig {
    return placed(this.#current)
  }

  askableFiles(): Map<number, ResolvedFileSet> {
    return new Map(filesOf(this.#current))
  }

  /** From their numbers to the order in which the configuration has them. */
  inOrder<T>(kind: 'upstreams' | 'channels', byNumber: readonly (T | null)[]): T[] {
    return this.#current.numbers[kind].flatMap((number) => byNumber[number] ?? [])
  }

  /** The message's id; undefined: the configuration of now has no such channel. */
  publish(channel: string, { bytes, event }: Publication): number | undefined {
    const { compiled, numbers } = this.#current
    const number = numbers.channels[compiled.channels.findIndex(({ name }) => name === channel)]
    return number === undefined ? undefined : this.#core?.native.publish(number, bytes, event)
  }

  /** The configuration of now from its file as that is now. */
  async again(): Promise<ResolvedConfig> {
    const source = sourceOf(this.#written)
    if (source !== undefined) return source.again()
    const message = 'the configuration is an object: reload(config) takes another one'
    throw new ConfigError([{ path: '', message }])
  }

  attach(native: NativeGateway, questions: FileQuestions): void {
    const live = new LiveGenerations({ native, onOver: () => this.#settle() })
    this.#core = { native, questions, live }
    const place = new AppPlace(native)
    this.#app = this.#link(this.#written, this.#options.functions, place)
    place.open(this.#current.numbers.upstreams)
    live.begin(this.#current.generation, this.#app)
  }

  async startApp(): Promise<void> {
    await this.#app?.start()
  }

  listensOn(places: ReturnType<NativeGateway['listen']>): Address[] {
    this.#addresses = this.#listening(this.#current, places)
    return this.#addresses
  }

  onAdopted(generation: number): void {
    this.#core?.live.onAdopted(generation)
  }

  onRetired(generation: number): void {
    if (!this.#isEnded) this.#core?.live.onRetired(generation)
  }

  /** The gateway has ended: resolves when no app is left. */
  async stop(options: { drain: boolean }): Promise<void> {
    this.#isEnded = true
    await this.#core?.live.stop(options)
  }

  /** Serves `written` from now on. Rejects, and then everything is as it was. */
  async replace(written: ResolvedConfig, functions?: AppFunctions): Promise<ReloadResult> {
    const warnings = fixedChanges(this.resolved, written)
    const resolved = frozen(withFixed(this.resolved, written))
    setSource(resolved, sourceOf(written))
    if (this.#isSame(written, functions)) {
      setSource(this.resolved, sourceOf(written))
      this.#counts.unchanged++
      return this.#result(false, warnings)
    }
    try {
      await this.#replace(resolved, written, functions)
      return this.#result(true, warnings)
    } catch (error) {
      this.#counts.failed++
      throw error
    }
  }

  /** A configuration could not even be evaluated. */
  noteFailure(): void {
    this.#counts.failed++
  }

  stats(): GenerationStats {
    const live = this.#core?.live.count ?? 1
    return { number: this.#current.generation, live, ...this.#counts }
  }

  /** What has been counted of the routes of now, whatever numbers they have had. */
  traffic(traffic: readonly NativeTraffic[]): NamedTraffic[] {
    const served = new Set(this.resolved.routes.map(({ key }) => key))
    const nameOf = (route: number) => {
      if (route < 0) return noRoute
      const name = this.#names[route]
      return name !== undefined && served.has(name.key) ? name : undefined
    }
    return byName(traffic, nameOf, this.#carried)
  }

  /** By the numbers of the listeners that take them over; takes them out of `sockets`. */
  inheritedBy(sockets: InheritedSocket[]): number[][] {
    const taken = distribute(sockets, this.resolved.listen)
    const places: number[][] = []
    for (const [index, number] of ownListeners(this.#current).entries()) {
      places[number] = taken[index] ?? []
    }
    return places
  }

  /** The listening sockets, for a successor. */
  sockets(): InheritedSocket[] {
    const { native } = this.#running()
    const byNumber = native.listeningSockets()
    return ownListeners(this.#current).flatMap((number, index) => {
      const { url: _, ...address } = this.#addresses[index] as Address
      return (byNumber[number] ?? []).map((fd) => ({ fd, address }))
    })
  }

  #result(changed: boolean, warnings: string[]): ReloadResult {
    const { generation } = this.#current
    return { generation, changed, addresses: this.#addresses, warnings }
  }

  // Functions of an object may differ whatever they look like.
  #isSame(written: ResolvedConfig, functions: AppFunctions | undefined): boolean {
    if (!isDeepStrictEqual(written, this.#written)) return false
    if (appUpstreams(written).length === 0 && !asksApp(written)) return true
    const modules = sourceOf(written)?.modules
    const before = sourceOf(this.#written)?.modules
    return functions === undefined && before !== undefined && isDeepStrictEqual(modules, before)
  }

  async #replace(
    resolved: ResolvedConfig,
    written: ResolvedConfig,
    functions: AppFunctions | undefined,
  ): Promise<void> {
    const { native, questions, live } = this.#running()
    if (!live.hasRoom) {
      const message = 'the reload waits: requests are under way on older configurations'
      this.#options.logger.info({ live: live.count }, message)
    }
    await live.room()
    const staged = this.#options.upstreams.stage(resolved.upstreams)
    const place = new AppPlace(native)
    const app = this.#link(written, functions, place)
    let isServed = false
    try {
      await Promise.all([patiently(staged.ready), app?.start()])
      this.#running()
      this.#serve(resolved, staged)
      isServed = true
    } finally {
      if (!isServed) {
        staged.abandon()
        void app?.stop({ drain: false })
      }
    }
    place.open(this.#current.numbers.upstreams)
    this.#app = app
    this.#written = written
    live.begin(this.#current.generation, app)
    await live.whenAdopted(this.#current.generation)
    for (const { routes } of this.#left) questions.dropRoutes(routes, { isOver: false })
  }

  /** From the core's point of view: now, whole. Throws, and then nothing has happened. */
  #serve(resolved: ResolvedConfig, staged: StagedUpstreams): void {
    const { native, questions, live } = this.#running()
    const before = this.#current
    const next = this.#number(before, resolved, staged.targets)
    const carried = this.#carriedInto(next, native)
    // Ahead of the first question about them.
    for (const [route, action] of filesOf(next)) questions.addRoute(route, action)
    try {
      this.#addresses = this.#listening(next, native.replace(placed(next)))
    } catch (error) {
      this.#numbering.giveUp(before, next)
      const { call } = error as { call?: string }
      throw call === undefined ? error : new ListenError(resolved.listen, error)
    }
    this.#numbering.replace(before, next)
    this.#carried = carried
    this.#left.push({ last: before.generation, routes: leftBetween(before, next) })
    this.#current = next
    this.#note(next)
    staged.commit(next.numbers.upstreams)
    live.leave(before.generation, before.resolved.timeouts.drain)
  }

  #running(): { native: NativeGateway; questions: FileQuestions; live: LiveGenerations } {
    if (this.#core === undefined || this.#isEnded) throw new Error('the gateway has ended')
    return this.#core
  }

  #link(
    resolved: ResolvedConfig,
    functions: AppFunctions | undefined,
    native: AppPlace,
  ): AppLink | undefined {
    const { secret, logger, runDirectory } = this.#options
    const nextNumber = () => ++this.#lastApp
    // What an app of before says after its channel has left is for nobody.
    const publish: PublishTo = (channel, publication) => void this.publish(channel, publication)
    const shared = { secret, logger, runDirectory, nextNumber, publish, ids: this.#targetIds }
    return linkApp(resolved, functions, { ...shared, native })
  }

  #number(
    before: Numbered | undefined,
    resolved: ResolvedConfig,
    targetsOf: StagedUpstreams['targets'],
  ): Numbered {
    const generation = (before?.generation ?? 0) + 1
    const { secret, runDirectory } = this.#options
    const door = hasInnerRoutes(resolved) ? doorSocket(runDirectory()) : ''
    const compile: Compile = (numbers) =>
      compileConfig(resolved, targetsOf, { secret, door }, numbers)
    return this.#numbering.next(before, { resolved, generation, compile })
  }

  #listening(numbered: Numbered, places: ReturnType<NativeGateway['listen']>): Address[] {
    return ownListeners(numbered).flatMap((number, index) => {
      const place = places[number]
      const isSecure = numbered.resolved.listen[index]?.tls !== undefined
      return place ? [addressOf(place, isSecure)] : []
    })
  }

  #note({ resolved, compiled, numbers }: Numbered): void {
    const names = routeNames(resolved.routes)
    for (const [index, { key }] of compiled.routes.entries()) {
      const name = names[index] ?? { key, upstream: '' }
      const number = numbers.routes[index]
      if (number !== undefined) this.#names[number] = name
    }
  }

  /** What has been counted under numbers that are another route's in `next`. */
  #carriedInto(next: Numbered, native: NativeGateway): NamedTraffic[] {
    const stays = new Set(this.#current.numbers.routes)
    const anew = new Set(next.numbers.routes.filter((number) => !stays.has(number)))
    const keys = new Set(next.resolved.routes.map(({ key }) => key))
    const used = [...anew].some((number) => this.#names[number] !== undefined)
    const ending = used ? native.stats().traffic.filter(({ route }) => anew.has(route)) : []
    const all = byName(ending, (route) => this.#names[route], this.#carried)
    return all.filter(({ key }) => keys.has(key))
  }

  /** Nothing is under way on a generation any more. */
  #settle(): void {
    const { questions, live } = this.#running()
    const { oldest } = live
    this.#numbering.settle(oldest)
    for (const { last, routes } of this.#left) {
      if (last < oldest) questions.dropRoutes(routes, { isOver: true })
    }
    this.#left = this.#left.filter(({ last }) => last >= oldest)
  }
}

/** Numbers of the listeners for clients; one for the app may follow. */
function ownListeners({ resolved, numbers }: Numbered): number[] {
  return numbers.listeners.slice(0, resolved.listen.length)
}

/** What workers may ask about that is no more in `next`. */
function leftBetween(before: Numbered, next: Numbered): Set<number> {
  const { routes, roots } = next.numbers
  const stays = new Set([...routes, ...roots])
  const had = [...before.numbers.routes, ...before.numbers.roots]
  return new Set(had.filter((number) => !stays.has(number)))
}

/** What workers may ask about, by number. */
function filesOf({ resolved, numbers }: Numbered): [number, ResolvedFileSet][] {
  const files: [number, ResolvedFileSet][] = []
  for (const [index, { action }] of resolved.routes.entries()) {
    if (action.kind === 'files') files.push([numbers.routes[index] ?? index, action])
  }
  for (const [index, root] of fileRoots(resolved).entries()) {
    files.push([numbers.roots[index] ?? index, root])
  }
  return files
}
