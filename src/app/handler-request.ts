// The Request that a handler gets, from what came over the gateway's socket. Fields of the hop and
// of the gateway's own are left out. The body is received only as far as it is read.

import { ownPrefix } from './contract.ts'
import type { BodyFlow, Exchange } from './host.ts'

/** Belong to one connection (RFC 9110 §7.6.1), not to the message. */
const hopFields =
  /^(?:connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/i

/** Whether a field stays between the gateway and the app. */
export function isOfHop(name: string): boolean {
  return hopFields.test(name) || name.slice(0, ownPrefix.length).toLowerCase() === ownPrefix
}

const lazySignal = Symbol('signal')

/** A Request whose signal costs nothing until somebody asks for it. */
export class HandlerRequest extends Request {
  readonly [lazySignal]: () => AbortSignal

  /** Throws a TypeError when the request is none that fetch knows (TRACE, an impossible host). */
  constructor(exchange: Exchange, scheme: string, signalOf: () => AbortSignal) {
    const { method, target } = exchange
    const host = exchange.field('host') ?? 'localhost'
    super(`${scheme}://${host}${target}`, initOf(exchange, method))
    this[lazySignal] = signalOf
  }
}

// Not in the class: it is declared a property there, which an accessor cannot override.
Object.defineProperty(HandlerRequest.prototype, 'signal', {
  configurable: true,
  enumerable: true,
  get(this: HandlerRequest) {
    return this[lazySignal]()
  },
})

function initOf(exchange: Exchange, method: string): RequestInit {
  const headers = fieldsOf(exchange)
  if (method === 'GET' || method === 'HEAD' || !exchange.hasBody) return { method, headers }
  return { method, headers, body: bodyOf(exchange), duplex: 'half' }
}

function fieldsOf({ rawFields }: Exchange): [string, string][] {
  const fields: [string, string][] = []
  for (let at = 0; at + 1 < rawFields.length; at += 2) {
    const name = rawFields[at] ?? ''
    if (!isOfHop(name)) fields.push([name, rawFields[at + 1] ?? ''])
  }
  return fields
}

function bodyOf(exchange: Exchange): ReadableStream<Uint8Array> {
  let flow: BodyFlow | undefined
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        flow = exchange.receive({
          chunk(bytes) {
            controller.enqueue(bytes)
            flow?.pause()
          },
          end: () => controller.close(),
          fail: () =>
            controller.error(new Error('the client went away before the end of the body')),
        })
      },
      pull: () => flow?.resume(),
      cancel: () => flow?.cancel(),
    },
    { highWaterMark: 0 },
  )
}
