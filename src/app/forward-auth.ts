// forwardAuth() in the app: asks another server whether a request may pass, with its fields and
// X-Forwarded-* that say what was asked for. Whatever goes wrong on the way lets nobody pass.

import type { HookVerdict } from '../config/hooks.ts'
import type { ResolvedForwardAuth } from '../config/resolved-hooks.ts'
import { isOfHop } from './handler-request.ts'
import type { QuestionHead } from './hook-head.ts'
import type { ReadyMade } from './ready-hook.ts'
import { asError } from './thrown.ts'

/** What is about a body that is not sent, about the hop, or about the other side's cache. */
const leftOut = /^(?:host|content-.*|expect|range|if-.*|accept-encoding|x-forwarded-.*|forwarded)$/

export function forwardAuth(hook: ResolvedForwardAuth): ReadyMade {
  return async (head) => {
    let response: Response
    try {
      response = await fetch(hook.url, {
        headers: fieldsFor(head),
        redirect: 'manual',
        signal: AbortSignal.timeout(hook.timeout),
      })
    } catch (error) {
      const isLate = error instanceof DOMException && error.name === 'TimeoutError'
      head.report('error', { err: asError(error) }, 'forwardAuth could not ask')
      return { answer: unavailable(isLate ? 504 : 502), remember: false }
    }
    if (!response.ok) return { answer: refusal(response) }
    await response.body?.cancel()
    return allowed(hook, response)
  }
}

function fieldsFor(head: QuestionHead): Headers {
  const fields = new Headers()
  for (const [name, value] of head.headers) {
    if (!isOfHop(name) && !leftOut.test(name)) fields.append(name, value)
  }
  fields.set('x-forwarded-method', head.method)
  fields.set('x-forwarded-proto', 'http')
  fields.set('x-forwarded-host', head.host)
  fields.set('x-forwarded-uri', head.target)
  fields.set('x-forwarded-for', head.clientAddress)
  fields.set('x-request-id', head.requestId)
  return fields
}

/** What the client sent under these names goes, even where the other side says nothing. */
function allowed({ headers }: ResolvedForwardAuth, response: Response): HookVerdict | undefined {
  if (headers.length === 0) return undefined
  const set: Record<string, string> = {}
  for (const name of headers) {
    const value = response.headers.get(name)
    if (value !== null) set[name] = value
  }
  return { request: { set, remove: headers.filter((name) => !(name in set)) } }
}

// fetch() has decoded the body, whose fields still speak of the coding.
function refusal(response: Response): Response {
  const headers = new Headers(response.headers)
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding', 'connection']) {
    headers.delete(name)
  }
  return new Response(response.body, { status: response.status, headers })
}

function unavailable(status: 502 | 504): Response {
  const headers = { 'content-type': 'text/plain; charset=utf-8' }
  const text = status === 502 ? '502 Bad Gateway\n' : '504 Gateway Timeout\n'
  return new Response(text, { status, headers })
}
