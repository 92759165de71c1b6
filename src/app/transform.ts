// Routes whose bodies pass through hooks on their way to an upstream and back: the request goes
// through transformRequest, the door, and the answer through transformResponse. Runs in the app.
// Nothing is held back here: what a hook reads is what the other side has sent so far.

import type { TransformHead, TransformHooks } from '../config/transforms.ts'
import { HandlerCall } from './call.ts'
import { isGatewayAnswer } from './inner-answer.ts'

/** Say something about bytes that are other ones then. */
const ofBytes = ['content-length', 'content-md5', 'digest', 'content-digest', 'repr-digest']

/** What serves a route; `host`: by which workers know its way to the upstream. */
export function transformed(hooks: readonly TransformHooks[], host: string) {
  return async (request: Request, context: unknown): Promise<Response> => {
    if (!(context instanceof HandlerCall)) throw new TypeError('not a call of a route')
    const asked = await outward(hooks, request, context)
    const answer = await context.ask(asked, host)
    return inward(hooks, request, answer, context)
  }
}

async function outward(
  hooks: readonly TransformHooks[],
  request: Request,
  call: HandlerCall,
): Promise<{ request: Request; keepsLength: boolean }> {
  const headers = new Headers(request.headers)
  if (hooks.some(({ transformResponse }) => transformResponse)) {
    // A part of a body, or one in a coding that the hook does not know, is of no use to it.
    for (const name of ['range', 'if-range']) headers.delete(name)
    headers.set('accept-encoding', 'identity')
  }
  const { method, url } = request
  const transforms = hooks.filter(({ transformRequest }) => transformRequest)
  const keepsLength = transforms.length === 0 || request.body === null
  if (request.body === null) return { request: new Request(url, { method, headers }), keepsLength }
  if (!keepsLength) for (const name of ofBytes) headers.delete(name)
  let body: ReadableStream<Uint8Array> = request.body
  for (const hook of transforms) {
    const head = headOf(request, headers, 0, call)
    body = streamOf(await hook.transformRequest?.(body, head), 'transformRequest')
  }
  return { request: new Request(url, { method, headers, body, duplex: 'half' }), keepsLength }
}

async function inward(
  hooks: readonly TransformHooks[],
  request: Request,
  answer: Response,
  call: HandlerCall,
): Promise<Response> {
  const transforms = hooks.filter(({ transformResponse }) => transformResponse)
  if (transforms.length === 0 || isGatewayAnswer(answer)) return answer
  const { status, statusText } = answer
  const headers = new Headers(answer.headers)
  for (const name of [...ofBytes, 'accept-ranges']) headers.delete(name)
  const tag = headers.get('etag')
  if (tag?.startsWith('"')) headers.set('etag', `W/${tag}`)
  if (answer.body === null || request.method === 'HEAD') {
    return new Response(answer.body, { status, statusText, headers })
  }
  let body: ReadableStream<Uint8Array> = answer.body
  try {
    for (const hook of transforms) {
      const head = headOf(request, headers, status, call)
      body = streamOf(await hook.transformResponse?.(body, head), 'transformResponse')
    }
  } catch (error) {
    call.giveUp(error)
    throw error
  }
  return new Response(body, { status, statusText, headers })
}

function headOf(
  { method, url }: Request,
  headers: Headers,
  status: number,
  call: HandlerCall,
): TransformHead {
  const { params, clientAddress, requestId, signal, log } = call
  return { method, url, status, headers, params, clientAddress, requestId, signal, log }
}

function streamOf(value: unknown, what: string): ReadableStream<Uint8Array> {
  if (value instanceof ReadableStream) return value
  throw new TypeError(`${what} returned no ReadableStream`)
}
