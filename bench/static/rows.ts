// The files that are served and the rows of the table: what is asked for, on how many connections,
// and which figures count.

import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Row as Line } from '../measuring/measure.ts'
import type { RunningServer } from '../measuring/servers.ts'

const kib = 1024

export interface Row extends Line {
  /** Targets, asked for in turn. */
  targets: string[]
  connections: number
  method?: 'HEAD'
  /** More fields of the request, each with its line end. */
  fields?: string
  /** The status that is expected, when it is not 200. */
  status?: number
  /** Asks with the ETag of the file, which each server makes in its own way. */
  conditional?: true
  /** Whether the floor program can answer it: one send on a kept connection. */
  hasFloor?: true
  /**
   * It costs the client more than a server, which therefore sleeps every few requests: a spinner on
   * its core would be paid for at each wake-up (a switch of address spaces), by who is quicker more
   * often than by who is slower.
   */
  serverSleeps?: true
}

export const manyFiles = 1_000

function target(name: string): string {
  return `/${name}`
}

function manyNames(): string[] {
  return Array.from({ length: manyFiles }, (_, index) => `4k-${index}.bin`)
}

const browserFields = [
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language: en-US,en;q=0.5',
  'Accept-Encoding: identity',
  'Sec-Fetch-Dest: document',
  'Sec-Fetch-Mode: navigate',
  'Cookie: session=0123456789abcdef; theme=dark',
  '',
].join('\r\n')

const small = { targets: [target('1k.bin')], connections: 64 }

export const rows: Row[] = [
  { name: '1 KiB', ...small, hasFloor: true },
  { name: '1 KiB, a browser asks', ...small, fields: browserFields, hasFloor: true },
  { name: '16 KiB', targets: [target('16k.bin')], connections: 64, hasFloor: true },
  { name: '128 KiB', targets: [target('128k.bin')], connections: 64 },
  { name: '100 MiB', targets: [target('100m.bin')], connections: 4, perGigabyte: true },
  {
    name: '1,000 files of 4 KiB',
    targets: manyNames().map(target),
    connections: 64,
    hasFloor: true,
  },
  {
    name: '1 KiB, new connections',
    ...small,
    fields: 'Connection: close\r\n',
    serverSleeps: true,
  },
  { name: '1 KiB, HEAD', ...small, method: 'HEAD' },
  { name: '1 KiB, not modified (304)', ...small, status: 304, conditional: true },
]

/** KiB, around the thresholds of the transfer engines. */
const thresholdSizes = [1, 2, 4, 8, 12, 16, 24, 32, 64, 128, 256]

export const thresholdRows: Row[] = thresholdSizes.map((size) => ({
  name: `${size} KiB`,
  targets: [target(`${size}k.bin`)],
  connections: 64,
}))

/** Writes every file of the rows into `site`, readable for servers that drop their privileges. */
export function writeSite(site: string): void {
  mkdirSync(site)
  chmodSync(site, 0o755)
  for (const size of thresholdSizes) {
    writeFileSync(join(site, `${size}k.bin`), randomBytes(size * kib))
  }
  writeFileSync(join(site, '100m.bin'), randomBytes(100 * kib * kib))
  for (const name of manyNames()) writeFileSync(join(site, name), randomBytes(4 * kib))
}

/** The requests of a row, as they go over the wire. */
export function requestsOf(row: Row, port: number, etag: string): string[] {
  const fields = (row.fields ?? '') + (row.conditional ? `If-None-Match: ${etag}\r\n` : '')
  return row.targets.map(
    (path) => `${row.method ?? 'GET'} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${fields}\r\n`,
  )
}

/** The servers that can answer a row. */
export function serversOf(row: Row, servers: readonly RunningServer[]): RunningServer[] {
  return servers.filter(({ name }) => name !== 'floor' || row.hasFloor)
}
