// Keeps one app running for a configuration that has functions: starts it, replaces it when it has
// crashed or hangs, and stops it. Another configuration has another supervisor. Main thread. Never
// waits for an app without a deadline.

import type { ResolvedConfig } from '../config/resolved.ts'
import { showDuration } from '../config/units.ts'
import type { PublishTo } from '../native/publication.ts'
import type { Logger } from '../telemetry/log.ts'
import type { AppSockets } from './contract.ts'
import { Generation } from './generation.ts'

export interface SupervisorSettings {
  /** The configuration file without symbolic links; `resolved.file` is its name. */
  realFile: string
  secret: string
  logger: Logger
  /** Takes what handlers publish. */
  publish: PublishTo
  /** Of the gateway: ours alone, there before the app starts and until it has ended. */
  runDirectory(): string
  /** The number of the next app; no two of a gateway have the same. */
  nextNumber(): number
  /** Where requests go from now on; undefined: nowhere, until the next call. */
  onSockets(sockets: AppSockets | undefined): void
  /** Whether requests wait for the app: only then can it hang. */
  isWaitedFor(): boolean
}

// An app that lived this long has not crashed because of its start.
const settledMs = 10_000
const firstDelayMs = 100
const longestDelayMs = 10_000

/** What a gateway knows of whatever runs its functions. */
export interface AppRunner {
  /** Resolves when requests can come. */
  start(): Promise<void>
  stop(options: { drain: boolean }): Promise<void>
  /** Of the processes that it has. */
  readonly pids: readonly number[]
}

export class AppSupervisor implements AppRunner {
  readonly #settings: SupervisorSettings
  readonly #resolved: ResolvedConfig
  readonly #alive = new Set<Generation>()
  #current: Generation | undefined
  #restart: NodeJS.Timeout | undefined
  /** Restarts in a row of apps that did not live. */
  #attempts = 0
  #isStopped = false

  constructor(resolved: ResolvedConfig, settings: SupervisorSettings) {
    this.#resolved = resolved
    this.#settings = settings
  }

  /** Process ids of all generations that live, the oldest first. */
  get pids(): number[] {
    return [...this.#alive].flatMap(({ pid }) => (pid === undefined ? [] : [pid]))
  }

  /** Resolves when the app is ready. Rejects with ConfigError or AppError; nothing runs then. */
  async start(): Promise<void> {
    try {
      await this.#launch()
    } catch (error) {
      await this.stop({ drain: false })
      throw error
    }
  }

  /** Resolves when no app is left. */
  async stop({ drain }: { drain: boolean }): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#restart)
    for (const generation of this.#alive) {
      if (drain) generation.retire()
      else generation.kill()
    }
    await Promise.all([...this.#alive].map(({ gone }) => gone))
  }

  async #launch(): Promise<void> {
    const { realFile, secret, logger, publish } = this.#settings
    const resolved = this.#resolved
    const generation: Generation = new Generation(
      {
        type: 'start',
        file: resolved.file,
        realFile,
        resolved,
        runDirectory: this.#settings.runDirectory(),
        generation: this.#settings.nextNumber(),
        secret,
      },
      logger,
      publish,
      (how) => this.#gone(generation, how),
    )
    this.#alive.add(generation)
    const sockets = await generation.ready.catch(async (error) => {
      // Whoever is told finds nothing left of it.
      await generation.gone
      throw error
    })
    if (this.#isStopped || generation.state !== 'serving') return
    this.#current = generation
    this.#settings.onSockets(sockets)
    generation.watch(() => this.#settings.isWaitedFor())
  }

  #gone(generation: Generation, how: string): void {
    this.#alive.delete(generation)
    if (this.#current !== generation) return
    this.#current = undefined
    if (this.#isStopped) return
    this.#settings.onSockets(undefined)
    if (generation.age >= settledMs) this.#attempts = 0
    const { logger } = this.#settings
    logger.error({ generation: generation.number, how }, `the app has ended (${how})`)
    this.#restartLater()
  }

  #restartLater(): void {
    const attempt = this.#attempts++
    const delay = attempt === 0 ? 0 : Math.min(firstDelayMs * 2 ** (attempt - 1), longestDelayMs)
    clearTimeout(this.#restart)
    this.#restart = setTimeout(() => this.#startAgain(), delay)
    if (delay === 0) return
    this.#settings.logger.warn({ attempt }, `the app is started again in ${showDuration(delay)}`)
  }

  async #startAgain(): Promise<void> {
    try {
      await this.#launch()
    } catch (error) {
      if (this.#isStopped) return
      this.#settings.logger.error({ err: error }, 'the app could not be started again')
      this.#restartLater()
    }
  }
}
