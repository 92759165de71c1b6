// The life of one gateway: configuration in, core made, listening, counted, drained, closed. Main
// thread. Passes the core's events to whoever they concern. Several gateways in one process share
// nothing but the addon. Must never let a fault in one event lose the others of its batch.

import { makeSecret } from './app/contract.ts'
import { type AppFunctions, functionsOf } from './app/functions.ts'
import { type AppLink, linkApp } from './app/link.ts'
import type { GatewayConfig } from './config/actions.ts'
import { channelsOf } from './config/channels.ts'
import { compileConfig } from './config/compile.ts'
import { askableFiles } from './config/file-roots.ts'
import { loadConfigFile } from './config/load.ts'
import type { ResolvedConfig } from './config/resolved.ts'
import { resolveConfig } from './config/validate.ts'
import { FileQuestions } from './files/questions.ts'
import { AccessLogError } from './native/access-log.ts'
import { loadAddon } from './native/addon.ts'
import type { NativeAddon, NativeEvent, NativeGateway, NativeTarget } from './native/interface.ts'
import { type Address, addressOf, ListenError } from './native/listening.ts'
import { type ChannelMessage, type Publication, publisher } from './native/publication.ts'
import { type GatewayUpstreams, type Upstreams, upstreamsOf } from './proxy/upstreams.ts'
import { createLogger, type Logger, logFault } from './telemetry/log.ts'
import { combineStats, type GatewayStats } from './telemetry/stats.ts'

/** Options of createGateway() that are no configuration. */
export interface CreateGatewayOptions {
  /** Where faults are reported; a pino logger fits. Default: JSON lines on stderr. */
  logger?: Logger
}

/** The configuration is in a file, absolute or relative to the working directory. */
export interface ConfigFileInput {
  configFile: string
}

/** A gateway in this process. It keeps the process alive from listen() until it has ended. */
export interface Gateway {
  /** The configuration with every default filled in; frozen. */
  readonly resolved: ResolvedConfig
  /**
   * Binds every listener and starts serving; once. Rejects with a ListenError when an address
   * cannot be had, or an AccessLogError; the gateway has ended then.
   */
  listen(): Promise<Address[]>
  /** Adds, removes and drains targets while the gateway runs. */
  readonly upstreams: GatewayUpstreams
  /**
   * Sends a message to every client of a channel() of this configuration, and gives the id that it
   * got. The bytes are copied: they may change afterwards. Throws when there is no such channel.
   */
  publish(channel: string, message: ChannelMessage): number
  /** What has been counted so far; the last figures when the gateway has ended. */
  stats(): GatewayStats
  /**
   * Opens the access log anew, so that a file that was renamed is left behind, within a moment.
   * Where that fails the log stays where it was, with a line in the gateway's own log.
   */
  reopenLogs(): void
  /**
   * Stops. By default what runs is finished first, for at most `timeouts.drain`; with
   * `drain: false`, or at a second call that says so, it is cut off. Resolves when all has ended.
   */
  close(options?: { drain?: boolean }): Promise<void>
}

/** Something was asked of a gateway that is not in a state for it. */
export class GatewayStateError extends Error {
  readonly code = 'ERR_SLUICE_STATE'
  override name = 'GatewayStateError'
}

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
): Gateway {
  return new CoreGateway(resolved, logger, addon, functions)
}

type State = 'made' | 'starting' | 'listening' | 'draining' | 'closing' | 'ended'

// Longest interval that timers take; only its being there matters.
const keepAliveMs = 2 ** 31 - 1
// How long listen() waits for the addresses of names.
const namePatienceMs = 2_000

class CoreGateway implements Gateway {
  readonly resolved: ResolvedConfig
  readonly #logger: Logger
  readonly #native: NativeGateway
  readonly #questions: FileQuestions
  readonly #upstreams: Upstreams
  readonly #app: AppLink | undefined
  readonly #ended = Promise.withResolvers<void>()
  #state: State = 'made'
  #drains = false
  #alive: NodeJS.Timeout | undefined
  #lastStats: GatewayStats | undefined

  constructor(
    resolved: ResolvedConfig,
    logger: Logger,
    addon: NativeAddon,
    functions: AppFunctions | undefined,
  ) {
    this.resolved = resolved
    this.#logger = logger
    this.#upstreams = upstreamsOf(resolved, logger)
    const secret = makeSecret()
    const targetsOf = (upstream: number) => this.#upstreams.targets(upstream)
    const config = compileConfig(resolved, targetsOf, secret)
    this.#native = addon.createGateway(config, (events) => this.#take(events))
    this.#app = linkApp(resolved, functions, { secret, logger, native: this.#native })
    this.#questions = new FileQuestions({
      native: this.#native,
      routes: askableFiles(resolved),
      bounds: resolved.cache,
      onTrouble: (message) => logger.warn({ code: 'compression-failed' }, message),
      onFault: (message, error) => logger.error({ code: 'internal-error', err: error }, message),
    })
  }

  async listen(): Promise<Address[]> {
    if (this.#state !== 'made') throw new GatewayStateError(`cannot listen: ${this.#state}`)
    this.#state = 'starting'
    await Promise.all([this.#startUpstreams(), this.#startApp()])
    // Somebody may have closed it meanwhile.
    const state: State = this.#state
    if (state !== 'starting') throw new GatewayStateError(`cannot listen: ${state}`)
    try {
      const addresses = this.#native.listen().map(addressOf)
      this.#state = 'listening'
      this.#alive = setInterval(() => {}, keepAliveMs)
      return addresses
    } catch (error) {
      this.#native.close()
      this.#end()
      throw this.#whyNot(error as NodeJS.ErrnoException & { call?: string })
    }
  }

  #whyNot(cause: NodeJS.ErrnoException & { call?: string }): Error {
    const { accessLog, listen } = this.resolved
    if (cause.call === 'access log' && accessLog) return new AccessLogError(accessLog.to, cause)
    return new ListenError(listen, cause)
  }

  reopenLogs(): void {
    if (this.#state === 'listening' || this.#state === 'draining') this.#native.reopenLogs()
  }

  publish(channel: string, message: ChannelMessage): number {
    if (this.#state === 'ended') throw new GatewayStateError('cannot publish: ended')
    let id = 0
    const to = (index: number, { bytes, event }: Publication) => {
      id = this.#native.publish(index, bytes, event)
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
    } else if (!drain && (this.#state === 'listening' || this.#state === 'draining')) {
      this.#state = 'closing'
      this.#upstreams.stop()
      this.#native.close()
    } else if (this.#state === 'listening') {
      this.#state = 'draining'
      this.#native.drain()
    }
    return this.#ended.promise
  }

  get upstreams(): GatewayUpstreams {
    return this.#upstreams
  }

  // A name that is not known yet is no reason not to listen, but most are within a moment.
  async #startUpstreams(): Promise<void> {
    const publish = (upstream: number, targets: NativeTarget[]) =>
      this.#native.setTargets(upstream, targets)
    const patience = Promise.withResolvers<void>()
    const timer = setTimeout(patience.resolve, namePatienceMs)
    await Promise.race([this.#upstreams.start(publish), patience.promise])
    clearTimeout(timer)
  }

  // Before anything is bound: whoever connects finds everything there.
  async #startApp(): Promise<void> {
    try {
      await this.#app?.start()
    } catch (error) {
      if (this.#state !== 'starting') return
      this.#native.close()
      this.#end()
      throw error
    }
  }

  #count(): GatewayStats {
    const routeKeys = this.resolved.routes.map(({ key }) => key)
    const upstreams = this.#upstreams.states()
    const native = this.#native.stats()
    return combineStats({ native, routeKeys, upstreams, ...this.#questions.counts() })
  }

  #take(events: NativeEvent[]): void {
    for (const event of events) {
      try {
        this.#handle(event)
      } catch (error) {
        const fields = { code: 'internal-error', err: error }
        this.#logger.error(fields, `an event of type ${event.type} could not be handled`)
      }
    }
  }

  #handle(event: NativeEvent): void {
    switch (event.type) {
      case 'question':
        this.#questions.ask(event)
        break
      case 'looked':
        this.#questions.looked(event)
        break
      case 'encoded':
        this.#questions.encoded(event)
        break
      case 'touched':
        this.#questions.touched(event.answers)
        break
      case 'stale':
        this.#questions.stale(event.answers)
        break
      case 'fault':
        logFault(this.#logger, event)
        if (event.code === 'out-of-descriptors') this.#questions.relieve()
        break
      case 'ended':
        this.#end()
        break
    }
  }

  // No request is left by now; what handlers do besides may end in peace, unless it must not.
  #stopApp(): void {
    const stopped = this.#app?.stop({ drain: this.#drains }) ?? Promise.resolve()
    stopped.then(this.#ended.resolve, this.#ended.reject)
  }

  #end(): void {
    if (this.#state === 'ended') return
    this.#drains = this.#state === 'draining'
    this.#state = 'ended'
    this.#upstreams.stop()
    clearInterval(this.#alive)
    try {
      this.#lastStats = this.#count()
    } finally {
      this.#questions.close()
      this.#stopApp()
    }
  }
}
