// The app of a gateway whose configuration is an object: its functions are in this process already,
// and run on the thread that made the gateway. No isolation: a handler that blocks blocks the
// decisions of the gateway, too.

import type { ResolvedConfig } from '../config/resolved.ts'
import type { Logger } from '../telemetry/log.ts'
import { type App, startApp } from './app.ts'
import type { AppFunctions } from './functions.ts'
import type { AppRunner, SupervisorSettings } from './supervisor.ts'

export class LocalApp implements AppRunner {
  readonly pids: readonly number[] = []
  readonly #resolved: ResolvedConfig
  readonly #functions: AppFunctions
  readonly #settings: SupervisorSettings
  #app: App | undefined

  constructor(resolved: ResolvedConfig, functions: AppFunctions, settings: SupervisorSettings) {
    this.#resolved = resolved
    this.#functions = functions
    this.#settings = settings
  }

  async start(): Promise<void> {
    const { secret, logger, publish, onSockets } = this.#settings
    const runDirectory = this.#settings.runDirectory()
    const generation = this.#settings.nextNumber()
    const log = (level: Exclude<keyof Logger, 'level'>, fields: object, message: string) =>
      logger[level](fields, message)
    const mountPatience = this.#resolved.timeouts.appStart
    const shared = { secret, log, publish, runDirectory, mountPatience, generation }
    this.#app = await startApp({ resolved: this.#resolved, functions: this.#functions, ...shared })
    logger.info(
      { host: this.#app.host },
      'functions run on the thread of the gateway: no isolation',
    )
    onSockets(this.#app.sockets)
  }

  async stop({ drain }: { drain: boolean }): Promise<void> {
    const grace = this.#resolved.timeouts.drain
    if (drain && this.#app !== undefined) await within(grace, this.#app.drain())
    this.#app?.destroy()
  }
}

async function within(milliseconds: number, work: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, milliseconds)
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}
