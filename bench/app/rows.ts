// The rows of the table: what the client asks for, on how many connections. The request has eight
// header fields, as browsers and API clients send them.

import type { Row as Line } from '../measuring/measure.ts'

export interface Row extends Line {
  connections: number
  path: string
}

export const rows: Row[] = [
  { name: 'fixed answer, 64 connections', connections: 64, path: '/plain' },
  { name: 'fixed answer, 1 connection', connections: 1, path: '/plain' },
]

export function requestOf({ path }: Row, port: number): string {
  return `GET ${path} HTTP/1.1\r
Host: 127.0.0.1:${port}\r
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r
Accept-Language: en-US,en;q=0.5\r
Accept-Encoding: gzip, deflate, br, zstd\r
Referer: https://example.com/some/page\r
Cookie: session=0123456789abcdef0123456789abcdef\r
X-Api-Key: right\r
\r
`
}
