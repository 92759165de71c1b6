// A Request that costs little as long as nobody looks deep into it: method and URL are known, and
// whatever else is asked of it makes the real one, with its Headers, signal and stream. Made only
// in a process that is an app, where `Request` and `fetch` know how to take it.

import { HandlerRequest } from './handler-request.ts'
import type { Exchange } from './host.ts'
import { forwardMembers } from './light-members.ts'

const RealRequest = globalThis.Request

/** Those that fetch takes as they are. */
const plainMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
// What a URL does not change: names whose last label is no number, and no port that goes without
// saying; paths without dot segments, and nothing that would be percent-encoded.
const plainHost = /^(?:[a-z0-9-]+\.)*[a-z][a-z0-9-]*(?::(?!0|80$|443$)\d{1,4})?$/
const plainTarget = /^\/(?!.*(?:\/\.|%2[Ee]))[\w\-.~!$&()*+,;=:@/%?]*$/

let isInstalled = false

class LightRequest {
  readonly method: string
  readonly url: string
  readonly #exchange: Exchange
  readonly #scheme: string
  readonly #signalOf: () => AbortSignal
  #real: Request | undefined

  constructor(exchange: Exchange, scheme: string, url: string, signalOf: () => AbortSignal) {
    this.method = exchange.method
    this.url = url
    this.#exchange = exchange
    this.#scheme = scheme
    this.#signalOf = signalOf
  }

  /** The real one; always the same. */
  static realOf(light: LightRequest): Request {
    light.#real ??= new HandlerRequest(light.#exchange, light.#scheme, light.#signalOf)
    return light.#real
  }
}

const { prototype } = LightRequest
forwardMembers(prototype, RealRequest.prototype, LightRequest.realOf, ['method', 'url'])
Object.setPrototypeOf(prototype, RealRequest.prototype)
Object.setPrototypeOf(LightRequest, RealRequest)
Object.defineProperty(LightRequest, 'name', { value: 'Request' })

/** Whether it is what a handler was given, and not one that it has made. */
export function isHandlerRequest(request: Request): boolean {
  return (request as unknown) instanceof LightRequest || request instanceof HandlerRequest
}

/** From now on requests are light in this process. */
export function installLightRequest(): void {
  isInstalled = true
  const { fetch } = globalThis
  globalThis.Request = new Proxy(RealRequest, {
    construct: (target, [input, ...init], newTarget) =>
      Reflect.construct(target, [real(input), ...init], newTarget),
  })
  prototype.constructor = globalThis.Request
  globalThis.fetch = Object.defineProperty(
    (input: Parameters<typeof fetch>[0], init?: RequestInit) => fetch(real(input), init),
    'name',
    { value: 'fetch' },
  )
}

function real<Input>(input: Input): Input {
  return input instanceof LightRequest ? (LightRequest.realOf(input) as Input) : input
}

/** Throws a TypeError when the request is none that fetch knows (TRACE, an impossible host). */
export function makeRequest(
  exchange: Exchange,
  scheme: string,
  signalOf: () => AbortSignal,
): Request {
  if (isInstalled && plainMethods.includes(exchange.method)) {
    const { target } = exchange
    const host = exchange.field('host')
    if (host !== undefined && isPlainHost(host) && plainTarget.test(target)) {
      const url = `${scheme}://${host}${target}`
      return new LightRequest(exchange, scheme, url, signalOf) as unknown as Request
    }
  }
  return new HandlerRequest(exchange, scheme, signalOf)
}

let lastHost = ''

// Hosts are few.
function isPlainHost(host: string): boolean {
  if (host === lastHost) return true
  if (!plainHost.test(host) && !isPlainAddress(host)) return false
  lastHost = host
  return true
}

const plainAddress =
  /^(?:(?:0|[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])(?:\.(?!$)|(?=$|:))){4}(?::(?!0|80$|443$)\d{1,4})?$/

function isPlainAddress(host: string): boolean {
  return plainAddress.test(host)
}
