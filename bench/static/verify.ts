// What a server answers is looked at before anything is measured.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { ask } from '../measuring/client.ts'
import type { RunningServer } from '../measuring/servers.ts'
import { type Row, serversOf } from './rows.ts'

export async function etagOf(port: number, path: string): Promise<string> {
  const reply = await ask(port, path)
  reply.destroy()
  return reply.headers.etag ?? ''
}

/** Throws unless the server answers every target of the row with the file's bytes. */
async function verify(row: Row, server: RunningServer, site: string): Promise<void> {
  for (const path of row.targets) {
    const reply = await ask(server.port, path)
    const body = await buffer(reply)
    if (reply.statusCode === 200 && body.equals(readFileSync(join(site, path)))) continue
    throw new Error(`${server.name} answers ${path} with ${reply.statusCode} or other bytes`)
  }
  if (row.status === undefined) return
  const [path = '/'] = row.targets
  const headers = { 'If-None-Match': await etagOf(server.port, path) }
  const reply = await ask(server.port, path, headers)
  reply.resume()
  if (reply.statusCode === row.status) return
  throw new Error(`${server.name} answers ${row.name} with ${reply.statusCode}`)
}

export async function verifyAll(
  rows: readonly Row[],
  servers: readonly RunningServer[],
  site: string,
): Promise<void> {
  for (const row of rows) {
    for (const server of serversOf(row, servers)) await verify(row, server, site)
  }
}
