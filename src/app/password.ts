// Hashes of passwords: scrypt (RFC 7914) in the form that others write, too:
// $scrypt$ln=15,r=8,p=1$SALT$HASH, both in base64 without padding. Used by the command that makes
// them and by the app that checks them.

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

const cost = 15
const blockSize = 8
const parallelization = 1
const saltBytes = 16
const keyBytes = 32

const form = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

interface Parameters {
  ln: number
  r: number
  p: number
}

/** A hash of `password` with a fresh salt. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes)
  const parameters = { ln: cost, r: blockSize, p: parallelization }
  const key = await derive(password, salt, keyBytes, parameters)
  return `$scrypt$ln=${cost},r=${blockSize},p=${parallelization}$${bare(salt)}$${bare(key)}`
}

/** Takes as long whether it fits or not. */
export async function isPassword(password: string, hash: string): Promise<boolean> {
  const [, ln, r, p, salt = '', key = ''] = form.exec(hash) ?? []
  const wanted = Buffer.from(key, 'base64')
  if (wanted.length === 0) return false
  const parameters = { ln: Number(ln), r: Number(r), p: Number(p) }
  const made = await derive(password, Buffer.from(salt, 'base64'), wanted.length, parameters)
  return timingSafeEqual(made, wanted)
}

function derive(
  password: string,
  salt: Buffer,
  length: number,
  { ln, r, p }: Parameters,
): Promise<Buffer> {
  const N = 2 ** ln
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const options = { N, r, p, maxmem: 128 * N * r * 2 }
  scrypt(password.normalize('NFC'), salt, length, options, (error, key) => {
    if (error === null) resolve(key)
    else reject(error)
  })
  return promise
}

function bare(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}
