// What comes back of a request that a function has asked (door.ts), as a Response: its head when it
// is there, then its body as somebody reads it. Runs in the app. A body that breaks off is an error
// of its stream, never its end.

import type { Dispatcher } from 'undici'
import { faultField } from './contract.ts'
import { isOfHop } from './handler-request.ts'

type Controller = Dispatcher.DispatchController

const gatewayAnswers = new WeakSet<Response>()

/** Whether the gateway answered for an upstream that did not. */
export function isGatewayAnswer(response: Response): boolean {
  return gatewayAnswers.has(response)
}

export class InnerAnswer implements Dispatcher.DispatchHandler {
  readonly #head = Promise.withResolvers<Response>()
  readonly #signal: AbortSignal
  readonly #onAbort = () => this.#abort(this.#signal.reason)
  #undici: Controller | undefined
  #body: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined
  #isOver = false

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get response(): Promise<Response> {
    return this.#head.promise
  }

  onRequestStart(controller: Controller): void {
    this.#undici = controller
    if (this.#signal.aborted) controller.abort(this.#signal.reason)
  }

  onResponseStart(controller: Controller, status: number, _parsed: object, reason = ''): void {
    if (status < 200) return
    const { headers, isFault } = headersOf(controller.rawHeaders)
    const isBodiless = status === 204 || status === 205 || status === 304
    const body = isBodiless ? null : this.#stream(controller)
    try {
      const response = new Response(body, { status, statusText: reason, headers })
      if (isFault) gatewayAnswers.add(response)
      this.#head.resolve(response)
    } catch (error) {
      controller.abort(error as Error)
    }
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    // Empty ones come with every resume(): to pause for them would never end.
    if (this.#body === undefined || chunk.length === 0) return
    // The bytes belong to a larger buffer that undici uses no more.
    this.#body.enqueue(new Uint8Array(chunk))
    if ((this.#body.desiredSize ?? 0) <= 0) controller.pause()
  }

  onResponseEnd(): void {
    this.#finish()
    this.#body?.close()
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#finish()
    this.#head.reject(error)
    this.#body?.error(error)
  }

  #stream(controller: Controller): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        start: (body) => {
          this.#body = body
        },
        pull: () => controller.resume(),
        cancel: (reason) => this.#abort(reason),
      },
      { highWaterMark: 1 },
    )
  }

  #abort(reason: unknown): void {
    if (this.#isOver) return
    const error = reason instanceof Error ? reason : new Error('nobody wants the answer')
    this.#undici?.abort(error)
  }

  #finish(): void {
    this.#isOver = true
    this.#signal.removeEventListener('abort', this.#onAbort)
  }
}

/** Octets beyond ASCII stay what they are (obs-text, RFC 9110 §5.5). */
function headersOf(raw: Controller['rawHeaders']): { headers: Headers; isFault: boolean } {
  const headers = new Headers()
  let isFault = false
  if (!Array.isArray(raw)) return { headers, isFault }
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = textOf(raw[at])
    isFault ||= name === faultField
    if (!isOfHop(name)) headers.append(name, textOf(raw[at + 1]))
  }
  return { headers, isFault }
}

function textOf(part: Buffer | string | undefined): string {
  return typeof part === 'string' ? part : (part?.toString('latin1') ?? '')
}
