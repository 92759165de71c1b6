// The part of config/compile.ts that is about TLS. Pure.

import type { NativeTls } from '../native/tls.ts'
import { fieldLines } from './fields.ts'
import type { ResolvedHttpsOnly, ResolvedTls } from './resolved.ts'

export function compileTls({ certificates, minVersion, mtls, httpsOnly }: ResolvedTls): NativeTls {
  return {
    certificates: certificates.map(({ ocsp = '', ...pair }) => ({ ...pair, ocsp })),
    minVersion,
    clients: mtls === false ? 'any' : mtls.mode,
    clientCa: mtls === false ? '' : mtls.ca,
    subjectField: mtls === false ? '' : mtls.header,
    hsts: httpsOnly === false ? '' : fieldLines({ 'Strict-Transport-Security': hsts(httpsOnly) }),
  }
}

/** RFC 6797 §6.1. */
function hsts({ maxAge, subdomains, preload }: ResolvedHttpsOnly): string {
  const parts = [`max-age=${Math.round(maxAge / 1_000)}`]
  if (subdomains) parts.push('includeSubDomains')
  if (preload) parts.push('preload')
  return parts.join('; ')
}
