// Downloads for a while over connections that stay open, and drops what arrives: each transfer is
// checked by its length, none by its bytes, so that the client costs little.

import { connect, type Socket } from 'node:net'

export interface Download {
  port: number
  path: string
  /** Length of the body. */
  bytes: number
  connections: number
  /** Transfers begin for so long; each one ends. At least one for every connection. */
  milliseconds: number
}

const roomBytes = 256 * 1024
const longestHead = 16 * 1024
const headEnd = Buffer.from('\r\n\r\n')

/** Resolves with the time that each transfer took, in milliseconds. Rejects when one fails. */
export async function download(plan: Download): Promise<number[]> {
  const until = performance.now() + plan.milliseconds
  const clients = Array.from({ length: plan.connections }, () => new Client(plan))
  try {
    return (await Promise.all(clients.map((client) => client.run(until)))).flat()
  } finally {
    for (const client of clients) client.close()
  }
}

class Client {
  readonly #plan: Download
  readonly #socket: Socket
  readonly #request: string
  readonly #times: number[] = []
  readonly #done = Promise.withResolvers<number[]>()
  #until = 0
  #startedAt = 0
  /** What has come of a head; undefined while a body comes. */
  #head: Buffer | undefined
  #left = 0

  constructor(plan: Download) {
    this.#plan = plan
    this.#request = `GET ${plan.path} HTTP/1.1\r\nHost: localhost\r\n\r\n`
    const buffer = Buffer.allocUnsafe(roomBytes)
    const callback = (count: number) => this.#take(buffer.subarray(0, count))
    this.#socket = connect({ port: plan.port, host: '127.0.0.1', onread: { buffer, callback } })
    this.#socket.setNoDelay()
    this.#socket.on('error', (error) => this.#done.reject(error))
    this.#socket.on('close', () => this.#fail('the connection was closed'))
  }

  run(until: number): Promise<number[]> {
    this.#until = until
    this.#ask()
    return this.#done.promise
  }

  close(): void {
    this.#socket.destroy()
  }

  #ask(): void {
    this.#head = Buffer.alloc(0)
    this.#startedAt = performance.now()
    this.#socket.write(this.#request)
  }

  #take(bytes: Buffer): boolean {
    if (this.#head === undefined) this.#left -= bytes.length
    else this.#takeHead(Buffer.concat([this.#head, bytes]))
    if (this.#head !== undefined) return true
    if (this.#left < 0) this.#fail('more arrived than was said')
    if (this.#left === 0) this.#end()
    return true
  }

  #takeHead(head: Buffer): void {
    this.#head = head
    const end = head.indexOf(headEnd)
    if (end < 0) {
      if (head.length > longestHead) this.#fail('the head of an answer does not end')
      return
    }
    const text = head.subarray(0, end).toString('latin1')
    const [, status] = /^HTTP\/1\.1 (\d+)/.exec(text) ?? []
    const [, length] = /^content-length: (\d+)$/im.exec(text) ?? []
    if (status !== '200' || Number(length) !== this.#plan.bytes) {
      this.#fail(`${status ?? 'no status'}, and ${length ?? 'no'} bytes for ${this.#plan.bytes}`)
      return
    }
    this.#head = undefined
    this.#left = this.#plan.bytes - (head.length - end - headEnd.length)
  }

  #end(): void {
    const now = performance.now()
    this.#times.push(now - this.#startedAt)
    if (now < this.#until) this.#ask()
    else this.#done.resolve(this.#times)
  }

  #fail(what: string): void {
    this.#done.reject(new Error(`${this.#plan.path}: ${what}`))
  }
}
