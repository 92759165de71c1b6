// How many threads may usefully serve: affinity and the quotas of every control group above us
// count, which Node's availableParallelism() leaves out in part. Any thread.

import { availableParallelism } from 'node:os'
import { AddonError, loadAddon } from './addon.ts'

/** CPUs that this process may use, at least 1. Without the core it is Node's own count. */
export function usableCpus(): number {
  try {
    return loadAddon().usableCpus()
  } catch (error) {
    // Whoever then wants to serve is told what is wrong with the core.
    if (error instanceof AddonError) return availableParallelism()
    throw error
  }
}
