// What systemd gives a service and wants to hear from it: sockets that it has bound (LISTEN_FDS),
// and a line at each turn of its life (NOTIFY_SOCKET), as sd_listen_fds(3) and sd_notify(3) say.
// Main thread. Without systemd nothing of it happens; must never fail because nobody listens.

import { loadAddon } from '../native/addon.ts'
import type { InheritedSocket } from '../native/inheritance.ts'

const firstDescriptor = 3

/**
 * The sockets that the service manager has bound for this very process. They are taken once: the
 * variables are removed, so that no child believes they are for it. Throws when one is of no use.
 */
export function socketsFromServiceManager(
  environment: NodeJS.ProcessEnv = process.env,
  addressOf: (fd: number) => InheritedSocket['address'] | null = (fd) =>
    loadAddon().socketAddress(fd),
): InheritedSocket[] {
  const { LISTEN_PID: forPid, LISTEN_FDS: count } = environment
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete environment[name]
  if (Number(forPid) !== process.pid || !(Number(count) > 0)) return []
  return Array.from({ length: Number(count) }, (_, index) => {
    const fd = firstDescriptor + index
    const address = addressOf(fd)
    if (address !== null) return { fd, address }
    throw new Error(`descriptor ${fd} of the service manager is no listening stream socket`)
  })
}

/** Says `lines` to the service manager, if there is one. */
export function notify(...lines: string[]): void {
  const { NOTIFY_SOCKET: path } = process.env
  if (!path) return
  try {
    loadAddon().sendDatagram(path, lines.join('\n'))
  } catch {
    // It has gone; there is nobody else to tell.
  }
}

/** What the service manager hears of a service's life, in an order that makes sense to it. */
export class ServiceLife {
  readonly #status: () => string
  #isStopping = false

  /** `status` is what it shows of a service that serves. */
  constructor(status: () => string) {
    this.#status = status
  }

  ready(): void {
    if (!this.#isStopping) notify('READY=1', `STATUS=${this.#status()}`)
  }

  /** Type=notify-reload waits for ready() after this, and tells by the time which reload it is. */
  reloading(): void {
    if (this.#isStopping) return
    // Node's clock is CLOCK_MONOTONIC.
    const microseconds = process.hrtime.bigint() / 1_000n
    notify('RELOADING=1', `MONOTONIC_USEC=${microseconds}`, 'STATUS=reading the configuration')
  }

  stopping(): void {
    this.#isStopping = true
    notify('STOPPING=1', 'STATUS=finishing requests')
  }

  /** Another process is the service from now on. */
  succeeded(pid: number): void {
    this.#isStopping = true
    notify(`MAINPID=${pid}`)
  }
}

/** Longer than this without a sign of life of some worker, and the watchdog may bite. */
function mayLive(silenceMs: number, intervalMs: number): boolean {
  return silenceMs < intervalMs
}

/**
 * Tells the service manager twice in each of its intervals that every thread works, if it wants to
 * know. Gives the function that ends this.
 */
export function startWatchdog(silenceMs: () => number): () => void {
  const intervalMs = Number(process.env.WATCHDOG_USEC) / 1000
  if (!(intervalMs > 0)) return () => {}
  const timer = setInterval(() => {
    if (mayLive(silenceMs(), intervalMs)) notify('WATCHDOG=1')
  }, intervalMs / 2)
  timer.unref()
  return () => clearInterval(timer)
}
