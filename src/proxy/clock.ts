// Time for whatever in src/proxy waits: the real one, or that of a test. Timers never keep the
// process alive; what runs in one must not throw.

export interface Clock {
  /** Runs once, after so many milliseconds; the function that is returned calls it off. */
  after(ms: number, run: () => void): () => void
  /** From 0 to 1, for jitter. */
  random(): number
}

export const systemClock: Clock = {
  after(ms, run) {
    const timer = setTimeout(run, ms).unref()
    return () => clearTimeout(timer)
  },
  random: Math.random,
}

/** `ms`, give or take the fraction `share` of it. */
export function jittered(clock: Clock, ms: number, share: number): number {
  return Math.round(ms * (1 + share * (2 * clock.random() - 1)))
}
