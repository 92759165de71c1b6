// Finds and loads the native core. The only place that knows where the .node file lies: built in a
// checkout (native/build/Release) or shipped in the package (prebuilds/<platform>-<arch>).
// SLUICE_ADDON names another build, such as one with a sanitizer. Runs in every JavaScript
// environment that makes a gateway; must never fail with more than one line that says what to do.

import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { NativeAddon } from './interface.ts'

const require = createRequire(import.meta.url)
const packageRoot = fileURLToPath(new URL('../..', import.meta.url))

let loaded: NativeAddon | undefined

/** The core is missing or does not load; `message` is one line with the remedy. */
export class AddonError extends Error {
  readonly code = 'ERR_SLUICE_ADDON'
  override name = 'AddonError'
}

/**
 * Where the addon is looked for, best first. A build of this machine comes before a shipped one:
 * it was made for exactly this Node and libc.
 */
export function addonCandidates(environment: NodeJS.ProcessEnv = process.env): string[] {
  const named = environment.SLUICE_ADDON
  if (named) return [resolve(named)]
  return [
    resolve(packageRoot, 'native/build/Release/sluice.node'),
    resolve(packageRoot, `prebuilds/${process.platform}-${process.arch}/sluice.node`),
  ]
}

/** Loads the addon from the first candidate that exists. Throws AddonError. */
export function loadAddonFrom(candidates: string[]): NativeAddon {
  const path = candidates.find((candidate) => existsSync(candidate))
  if (path === undefined) {
    throw new AddonError(
      `the native core is not built (looked for ${candidates.join(', ')}): run npm run build`,
    )
  }
  try {
    return require(path) as NativeAddon
  } catch (error) {
    const reason = String((error as Error).message).split('\n', 1)[0]
    throw new AddonError(
      `the native core does not load in Node ${process.version} (${reason}): run npm run build`,
      { cause: error },
    )
  }
}

/** The addon of this process, loaded once. Throws AddonError. */
export function loadAddon(): NativeAddon {
  loaded ??= loadAddonFrom(addonCandidates())
  return loaded
}
