// What our package.json says of us; it lies beside src/ and dist/ alike.

import { readFileSync } from 'node:fs'

export interface PackageInfo {
  version: string
  /** Versions of Node that are supported, as npm reads them. */
  engines: { node: string }
}

export function packageInfo(): PackageInfo {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
}
