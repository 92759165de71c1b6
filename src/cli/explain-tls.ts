// What TLS changes in an explanation: the scheme of the request, who is sent to https, and which
// engine encrypts.

import type { ResolvedConfig } from '../config/resolved.ts'
import type { NativeAddon } from '../native/interface.ts'
import type { NamedRequest } from './request.ts'

/** As it was written; without a scheme, what the listeners speak. */
export function schemeOf({ listen }: ResolvedConfig, { scheme }: NamedRequest): 'http' | 'https' {
  if (scheme !== undefined) return scheme
  const serving = listen.filter(({ redirectsTo }) => redirectsTo === undefined)
  return serving.every(({ tls }) => tls !== undefined) ? 'https' : 'http'
}

/** Whether plain requests are only sent to https: no listener serves them. */
export function isOnlyRedirected({ listen }: ResolvedConfig, { target }: NamedRequest): boolean {
  const plain = listen.filter(({ tls }) => tls === undefined)
  if (plain.length === 0 || target.startsWith('/.well-known/acme-challenge/')) return false
  return plain.every(({ redirectsTo }) => redirectsTo !== undefined)
}

/** Instead of the engine, and the reason for it, that a client without TLS would get. */
export function secureEngine(addon: NativeAddon, config: ResolvedConfig, plain: string): string {
  if (config.transfer.mode === 'copy') {
    return "tls-copy: OpenSSL encrypts, with one copy; the configuration says transfer: 'copy'"
  }
  const kernel = addon.capabilities().find(({ name }) => name === 'kTLS')
  if (kernel?.available !== true) {
    return `tls-copy: OpenSSL encrypts, with one copy; kTLS is not there (${kernel?.error})`
  }
  const encrypted = 'the kernel encrypts, where client and kernel have a cipher in common'
  return `ktls-${plain.replace('memory', 'copy')}; ${encrypted}`
}
