// How an upstream's targets are spoken to: the options of TLS with them, and what must hold between
// those and the transport. Reads the PEM files, so that a wrong one is told when it is named.

import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { hostValue } from './host-value.ts'
import { boolean, type Kind, oneOrMany, orNone, orNothing } from './kinds.ts'
import { pathStatus, wrongStatus } from './path-status.ts'
import type { Place } from './place.ts'
import type { ResolvedTargetTls, ResolvedUpstream } from './resolved.ts'
import type { Section } from './section.ts'

type TransportSettings = Pick<
  ResolvedUpstream,
  'targets' | 'transport' | 'allowH2' | 'tls' | 'proxyProtocol'
>

const pemFile: Kind<string> = {
  expected: 'the path of a PEM file',
  typescript: 'string',
  read(value, place) {
    if (typeof value !== 'string' || value === '') return place.mismatch(this.expected, value)
    const path = resolve(place.directory, value)
    const status = pathStatus(path)
    return status === 'file' ? path : place.report(`${wrongStatus('file', status)}: ${path}`)
  },
}

export const targetTls: Section<ResolvedTargetTls> = {
  ca: {
    kind: orNone(oneOrMany(pemFile, 1)),
    default: false,
    doc: `PEM files with the authorities whose certificates are believed, in the place of those that
Node knows.`,
  },
  servername: {
    kind: orNothing(hostValue),
    default: false,
    doc: `The name that the certificate must have, and that is asked for (SNI). false: the one in
the URL of the target.`,
  },
  cert: {
    kind: orNothing(pemFile),
    default: false,
    doc: 'A certificate that we show to targets that ask for one, with its chain; needs key.',
  },
  key: { kind: orNothing(pemFile), default: false, doc: 'Its private key.' },
  dangerouslyAcceptAnyCertificate: {
    kind: boolean(),
    default: false,
    doc: `Believe whatever certificate comes, expired ones, made-up ones and those of others.
Whoever is on the way can then read and change everything: for tests.`,
  },
}

/** What must hold between the options that say how targets are spoken to. Reports. */
export function checkTransport(settings: TransportSettings, place: Place): boolean {
  const before = place.problems.length
  const { targets: all, transport, allowH2, tls, proxyProtocol } = settings
  const isSecure = all.some(({ secure }) => secure)
  if (proxyProtocol !== false && (isSecure || transport === 'undici')) {
    place.at('proxyProtocol').report("only http: and unix: targets of transport 'splice' get it")
  }
  if (allowH2 && transport === 'splice') {
    place.at('allowH2').report("HTTP/2 is spoken by undici, and transport is 'splice'")
  }
  if (allowH2 && !isSecure && all.length > 0) {
    place.at('allowH2').report('HTTP/2 is agreed on within TLS, and no target is https:')
  }
  if ((tls.cert === '') !== (tls.key === '')) {
    place.at('tls').report('cert and key belong together')
  } else {
    checkTls(tls, place.at('tls'))
  }
  return place.problems.length === before
}

function checkTls({ ca, cert, key }: ResolvedTargetTls, place: Place): void {
  for (const [name, files] of Object.entries({ ca, cert: cert === '' ? [] : [cert] })) {
    for (const file of files) reportFailure(place.at(name), () => new X509Certificate(pem(file)))
  }
  if (key === '' || place.problems.length > 0) return
  reportFailure(place.at('key'), () => createSecureContext({ cert: pem(cert), key: pem(key) }))
}

function pem(file: string): Buffer {
  return readFileSync(file)
}

function reportFailure(place: Place, use: () => unknown): void {
  try {
    use()
  } catch (error) {
    place.report(`cannot be used: ${(error as Error).message}`)
  }
}
