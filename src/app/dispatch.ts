// From a request on the handlers' socket to the function of its route and back. Runs in the app.
// Whatever a handler does becomes an answer here: a fault of it is a 500 with the request's id and
// a line in the log, never an unhandled rejection.

import { writeAnswer } from './answer.ts'
import { HandlerCall, type HandlerRoute } from './call.ts'
import { heldField, tokenField } from './contract.ts'
import type { Exchange, Serve } from './host.ts'
import { makeRequest } from './light-request.ts'
import { isUsed } from './light-response.ts'
import type { HeldExchanges } from './question-exchange.ts'
import { asError } from './thrown.ts'

/** Of the handlers' socket; `routes` by their tokens. */
export function dispatcher(
  routes: ReadonlyMap<string, HandlerRoute>,
  held: Pick<HeldExchanges, 'fetch'>,
): Serve {
  return (exchange) => {
    const route = routes.get(exchange.field(tokenField) ?? '')
    if (route === undefined) return refuse(exchange, 403, 'Forbidden: only the gateway asks here')
    const number = exchange.field(heldField)
    if (number === undefined || !held.fetch(number, exchange)) void answer(exchange, route)
  }
}

/** Of the questions to one handler. */
export function server(route: HandlerRoute): Serve {
  return (exchange) => void answer(exchange, route)
}

async function answer(exchange: Exchange, route: HandlerRoute): Promise<void> {
  const call = new HandlerCall(exchange, route)
  const request = requestOf(exchange, call)
  if (request === undefined) {
    return refuse(exchange, 400, `Bad Request\nrequest ${call.requestId}`)
  }
  // The head has not been sent as long as nothing was begun.
  let hasBegun = false
  try {
    const response: unknown = await route.handle(request, call)
    if (!(response instanceof Response)) throw new TypeError(wrongAnswer(response))
    if (isUsed(response)) {
      throw new TypeError('the handler returned a Response that was read')
    }
    await writeAnswer(exchange, response, call.instructionOf(response), () => {
      hasBegun = true
    })
  } catch (error) {
    // What a handler throws once nobody waits is its way to stop.
    if (exchange.isGone) return
    const message = hasBegun ? 'the body of an answer broke off' : 'a handler failed'
    call.report('error', { err: asError(error) }, message)
    if (hasBegun) exchange.abort()
    else refuse(exchange, 500, `Internal Server Error\nrequest ${call.requestId}`)
  }
}

// Fetch knows no TRACE or CONNECT, and its URLs not every host that HTTP allows.
function requestOf(exchange: Exchange, call: HandlerCall): Request | undefined {
  try {
    return makeRequest(exchange, call.scheme, () => call.signal)
  } catch {
    return undefined
  }
}

function wrongAnswer(value: unknown): string {
  const got = value === null || value === undefined ? String(value) : `a ${typeof value}`
  return `the handler returned ${got} instead of a Response`
}

function refuse(exchange: Exchange, status: number, text: string): void {
  const fields = [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['X-Content-Type-Options', 'nosniff'],
    ['Cache-Control', 'no-store'],
  ].flat()
  const body = exchange.method === 'HEAD' ? '' : `${status} ${text}\n`
  exchange.answer(status, fields, body)
}
