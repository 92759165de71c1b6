// A client on a raw socket: writes exactly the bytes of a test and reads exactly one response at a
// time, so that framing mistakes show.

import { createConnection, type NetConnectOpts } from 'node:net'
import { type Body, ByteReader, type Fields } from './byte-reader.ts'

/** One response as it came over the wire. */
export interface Reply extends Fields, Body {
  status: number
  reason: string
}

export class RawClient extends ByteReader {
  static async connect(to: NetConnectOpts): Promise<RawClient> {
    const socket = createConnection(to)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new RawClient(socket)
  }

  /** Writes a request and reads its response. */
  async ask(request: string): Promise<Reply> {
    this.write(request)
    return this.read({ head: request.startsWith('HEAD ') })
  }

  /** Reads the next response; `head`: the request was HEAD, so no body follows. */
  async read({ head = false } = {}): Promise<Reply> {
    const { line, ...fields } = await this.takeHead()
    const [, digits, reason = ''] = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(line) ?? []
    if (digits === undefined) throw new Error(`not a status line: ${JSON.stringify(line)}`)
    const status = Number(digits)
    const bodiless = head || status < 200 || status === 204 || status === 304
    const none: Body = { framing: 'none', body: Buffer.alloc(0), trailers: [] }
    return {
      status,
      reason,
      ...fields,
      ...(bodiless ? none : await this.takeBody(fields.field, true)),
    }
  }

  /** Reads a head alone, for bodies that end badly or never. */
  async readHead(): Promise<{ line: string } & Fields> {
    return this.takeHead()
  }
}

/** A request without body; HTTP/1.1 with a Host unless `fields` brings its own. */
export function request(
  target: string,
  fields: Record<string, string> = {},
  method = 'GET',
): string {
  const lines = Object.entries({ Host: 'test', ...fields }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  return [`${method} ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n')
}
