// The rows of the table: what the client wants of the origin, through a proxy, on how many
// connections.

import type { Row as Line } from '../measuring/measure.ts'

const kib = 1024

export interface Row extends Line {
  connections: number
  /** Bytes of the answer's body, of the request's, or how a tunnel is used. */
  work:
    | { kind: 'download' | 'upload'; bytes: number }
    | { kind: 'tunnel'; protocol: 'echo' | 'stream' }
}

/** Of a tunnel's messages. */
export const messageBytes = 128

function download(name: string, bytes: number, connections: number): Row {
  return { name, connections, work: { kind: 'download', bytes } }
}

export const rows: Row[] = [
  download('1 KiB', kib, 64),
  download('128 KiB', 128 * kib, 64),
  { ...download('100 MiB', 100 * kib * kib, 4), perGigabyte: true },
  {
    name: 'upload of 10 MiB',
    connections: 4,
    work: { kind: 'upload', bytes: 10 * kib * kib },
    perGigabyte: true,
  },
  {
    name: 'tunnels, both ways at once',
    connections: 4,
    work: { kind: 'tunnel', protocol: 'stream' },
    perGigabyte: true,
  },
  {
    name: `tunnels, messages of ${messageBytes} bytes`,
    connections: 64,
    work: { kind: 'tunnel', protocol: 'echo' },
  },
]

/** KiB: where copying and splicing change places, and beyond. */
const thresholdSizes = [1, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 4096, 16384]

export const thresholdRows: Row[] = thresholdSizes.map((size) =>
  download(size < 1024 ? `${size} KiB` : `${size / 1024} MiB`, size * kib, size < 1024 ? 64 : 8),
)

/** The request of a row that is no tunnel, without its body. */
export function requestOf({ work }: Row, port: number): string {
  const host = `Host: 127.0.0.1:${port}\r\n`
  if (work.kind === 'tunnel') return ''
  if (work.kind === 'download') return `GET /bytes/${work.bytes} HTTP/1.1\r\n${host}\r\n`
  return `PUT /upload HTTP/1.1\r\n${host}Content-Length: ${work.bytes}\r\n\r\n`
}
