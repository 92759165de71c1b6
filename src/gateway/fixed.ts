// What a running gateway cannot change: threads, the cache's bounds, the access log and the admin
// listener are made once. A configuration that says otherwise is served but for these. Pure.

import { isDeepStrictEqual } from 'node:util'
import type { ResolvedConfig } from '../config/resolved.ts'

const fixedKeys = ['workers', 'cache', 'accessLog', 'admin'] as const

/** One sentence for each, naming the key. */
export function fixedChanges(served: ResolvedConfig, written: ResolvedConfig): string[] {
  return fixedKeys
    .filter((key) => !isDeepStrictEqual(served[key], written[key]))
    .map((key) => `${key}: stays as it was until the gateway is started again`)
}

/** The new configuration with these as they are served. */
export function withFixed(served: ResolvedConfig, written: ResolvedConfig): ResolvedConfig {
  const { workers, cache, accessLog, admin } = served
  return { ...written, workers, cache, accessLog, admin }
}
