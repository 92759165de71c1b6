// The program of the process that relays to targets which the core does not speak to itself: https:
// and HTTP/2. A process of its own: a main thread that decides and an app that runs somebody's
// functions may both be busy, and no worker may wait for them. Ends with the gateway.

import type { FromRelays, ToRelays } from './relay-messages.ts'
import { Relays } from './relays.ts'

let relays: Relays | undefined

function send(message: FromRelays): void {
  if (process.connected) process.send?.(message)
}

/** One line for a target in this time. */
const quietMs = 1_000
const lastTrouble = new Map<string, number>()

function report(upstream: string, target: string, error: Error): void {
  const key = `${upstream} ${target}`
  const now = performance.now()
  if (now - (lastTrouble.get(key) ?? -quietMs) < quietMs) return
  lastTrouble.set(key, now)
  send({ type: 'trouble', upstream, target, message: error.message })
}

async function place({ target, manner }: Extract<ToRelays, { type: 'place' }>): Promise<void> {
  try {
    await relays?.place(target, manner)
    send({ type: 'placed', id: target.id })
  } catch (error) {
    send({ type: 'failed', message: (error as Error).message })
  }
}

process.on('message', (message: ToRelays) => {
  if (message.type === 'place') void place(message)
  else if (message.type === 'remove') relays?.remove(message.ids)
  else relays = new Relays({ directory: message.directory, onTrouble: report })
})
process.on('disconnect', () => process.exit(0))
// The gateway decides when it ends.
process.on('SIGTERM', () => {})
process.on('SIGINT', () => {})
