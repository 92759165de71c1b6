// The life of one gateway: configuration in, core made, listening, counted, drained, closed. Main
// thread. Several gateways in one process share nothing but the addon.

import { linkAdmin } from './admin/link.ts'
import type { AdminServer } from './admin/server.ts'
import { phaseOf } from './admin/subject.ts'
import { makeSecret } from './app/contract.ts'
import { type AppFunctions, functionsOf } from './app/functions.ts'
import type { GatewayConfig } from './config/actions.ts'
import { channelsOf } from './config/channels.ts'
import { loadConfigFile } from './config/load.ts'
import type { ResolvedConfig } from './config/resolved.ts'
import { resolveConfig } from './config/validate.ts'
import { FileQuestions } from './files/questions.ts'
import { Control, confirmation, refusal } from './gateway/control.ts'
import { takeEvents } from './gateway/events.ts'
import type {
  ConfigFileInput,
  Core,
  CreateGatewayOptions,
  Gateway,
} from './gateway/gateway-types.ts'
import { Generations, patiently, type ReloadResult } from './gateway/generations.ts'
import { GatewayStateError } from './gateway/state-error.ts'
import { whyNotListening } from './gateway/why-not.ts'
import { loadAddon } from './native/addon.ts'
import type { InheritedSocket } from './native/inheritance.ts'
import type { NativeAddon, NativeEvent, NativeGateway, NativeTarget } from './native/interface.ts'
import { type Address, addressOf } from './native/listening.ts'
import { type ChannelMessage, type Publication, publisher } from './native/publication.ts'
import { type GatewayUpstreams, type Upstreams, upstreamsOf } from './proxy/upstreams.ts'
import { createLogger, type Logger, logFallbacks } from './telemetry/log.ts'
import { cachedDescriptors } from './telemetry/process-metrics.ts'
import { combineStats, type GatewayStats } from './telemetry/stats.ts'
import { Certificates, filesSeen } from './tls/certificates.ts'

/**
 * Makes a gateway from a configuration object (paths in it are relative to the working directory)
 * or from a file. Rejects with a ConfigError that lists everything wrong, or an AddonError when the
 * native core is not there. Nothing is bound before listen().
 */
export async function createGateway(
  input: GatewayConfig | ConfigFileInput,
  options: CreateGatewayOptions = {},
): Promise<Gateway> {
  const resolved =
    'configFile' in input
      ? await loadConfigFile(input.configFile)
      : resolveConfig(input, { file: '', directory: process.cwd() })
  const functions = 'configFile' in input ? undefined : functionsOf(input, resolved)
  return startCore(resolved, options.logger ?? createLogger(), loadAddon(), functions)
}

/**
 * As createGateway, from a resolved configuration; `addon` is another core, for tests. Without
 * `functions` those of the configuration's file run in a process of their own.
 */
export function startCore(
  resolved: ResolvedConfig,
  logger: Logger,
  addon: NativeAddon = loadAddon(),
  functions?: AppFunctions,
): Core {
  return new CoreGateway(resolved, logger, addon, functions)
}

type State = 'made' | 'starting' | 'listening' | 'leaving' | 'draining' | 'closing' | 'ended'

const keepAliveMs = 2 ** 31 - 1 // the longest that timers take

class CoreGateway implements Core {
  readonly #logger: Logger
  readonly #native: NativeGateway
  readonly #questions: FileQuestions
  readonly #upstreams: Upstreams
  readonly #generations: Generations
  readonly #certificates: Certificates
  readonly #admin: AdminServer | undefined
  readonly #ended = Promise.withResolvers<void>()
  #state: State = 'made'
  #drains = false
  #alive: NodeJS.Timeout | undefined
  #departure: NodeJS.Timeout | undefined
  #inherited: InheritedSocket[] = []
  #lastStats: GatewayStats | undefined
  #lastReload: Promise<unknown> = Promise.resolve()
  #control: Control | undefined
  #noControl: unknown

  constructor(
    resolved: ResolvedConfig,
    logger: Logger,
    addon: NativeAddon,
    functions: AppFunctions | undefined,
  ) {
    this.#logger = logger
    this.#upstreams = upstreamsOf(resolved, logger)
    const upstreams = this.#upstreams
    const secret = makeSecret()
    const runDirectory = () => this.#needControl().directory
    const shared = { functions, upstreams, logger, secret, runDirectory }
    this.#generations = new Generations({ resolved, ...shared })
    const { first } = this.#generations
    this.#native = addon.createGateway(first, (events) => this.#take(events))
    logFallbacks(logger, addon.capabilities(), resolved.listen)
    this.#questions = new FileQuestions({
      native: this.#native,
      routes: this.#generations.askableFiles(),
      bounds: { ...resolved.cache, descriptors: cachedDescriptors() },
      onTrouble: (message) => logger.warn({ code: 'compression-failed' }, message),
      onFault: (message, error) => logger.error({ code: 'internal-error', err: error }, message),
    })
    this.#generations.attach(this.#native, this.#questions)
    this.#certificates = new Certificates(this.#native, logger)
    this.#admin = linkAdmin(resolved, {
      logger,
      upstreams,
      native: this.#native,
      questions: this.#questions,
      phase: () => phaseOf(this.#state),
      addresses: () => this.#generations.addresses,
      stats: () => this.stats(),
      capabilities: () => addon.capabilities(),
      silenceMs: () => this.silenceMs(),
      reload: () => this.reload(),
      reopenLogs: () => this.reopenLogs(),
    })
  }

  get resolved(): ResolvedConfig {
    return this.#generations.resolved
  }

  reload(config?: GatewayConfig): Promise<ReloadResult> {
    const reload = this.#lastReload.then(() => this.#reload(config))
    this.#lastReload = reload.catch(() => {})
    return reload
  }

  async #reload(config: GatewayConfig | undefined): Promise<ReloadResult> {
    if (this.#state !== 'listening') throw new GatewayStateError(`cannot reload: ${this.#state}`)
    const { resolved, functions } = await this.#read(config)
    const seen = filesSeen(resolved.listen)
    const result = await this.#generations.replace(resolved, functions)
    this.#certificates.follow(this.#generations.secureListeners, seen)
    for (const warning of result.warnings) this.#logger.warn({ code: 'needs-restart' }, warning)
    const what = result.changed ? 'another configuration is served' : 'nothing has changed'
    this.#logger.info({ generation: result.generation }, what)
    return result
  }

  async #read(config: GatewayConfig | undefined) {
    try {
      if (config === undefined) return { resolved: await this.#generations.again() }
      const resolved = resolveConfig(config, { file: '', directory: process.cwd() })
      return { resolved, functions: functionsOf(config, resolved) }
    } catch (error) {
      this.#generations.noteFailure()
      throw error
    }
  }

  async listen(): Promise<Address[]> {
    if (this.#state !== 'made') throw new GatewayStateError(`cannot listen: ${this.#state}`)
    this.#state = 'starting'
    // First of all, so that /readyz can say that the rest takes time.
    await this.#startPart(() => this.#admin?.listen(this.#inherited))
    await this.#startControl()
    // Before anything is bound: whoever connects finds everything there.
    const startApp = this.#startPart(() => this.#generations.startApp())
    await Promise.all([this.#startUpstreams(), startApp])
    // Somebody may have closed it meanwhile.
    const state: State = this.#state
    if (state !== 'starting') throw new GatewayStateError(`cannot listen: ${state}`)
    try {
      const seen = filesSeen(this.resolved.listen)
      const inherited = this.#generations.inheritedBy(this.#inherited)
      const addresses = this.#generations.listensOn(this.#native.listen(inherited))
      this.#state = 'listening'
      this.#certificates.follow(this.#generations.secureListeners, seen)
      this.#alive = setInterval(() => {}, keepAliveMs)
      return addresses
    } catch (error) {
      this.#native.close()
      this.#end()
      throw whyNotListening(this.resolved, error)
    }
  }

  reopenLogs(): void {
    if (this.#isRunning()) this.#native.reopenLogs()
  }

  publish(channel: string, message: ChannelMessage): number {
    if (this.#state === 'ended') throw new GatewayStateError('cannot publish: ended')
    let id = 0
    const to = (name: string, publication: Publication) => {
      id = this.#generations.publish(name, publication) ?? 0
    }
    publisher(channelsOf(this.resolved), to)(channel, message)
    return id
  }

  stats(): GatewayStats {
    return this.#lastStats ?? this.#count()
  }

  async close({ drain = true }: { drain?: boolean } = {}): Promise<void> {
    if (this.#state === 'made' || this.#state === 'starting') {
      this.#native.close()
      this.#end()
    } else if (!drain && this.#isRunning()) {
      clearTimeout(this.#departure)
      this.#state = 'closing'
      this.#upstreams.stop()
      this.#native.close()
    } else if (this.#state === 'listening') {
      this.#leave()
    }
    return this.#ended.promise
  }

  inherit(sockets: readonly InheritedSocket[], ticketKeys?: Uint8Array): void {
    this.#inherited = [...sockets]
    if (ticketKeys !== undefined && ticketKeys.length > 0) this.#native.adoptTickets(ticketKeys)
  }

  ticketKeys(): Uint8Array {
    return this.#state === 'listening' ? this.#native.ticketKeys() : new Uint8Array()
  }

  sockets(): InheritedSocket[] {
    if (this.#state !== 'listening') return []
    return [...this.#generations.sockets(), ...(this.#admin?.inheritable() ?? [])]
  }

  async succeed(): Promise<void> {
    if (this.#state !== 'listening') return this.close()
    this.#native.leaveListeners()
    this.#admin?.leave()
    this.#control?.leave()
    this.#state = 'draining'
    this.#native.drain()
    return this.#ended.promise
  }

  silenceMs(): number {
    return this.#native.beat()
  }

  #isRunning(): boolean {
    return ['listening', 'leaving', 'draining'].includes(this.#state)
  }

  // Load balancers are told first, where they need time to notice.
  #leave(): void {
    const { drainDelay } = this.resolved.timeouts
    const drain = () => {
      this.#state = 'draining'
      this.#native.drain()
    }
    if (drainDelay === 0) {
      drain()
    } else {
      this.#state = 'leaving'
      this.#departure = setTimeout(drain, drainDelay)
    }
  }

  get adminAddresses(): readonly Address[] {
    return (this.#admin?.sockets() ?? []).map(({ address }) => addressOf(address))
  }

  get upstreams(): GatewayUpstreams {
    return this.#upstreams
  }

  async #startControl(): Promise<void> {
    try {
      await this.#needControl().start()
    } catch (error) {
      this.#control?.close()
      this.#control = undefined
      this.#noControl = error
      const message = `sluice reload will not find this gateway: ${(error as Error).message}`
      this.#logger.warn({ code: 'no-run-directory' }, message)
    }
  }

  #needControl(): Control {
    if (this.#noControl !== undefined) throw this.#noControl
    this.#control ??= this.#makeControl()
    return this.#control
  }

  #makeControl(): Control {
    const about = () => {
      const { file } = this.resolved
      const addresses = this.#generations.addresses.map(({ url }) => url)
      return { pid: process.pid, file, addresses, generation: this.#generations.stats().number }
    }
    return new Control({ about, reload: () => this.reload().then(confirmation, refusal) })
  }

  // A name that is not known yet is no reason not to listen, but most are within a moment.
  async #startUpstreams(): Promise<void> {
    const publish = (upstream: number, targets: NativeTarget[]) =>
      this.#native.setTargets(upstream, targets)
    await patiently(this.#upstreams.start(publish))
    await this.#upstreams.placed()
  }

  // A failure ends the gateway, unless somebody has closed it meanwhile.
  async #startPart(start: () => Promise<void> | undefined): Promise<void> {
    try {
      await start()
    } catch (error) {
      if (this.#state !== 'starting') return
      this.#native.close()
      this.#end()
      throw error
    }
  }

  #count(): GatewayStats {
    const counted = this.#native.stats()
    const native = {
      ...counted,
      upstreams: this.#generations.inOrder('upstreams', counted.upstreams),
      channels: this.#generations.inOrder('channels', counted.channels),
    }
    return combineStats({
      native,
      traffic: this.#generations.traffic(counted.traffic),
      generation: this.#generations.stats(),
      upstreams: this.#upstreams.states(),
      certificates: this.#certificates.stats(),
      ...this.#questions.counts(),
    })
  }

  #take(events: NativeEvent[]): void {
    const end = () => this.#end()
    const [logger, questions] = [this.#logger, this.#questions]
    takeEvents(events, { logger, questions, generations: this.#generations, end })
  }

  // No request is left by now; what handlers do besides may end in peace, unless it must not.
  #stopApp(): void {
    const stopped = this.#generations.stop({ drain: this.#drains })
    stopped.finally(() => this.#control?.close()).then(this.#ended.resolve, this.#ended.reject)
  }

  #end(): void {
    if (this.#state === 'ended') return
    this.#drains = this.#state === 'draining'
    this.#state = 'ended'
    this.#upstreams.stop()
    clearInterval(this.#alive)
    this.#certificates.stop()
    this.#admin?.close()
    try {
      this.#lastStats = this.#count()
    } finally {
      this.#questions.close()
      this.#stopApp()
    }
  }
}
