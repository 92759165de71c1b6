// A request by node:http, for answers of any framing: the raw client of client.ts knows only those
// that the gateway makes itself.

import { request as send } from 'node:http'
import { buffer } from 'node:stream/consumers'

export interface AskOptions {
  method?: string
  headers?: Record<string, string | string[]>
  body?: string | Uint8Array
  /** Instead of a port. */
  socketPath?: string
  signal?: AbortSignal
}

export interface Answer {
  status: number
  headers: NodeJS.Dict<string | string[]>
  body: string
  bytes: Buffer
}

/** Reads the whole answer; rejects when it breaks off. */
export async function ask(port: number, path: string, options: AskOptions = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const { body, ...rest } = options
  const to = options.socketPath === undefined ? { host: '127.0.0.1', port } : {}
  const outgoing = send({ ...to, path, agent: false, ...rest }, async (incoming) => {
    try {
      const bytes = await buffer(incoming)
      const { statusCode: status = 0, headers } = incoming
      resolve({ status, headers, body: bytes.toString(), bytes })
    } catch (error) {
      reject(error)
    }
  })
  outgoing.on('error', reject)
  outgoing.end(body)
  return promise
}
