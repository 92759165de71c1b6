// Serving until a signal says to stop: the first drains, a second cuts off. Prints one line for
// every listener when it is ready, for scripts and people.

import type { ResolvedConfig } from '../config/resolved.ts'
import { showDuration } from '../config/units.ts'
import { type Gateway, startCore } from '../gateway.ts'
import type { Address } from '../native/listening.ts'
import { createLogger } from '../telemetry/log.ts'

// Ctrl-C under npm arrives twice, from the terminal and from npm: one press.
const samePressMs = 250
// A stop that takes longer than this says what it waits for.
const silentStopMs = 1_000

// Without a handler a signal that elsewhere means 'read the configuration again' would kill.
const noReload =
  'sluice: SIGHUP: a running gateway does not read its configuration again: restart it for that'

/** Serves; resolves with the exit code when all has ended. */
export async function serveUntilSignal(resolved: ResolvedConfig): Promise<number> {
  const gateway = startCore(resolved, createLogger())
  const stopped = stopOnSignals(gateway)
  for (const address of await gateway.listen()) console.log(`listening on ${shownAddress(address)}`)
  await stopped
  reportCutOff(gateway)
  return 0
}

/** The URL that this machine reaches it by, and who else does. */
function shownAddress(address: Address): string {
  if (address.kind === 'unix') return address.url
  const everybody: Record<string, string> = {
    '0.0.0.0': ' (every IPv4 address)',
    '::': ' (every address)',
  }
  return `${address.url}${everybody[address.host] ?? ''}`
}

// Resolves when the gateway has ended; the handlers stay until the process does.
function stopOnSignals(gateway: Gateway): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let first: number | undefined
  const stop = () => {
    const now = performance.now()
    if (first !== undefined && now - first < samePressMs) return
    if (first === undefined) announceDelay(gateway)
    gateway.close({ drain: first === undefined }).then(resolve, reject)
    first ??= now
  }
  // Also without a log: left alone it would make Node open its debugger to whoever is on this
  // machine.
  process.on('SIGUSR1', () => gateway.reopenLogs())
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('SIGHUP', () => console.error(noReload))
  return promise
}

function announceDelay(gateway: Gateway): void {
  const drain = showDuration(gateway.resolved.timeouts.drain)
  const message = `sluice: finishing requests for at most ${drain}; a second signal ends them now`
  setTimeout(() => console.error(message), silentStopMs).unref()
}

function reportCutOff(gateway: Gateway): void {
  const count = gateway.stats().total.errors.draining ?? 0
  if (count === 0) return
  console.error(`sluice: ${count} ${count === 1 ? 'connection was' : 'connections were'} cut off`)
}
