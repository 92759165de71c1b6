// One request of a worker on its way through undici, and the response on its way back. Runs in the
// process of the relays. Must never leave a response that broke off looking complete, nor let a
// field of a target pass for one of ours.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Dispatcher, errors } from 'undici'
import { faultOf } from './relay-connect.ts'
import { type Fault, faultField, faults } from './relay-messages.ts'

type Controller = Dispatcher.DispatchController

/** Between worker and relay only, or written anew on either side. */
const requestHop =
  /^(?:connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|expect)$/i
const responseHop = /^(?:connection|keep-alive|proxy-connection|transfer-encoding|upgrade)$/i

export class UndiciExchange implements Dispatcher.DispatchHandler {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  #controller: Controller | undefined
  #isGone = false

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request
    this.#response = response
    // Fields are the target's.
    response.sendDate = false
    response.on('error', () => {})
    response.on('close', () => {
      this.#isGone = true
      if (!response.writableFinished) this.#controller?.abort(new Error('the client went away'))
    })
    response.on('drain', () => this.#controller?.resume())
  }

  begin(dispatcher: Dispatcher): void {
    const { method = 'GET', url = '/', headers } = this.#request
    const hasBody =
      headers['transfer-encoding'] !== undefined ||
      (headers['content-length'] !== undefined && headers['content-length'] !== '0')
    const options = {
      method: method as Dispatcher.HttpMethod,
      path: url,
      headers: this.#fields(),
      body: hasBody ? this.#request : null,
    }
    try {
      dispatcher.dispatch(options, this)
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller
    if (this.#isGone) controller.abort(new Error('the client went away'))
  }

  onResponseStart(controller: Controller, status: number, _headers: object, reason = ''): void {
    // Interim responses end here: node:http sends no 1xx with fields of its own.
    if (status < 200) return
    try {
      this.#response.writeHead(status, reason, responseFields(controller.rawHeaders))
      this.#response.flushHeaders()
    } catch {
      controller.abort(new Error('a field that cannot be sent'))
    }
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (!this.#response.write(chunk)) controller.pause()
  }

  onResponseEnd(controller: Controller): void {
    const trailers = responseFields(controller.rawTrailers)
    if (trailers.length > 0) this.#response.addTrailers(pairsOf(trailers))
    this.#response.end()
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#fail(error)
  }

  #fields(): string[] {
    const { rawHeaders } = this.#request
    return withoutHop(rawHeaders, requestHop)
  }

  #fail(error: Error): void {
    const response = this.#response
    if (this.#isGone) return
    if (response.headersSent) return void response.destroy()
    response.writeHead(502, [faultField, String(faultIn(error)), 'Content-Length', '0'])
    response.end()
    // What is left of the body is of no interest; the worker sends the request again, or gives up.
    this.#request.resume()
  }
}

function faultIn(error: Error): Fault {
  if ('isBeforeRequest' in error) return faultOf(error, true)
  const isOfPeer = error instanceof errors.SocketError || 'syscall' in error
  return isOfPeer ? faults.closed : faults.nonsense
}

/** Names and values in turn, without those of the hop and without ours. */
function responseFields(raw: Controller['rawHeaders']): string[] {
  return withoutHop(flat(raw), responseHop).filter(
    (_, at, all) => all[at - (at % 2)]?.toLowerCase() !== faultField,
  )
}

function withoutHop(fields: readonly string[], hop: RegExp): string[] {
  return fields.filter((_, at) => !hop.test(fields[at - (at % 2)] ?? ''))
}

/** HTTP/1.1 has buffers, HTTP/2 an object. */
function flat(raw: Controller['rawHeaders']): string[] {
  if (raw === undefined || raw === null) return []
  if (Array.isArray(raw)) return raw.map((part) => part.toString('latin1' as never))
  return Object.entries(raw).flatMap(([name, value]) => {
    if (name.startsWith(':') || value === undefined) return []
    return [value].flat().flatMap((one) => [name, String(one)])
  })
}

function pairsOf(fields: readonly string[]): [string, string][] {
  return fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1] ?? '']] : []))
}
