// Requests that carry a file, and what is in a directory afterwards.

import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { RawClient, Reply } from './client.ts'
import { chunked } from './upstream.ts'

type Fields = Record<string, string>

/** The head of a request whose body follows. */
export function uploadHead(method: string, target: string, fields: Fields): string {
  const lines = Object.entries({ Host: 'test', ...fields })
  return [`${method} ${target} HTTP/1.1`, ...lines.map(([n, v]) => `${n}: ${v}`), '', ''].join(
    '\r\n',
  )
}

/** Sends a file of known length and reads the answer. */
export async function put(
  client: RawClient,
  target: string,
  body: Uint8Array | string,
  fields: Fields = {},
  method = 'PUT',
): Promise<Reply> {
  const bytes = Buffer.from(body)
  client.write(uploadHead(method, target, { 'Content-Length': String(bytes.length), ...fields }))
  client.write(bytes)
  return client.read()
}

/** Sends a file in chunks of `size` bytes and reads the answer. */
export async function putChunked(
  client: RawClient,
  target: string,
  body: Uint8Array,
  size: number,
  fields: Fields = {},
): Promise<Reply> {
  client.write(uploadHead('PUT', target, { 'Transfer-Encoding': 'chunked', ...fields }))
  client.write(chunked(Buffer.from(body), size))
  return client.read()
}

/** The value of Content-Digest for these bytes. */
export function digestOf(body: Uint8Array | string): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
}

/** Everything beneath a directory, hidden names too, as sorted relative paths. */
export function everythingIn(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort()
}
