// Writes the Response of a handler to the exchange: its fields, then its body with back-pressure,
// or the field that asks the gateway for the body. Must never leave a body that has ended early
// looking complete.

import { isOfHop } from './handler-request.ts'
import type { Exchange } from './host.ts'
import { takePlainAnswer } from './light-response.ts'

/** What the gateway does instead of a body from here: a field and its value. */
export type Instruction = readonly [name: string, value: string]

/** An answer that is not what it says, found when its head had been sent already. */
export class BrokenAnswer extends Error {
  override name = 'BrokenAnswer'
}

/**
 * Resolves when all has been written or the client has gone; `onBegin` is called when the head is
 * about to be. Rejects with what the body's stream
 * rejects with, or BrokenAnswer; the connection is ended then.
 */
export async function writeAnswer(
  exchange: Exchange,
  response: Response,
  instruction: Instruction | undefined,
  onBegin: () => void,
): Promise<void> {
  const isPlain = instruction === undefined && exchange.method !== 'HEAD'
  const plain = isPlain ? takePlainAnswer(response) : undefined
  if (plain !== undefined) {
    onBegin()
    return exchange.answer(plain.status, withoutHop(plain.fields), plain.body, plain.release)
  }
  const { status, body } = response
  if (status < 200) throw new TypeError('the handler returned Response.error()')
  const { fields, length } = fieldsOf(response)
  const isHeadOnly = exchange.method === 'HEAD' || isBodiless(status)
  if (body !== null && instruction === undefined && !isHeadOnly) {
    return new BodyWriter(exchange, body, length, onBegin).write(status, fields)
  }
  onBegin()
  void body?.cancel().catch(() => {})
  if (instruction !== undefined) return exchange.answer(status, [...fields, ...instruction], '')
  if (!isHeadOnly) return exchange.answer(status, fields, '')
  exchange.begin(status, fields, isBodiless(status) ? undefined : length)
  exchange.end()
}

/** RFC 9110 §15.3.5, §15.4.5: these have no body. */
function isBodiless(status: number): boolean {
  return status === 204 || status === 304
}

function withoutHop(fields: readonly string[]): readonly string[] {
  const isLeft = (at: number) => !isOfHop(fields[at - (at % 2)] ?? '')
  return fields.every((_, at) => isLeft(at)) ? fields : fields.filter((_, at) => isLeft(at))
}

function fieldsOf(response: Response) {
  const fields: string[] = []
  let length: string | undefined
  // fetch() has decoded the body already, but its fields still speak of the coding.
  const isDecoded = response.url !== '' && response.headers.has('content-encoding')
  for (const [name, value] of response.headers) {
    if (isDecoded && (name === 'content-encoding' || name === 'content-length')) continue
    if (name === 'content-length') length = value
    else if (!isOfHop(name)) fields.push(name, value)
  }
  return { fields, length }
}

class BodyWriter {
  readonly #exchange: Exchange
  readonly #reader: ReadableStreamDefaultReader<unknown>
  readonly #length: string | undefined
  readonly #onBegin: () => void
  #written = 0

  constructor(
    exchange: Exchange,
    body: ReadableStream,
    length: string | undefined,
    onBegin: () => void,
  ) {
    this.#exchange = exchange
    this.#reader = body.getReader()
    this.#length = length
    this.#onBegin = onBegin
    const before = exchange.onGone
    exchange.onGone = () => {
      before?.()
      void this.#reader.cancel(new Error('the client went away')).catch(() => {})
    }
  }

  /** What there is at once goes out with its length; a stream goes out as it comes. */
  async write(status: number, fields: readonly string[]): Promise<void> {
    let next = this.#reader.read()
    const first = await soon(next)
    if (first !== undefined && !first.done && this.#length === undefined) {
      next = this.#reader.read()
      const second = await soon(next)
      if (second?.done) {
        const bytes = bytesOf(first.value)
        this.#onBegin()
        return this.#exchange.answer(status, fields, bytes)
      }
    }
    if (this.#exchange.isGone) return
    const length = first?.done ? (this.#length ?? '0') : this.#length
    this.#onBegin()
    this.#exchange.begin(status, fields, length)
    try {
      if (first === undefined) this.#exchange.flush()
      else if (this.#length === undefined && !first.done) await this.#send(first.value)
      await this.#pump(next)
    } catch (error) {
      this.#exchange.abort()
      void this.#reader.cancel(error).catch(() => {})
      if (!this.#exchange.isGone) throw error
    }
  }

  async #pump(first: ReturnType<ReadableStreamDefaultReader<unknown>['read']>): Promise<void> {
    let result = await first
    while (!result.done && !this.#exchange.isGone) {
      await this.#send(result.value)
      result = await this.#reader.read()
    }
    if (this.#exchange.isGone) return
    this.#check(this.#written === Number(this.#length ?? this.#written), 'less')
    this.#exchange.end()
  }

  async #send(chunk: unknown): Promise<void> {
    const bytes = bytesOf(chunk)
    if (bytes.byteLength === 0) return
    this.#written += bytes.byteLength
    this.#check(this.#length === undefined || this.#written <= Number(this.#length), 'more')
    if (!this.#exchange.write(bytes)) await this.#exchange.drained()
  }

  #check(fits: boolean, how: 'less' | 'more'): void {
    if (!fits) throw new BrokenAnswer(`the body is ${how} than its Content-Length`)
  }
}

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  throw new BrokenAnswer('the body is not of bytes: encode text with TextEncoderStream')
}

/** The result of what settles within this turn of the event loop; undefined: not yet. */
async function soon<T>(promise: Promise<T>): Promise<T | undefined> {
  const { promise: later, resolve } = Promise.withResolvers<undefined>()
  const timer = setImmediate(resolve, undefined)
  try {
    return await Promise.race([promise, later])
  } finally {
    clearImmediate(timer)
  }
}
