// The certificates of tests, made by certificates/make.sh.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, 'certificates')

export type CertificateName = 'server' | 'client' | 'stranger' | 'misnamed' | 'expired'

/** The path of a PEM file: 'ca.pem', 'client.key' … */
export function pemPath(file: string): string {
  return join(folder, file)
}

/** For servers and clients of node:tls. */
export function keyPair(name: CertificateName): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(pemPath(`${name}.pem`)), key: readFileSync(pemPath(`${name}.key`)) }
}
