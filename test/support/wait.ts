// Waiting for a condition instead of a time: tests never sleep, they say what they wait for.
// The patience is for machines that are slow and builds that check everything.

import { setTimeout as delay } from 'node:timers/promises'

const patienceMs = 20_000
const pauseMs = 10

/** For what a process of low priority does: a busy machine has little time for it. */
export const inTheBackground = { patienceMs: 50_000 }

/**
 * Resolves with the first truthy value of `condition`; rejects, naming `what`, when it never comes.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  patience = { patienceMs },
): Promise<T> {
  const deadline = Date.now() + patience.patienceMs
  for (;;) {
    const value = await condition()
    if (value) return value
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await delay(pauseMs)
  }
}
