// Clients of a stream that does not end: events, lines or bytes as they come.

import { type RawClient, request } from './client.ts'

/** The next chunk of a chunked body, without its framing; undefined at its end. */
export async function nextChunk(client: RawClient): Promise<Buffer | undefined> {
  const line = (await client.takeUntil('\r\n')).toString('latin1').slice(0, -2)
  const size = Number.parseInt(line, 16)
  if (size === 0) return undefined
  const bytes = await client.takeBytes(size)
  const end = (await client.takeBytes(2)).toString('latin1')
  if (end !== '\r\n') throw new Error(`not the end of a chunk: ${JSON.stringify(end)}`)
  return bytes
}

/** Asks for a stream on this connection; resolves with the head. */
export async function openStream(
  client: RawClient,
  target: string,
  fields: Record<string, string> = {},
) {
  client.write(request(target, fields))
  return client.readHead()
}

/** One server-sent event as its fields. */
export function eventOf(chunk: Buffer | undefined): { id: string; event: string; data: string } {
  const lines = (chunk?.toString() ?? '').split('\n')
  const values = (name: string) =>
    lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2))
  return {
    id: values('id')[0] ?? '',
    event: values('event')[0] ?? '',
    data: values('data').join('\n'),
  }
}
