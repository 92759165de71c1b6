// Serving until a signal says to stop: the first drains, a second cuts off. Prints one line for
// every listener when it is ready, for scripts and people.

import type { ResolvedConfig } from '../config/resolved.ts'
import { showDuration } from '../config/units.ts'
import { type Gateway, startCore } from '../gateway.ts'
import { createLogger } from '../telemetry/log.ts'
import { Reloading } from './reloading.ts'

// Ctrl-C under npm arrives twice, from the terminal and from npm: one press.
const samePressMs = 250
// A stop that takes longer than this says what it waits for.
const silentStopMs = 1_000

/** Serves; resolves with the exit code when all has ended. */
export async function serveUntilSignal(
  resolved: ResolvedConfig,
  { watch = false } = {},
): Promise<number> {
  const gateway = startCore(resolved, createLogger())
  const reloading = new Reloading(gateway, resolved.file !== '')
  const stopped = stopOnSignals(gateway)
  process.on('SIGHUP', () => void reloading.reload('SIGHUP'))
  reloading.announce(await gateway.listen())
  if (watch) await reloading.watch()
  await stopped
  reloading.close()
  reportCutOff(gateway)
  return 0
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
