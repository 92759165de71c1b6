// One generation of the app: a process from its start to its end, what it is doing, and whether it
// still reacts. Main thread. The states:
//
//   starting ──ready──▶ serving ──retire──▶ retiring
//      │                   │                   │
//      └──────── gone ◀────┴───────────────────┘

import { readdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, type Problem } from '../config/errors.ts'
import { showDuration } from '../config/units.ts'
import type { PublishTo } from '../native/publication.ts'
import type { Logger } from '../telemetry/log.ts'
import type { AppSockets } from './contract.ts'
import type { LogLine, StartMessage } from './messages.ts'
import { type AppEvents, AppProcess } from './process.ts'

/** The app did not start, for another reason than its configuration. */
export class AppError extends Error {
  readonly code = 'ERR_SLUICE_APP'
  override name = 'AppError'
}

// A missing answer counts once for each of these parts of timeouts.appHang: that the main thread
// itself stood still, and its timers fire late, is not taken for a hang of the app.
const hangParts = 4

type State = 'starting' | 'serving' | 'retiring' | 'gone'

export class Generation {
  readonly number: number
  readonly #start: StartMessage
  readonly #logger: Logger
  readonly #onPublish: PublishTo
  readonly #onGone: (how: string) => void
  readonly #process: AppProcess
  readonly #ready = Promise.withResolvers<AppSockets>()
  readonly #gone = Promise.withResolvers<void>()
  readonly #startedAt = performance.now()
  #state: State = 'starting'
  #deadline: NodeJS.Timeout | undefined
  #pings: NodeJS.Timeout | undefined
  #sent = 0
  #answered = 0
  #missed = 0

  /** `onGone` is called once, after `ready` has been settled. */
  constructor(
    start: StartMessage,
    logger: Logger,
    onPublish: PublishTo,
    onGone: (how: string) => void,
  ) {
    this.number = start.generation
    this.#start = start
    this.#logger = logger
    this.#onPublish = onPublish
    this.#onGone = onGone
    // Nobody has to wait for it.
    this.#ready.promise.catch(() => {})
    this.#process = new AppProcess(start, this.#events())
    const patience = start.resolved.timeouts.appStart
    this.#deadline = setTimeout(() => {
      const message = `the app was not ready after ${showDuration(patience)} (timeouts.appStart)`
      this.#ready.reject(new AppError(message))
      this.#process.kill()
    }, patience)
  }

  /** Rejects with ConfigError or AppError when it does not start. */
  get ready(): Promise<AppSockets> {
    return this.#ready.promise
  }

  get gone(): Promise<void> {
    return this.#gone.promise
  }

  get state(): State {
    return this.#state
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Milliseconds since its start. */
  get age(): number {
    return performance.now() - this.#startedAt
  }

  /** Kills it when it does not react for timeouts.appHang while `isWaitedFor`. */
  watch(isWaitedFor: () => boolean): void {
    const { appHang } = this.#start.resolved.timeouts
    const check = () => {
      this.#missed = this.#answered === this.#sent ? 0 : this.#missed + 1
      if (this.#missed === 0) this.#process.tell({ type: 'ping', sequence: ++this.#sent })
      if (this.#missed < hangParts || !isWaitedFor()) return
      const time = showDuration(appHang)
      const message = `the app does not react for ${time} (timeouts.appHang): killed`
      this.#logger.error({ generation: this.number, app: this.pid }, message)
      this.kill()
    }
    this.#pings = setInterval(check, appHang / hangParts).unref()
    check()
  }

  /** Lets it finish what it does, for at most its own timeouts.drain. */
  retire(): void {
    if (this.#state === 'gone' || this.#state === 'retiring') return
    this.#state = 'retiring'
    clearInterval(this.#pings)
    clearTimeout(this.#deadline)
    this.#process.terminate()
    const { drain } = this.#start.resolved.timeouts
    this.#deadline = setTimeout(() => this.#process.kill(), drain)
  }

  kill(): void {
    this.#process.kill()
  }

  #events(): AppEvents {
    const about = { generation: this.number }
    const printed = (line: string, to: string) => {
      const level = to === 'stderr' ? 'warn' : 'info'
      this.#logger[level]({ ...about, printed: to }, line)
    }
    return {
      onReady: (sockets, host) => this.#serve(sockets, host),
      onFailed: (problems) => this.#fail(problems),
      onPong: (sequence) => {
        this.#answered = Math.max(this.#answered, sequence)
      },
      onLog: (lines) => {
        for (const { level, fields, message } of lines) this.#write(level, fields, message)
      },
      onPublish: this.#onPublish,
      onPrinted: printed,
      onPrintedTooMuch: (count) =>
        this.#logger.warn({ ...about, dropped: count }, 'the app prints too much: lines left out'),
      onGone: (how) => this.#end(how),
    }
  }

  #serve(sockets: AppSockets, host: string): void {
    if (this.#state !== 'starting') return
    this.#state = 'serving'
    clearTimeout(this.#deadline)
    const { number: generation, pid } = this
    this.#logger.info({ generation, app: pid, host }, 'the app is ready')
    this.#ready.resolve(sockets)
  }

  #fail(problems: readonly Problem[]): void {
    this.#ready.reject(new ConfigError(problems, this.#start.file))
    // It has nothing more to say.
    this.kill()
  }

  // The app may have another idea of what a level is.
  #write(level: LogLine['level'], fields: object, message: string): void {
    const known = ['debug', 'info', 'warn', 'error'].includes(level) ? level : 'info'
    this.#logger[known]({ ...fields, generation: this.number }, String(message))
  }

  #end(how: string): void {
    const wasStarting = this.#state === 'starting'
    this.#state = 'gone'
    clearTimeout(this.#deadline)
    clearInterval(this.#pings)
    if (wasStarting) this.#ready.reject(new AppError(`the app ended before it was ready: ${how}`))
    this.#unlinkSockets()
    this.#gone.resolve()
    this.#onGone(how)
  }

  #unlinkSockets(): void {
    const { runDirectory } = this.#start
    try {
      const own = readdirSync(runDirectory).filter((name) => name.startsWith(`app-${this.number}-`))
      for (const name of own) unlinkSync(join(runDirectory, name))
    } catch {
      // The directory goes as a whole when the gateway ends.
    }
  }
}
