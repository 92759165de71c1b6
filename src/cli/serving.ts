// Serving until a signal says to stop: the first drains, a second cuts off. Prints one line for
// every listener when it is ready, for scripts and people; deals with the service manager and with
// the process before and after this one.

import type { ResolvedConfig } from '../config/resolved.ts'
import { showDuration } from '../config/units.ts'
import type { Core } from '../gateway/gateway-types.ts'
import { startCore } from '../gateway.ts'
import { createLogger } from '../telemetry/log.ts'
import { Reloading } from './reloading.ts'
import { type Inheritance, inheritFrom, Rendezvous } from './succession.ts'
import { ServiceLife, socketsFromServiceManager, startWatchdog } from './systemd.ts'

// Ctrl-C under npm arrives twice, from the terminal and from npm: one press.
const samePressMs = 250
// A stop that takes longer than this says what it waits for.
const silentStopMs = 1_000
// What a shell says of a program that SIGTERM ended.
const terminatedCode = 143

export interface ServingOptions {
  /** Reads the configuration again when a file of it changes. */
  watch?: boolean
  /** A unix socket by which this process takes over from one before, and hands over to the next. */
  handover?: string | undefined
}

/** Serves what `load` gives; resolves with the exit code when all has ended. */
export async function serveUntilSignal(
  load: () => ResolvedConfig | Promise<ResolvedConfig>,
  { watch = false, handover }: ServingOptions = {},
): Promise<number> {
  const signals = new Signals()
  const logger = createLogger()
  const given = socketsFromServiceManager()
  const resolved = await load()
  const gateway = startCore(resolved, logger)
  const before = handover === undefined ? undefined : inheritFrom(handover)
  gateway.inherit([...given, ...(before?.sockets ?? [])], before?.ticketKeys)
  const life = new ServiceLife(() => {
    return `serving, drains for at most ${showDuration(gateway.resolved.timeouts.drain)}`
  })
  const reloading = new Reloading(gateway, resolved.file !== '', life)
  const stopped = signals.steer(gateway, reloading)
  reloading.announce(await gateway.listen())
  const onSuccessor = (pid: number) => {
    life.succeeded(pid)
    signals.succeed()
  }
  const rendezvous =
    handover === undefined ? undefined : expect(handover, before, gateway, onSuccessor)
  await takeOver(before, gateway)
  life.ready()
  const endWatchdog = startWatchdog(() => gateway.silenceMs())
  signals.onStop(() => {
    rendezvous?.close()
    life.stopping()
  })
  if (watch) await reloading.watch()
  await stopped
  reloading.close()
  endWatchdog()
  rendezvous?.close()
  reportCutOff(gateway)
  return 0
}

/** The process before this one may go. When it cannot be told, it stays and this one goes. */
async function takeOver(before: Inheritance | undefined, gateway: Core): Promise<void> {
  try {
    before?.ready()
  } catch (error) {
    await gateway.succeed()
    throw error
  }
}

function expect(
  path: string,
  before: Inheritance | undefined,
  gateway: Core,
  onSuccessor: (pid: number) => void,
): Rendezvous {
  return new Rendezvous({
    path,
    inherited: before?.rendezvous,
    sockets: () => gateway.sockets(),
    ticketKeys: () => gateway.ticketKeys(),
    onSuccessor: (pid) => {
      console.error(`sluice: process ${pid} has taken over; finishing requests`)
      onSuccessor(pid)
    },
    onFault: (message) => console.error(`sluice: ${message}`),
  })
}

/**
 * Handlers that stay until the process ends. They are there from the start: the first process of a
 * container gets no signal that it does not handle.
 */
class Signals {
  readonly #stopped = Promise.withResolvers<void>()
  #gateway: Core | undefined
  #reloading: Reloading | undefined
  #first: number | undefined
  #onStop: (() => void) | undefined

  constructor() {
    // Also without a log: left alone it would make Node open its debugger to whoever is on this
    // machine.
    process.on('SIGUSR1', () => this.#gateway?.reopenLogs())
    process.on('SIGTERM', () => this.#stop())
    process.on('SIGINT', () => this.#stop())
    // Left alone it would end the process.
    process.on('SIGHUP', () => void this.#reloading?.reload('SIGHUP'))
  }

  /** Resolves when the gateway has ended. */
  steer(gateway: Core, reloading: Reloading): Promise<void> {
    this.#gateway = gateway
    this.#reloading = reloading
    return this.#stopped.promise
  }

  /** Called once, at the first word that it is to stop; not when there is a successor. */
  onStop(call: () => void): void {
    this.#onStop = call
  }

  /** A successor serves, and reloads. A signal now cuts off. */
  succeed(): void {
    this.#reloading?.close()
    this.#reloading = undefined
    this.#first ??= performance.now()
    this.#gateway?.succeed().then(this.#stopped.resolve, this.#stopped.reject)
  }

  #stop(): void {
    const gateway = this.#gateway
    if (gateway === undefined) process.exit(terminatedCode)
    const now = performance.now()
    if (this.#first !== undefined && now - this.#first < samePressMs) return
    const drain = this.#first === undefined
    if (drain) {
      announceDelay(gateway)
      this.#onStop?.()
    }
    gateway.close({ drain }).then(this.#stopped.resolve, this.#stopped.reject)
    this.#first ??= now
  }
}

function announceDelay(gateway: Core): void {
  const drain = showDuration(gateway.resolved.timeouts.drain)
  const message = `sluice: finishing requests for at most ${drain}; a second signal ends them now`
  setTimeout(() => console.error(message), silentStopMs).unref()
}

function reportCutOff(gateway: Core): void {
  const count = gateway.stats().total.errors.draining ?? 0
  if (count === 0) return
  console.error(`sluice: ${count} ${count === 1 ? 'connection was' : 'connections were'} cut off`)
}
