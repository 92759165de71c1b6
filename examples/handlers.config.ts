// Answers made by functions: JSON, a form, server-sent events, an upload that is counted while it
// streams. They run in a process beside the gateway; what one of them throws is a 500 and a line in
// the log, and a process that ends or hangs is replaced.
//
//   sluice run --config examples/handlers.config.ts

import { setTimeout as delay } from 'node:timers/promises'
import { defineGateway, files, handler, respond } from 'sluice'

const encoder = new TextEncoder()

/** One event a second, until the client goes. */
async function* ticks(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for (let tick = 1; !signal.aborted; tick++) {
    yield encoder.encode(`data: ${tick}\n\n`)
    await delay(1_000, undefined, { signal }).catch(() => {})
  }
}

async function bytesOf(body: ReadableStream<Uint8Array> | null): Promise<number> {
  let bytes = 0
  for await (const chunk of body ?? []) bytes += chunk.byteLength
  return bytes
}

export default defineGateway({
  listen: 8080,
  timeouts: { handler: '10s' },
  routes: {
    '/*': files('site'),
    'GET /healthz': respond(200, 'ok'),
    // `name` is known to the compiler: the key says so.
    '/hello/:name': handler((_request, { params }) => new Response(`hello ${params.name}\n`)),
    'GET /whoami': handler((request, { clientAddress, requestId }) =>
      Response.json({ clientAddress, requestId, agent: request.headers.get('user-agent') }),
    ),
    'POST /form': handler(async (request, { log }) => {
      const fields = Object.fromEntries(await request.formData())
      log.info({ names: Object.keys(fields) }, 'a form was sent')
      return Response.json(fields)
    }),
    'GET /events': handler((_request, { signal }) => {
      const headers = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' }
      return new Response(ReadableStream.from(ticks(signal)), { headers })
    }),
    'PUT /upload': handler(
      async (request) => Response.json({ bytes: await bytesOf(request.body) }),
      { bodyBytes: '10gb' },
    ),
  },
})
