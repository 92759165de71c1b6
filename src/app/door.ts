// The way of functions to the upstreams of the configuration: requests on the socket that the
// workers keep for the app, by undici. What happens to them there is what happens to those of
// proxy() routes. Runs in the app. Bodies stream both ways, and nothing is read ahead of whoever
// takes it.

import { type Dispatcher, Pool } from 'undici'
import { forwardedFields, innerHost, requestIdField, routeField } from './contract.ts'
import { isOfHop } from './handler-request.ts'
import type { Exchange } from './host.ts'
import { InnerAnswer } from './inner-answer.ts'
import { isHandlerRequest } from './light-request.ts'

export interface DoorOptions {
  /** Of the socket. */
  path: string
  secret: string
  /** Milliseconds after which workers close idle connections. */
  idle: number
}

/** A request for an upstream, on behalf of a client. */
export interface InnerRequest {
  /** Of the client, whose address and request id stand in it. */
  exchange: Exchange
  request: Request
  /** Path and query; '': those of the request. */
  target: string
  /** Name of the upstream, or what else innerHost() knows. */
  upstream: string
  /** Whether the body is as long as its Content-Length says; true for the client's own. */
  keepsLength: boolean
  signal: AbortSignal
}

/** undici must be the one who closes. */
const idleShare = 0.5
const longestIdleMs = 4_000

export class Door {
  readonly #pool: Pool
  readonly #secret: string

  constructor({ path, secret, idle }: DoorOptions) {
    this.#secret = secret
    this.#pool = new Pool('http://gateway', {
      socketPath: path,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: Math.max(Math.min(idle * idleShare, longestIdleMs), 1),
      maxHeaderSize: 256 * 1024,
    })
  }

  /** Resolves with what the upstream answers, or the gateway when that does not. */
  async ask(asked: InnerRequest): Promise<Response> {
    const { request, upstream, signal } = asked
    signal.throwIfAborted()
    const options: Dispatcher.DispatchOptions = {
      method: request.method as Dispatcher.HttpMethod,
      path: targetOf(asked),
      headers: fieldsFor(asked, innerHost(this.#secret, upstream)),
      body: request.body as never,
    }
    const answer = new InnerAnswer(signal)
    this.#pool.dispatch(options, answer)
    return answer.response
  }

  close(): Promise<void> {
    return this.#pool.close()
  }

  destroy(): void {
    void this.#pool.destroy().catch(() => {})
  }
}

function targetOf({ exchange, request, target }: InnerRequest): string {
  if (target !== '') return target
  // As it came: a URL has lost what it does not like, such as dots and backslashes.
  if (isHandlerRequest(request)) return exchange.target
  const { pathname, search } = new URL(request.url)
  return `${pathname}${search}`
}

/** Names and values in turn. Who asks is what the gateway found out, whatever the request says. */
function fieldsFor({ exchange, request, keepsLength }: InnerRequest, host: string): string[] {
  const fields = [routeField, host]
  for (const name of [...forwardedFields, requestIdField]) {
    const value = exchange.field(name)
    if (value !== undefined) fields.push(name, value)
  }
  for (const [name, value] of request.headers) {
    const isOurs = forwardedFields.includes(name) || name === requestIdField || name === 'expect'
    if (isOurs || isOfHop(name) || (name === 'content-length' && !keepsLength)) continue
    fields.push(name, value)
  }
  if (!request.headers.has('host')) fields.push('host', new URL(request.url).host)
  return fields
}
