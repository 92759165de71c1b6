// Checked by the compiler, never run: what a handler is told of the key that it stands behind.

import type { GatewayConfig } from 'sluice'
import { defineGateway, files, handler, mount, respond } from 'sluice'

defineGateway({
  routes: {
    '/*': files('.'),
    '/ok': respond(200),
    '/hello/:name': handler((request, { params }) => {
      const name: string = params.name
      // @ts-expect-error no such parameter
      void params.nmae
      return new Response(name + request.url)
    }),
    'GET *.example.com/a/:first/b/:second/*': handler(async (_request, { params }) => {
      const both: { first: string; second: string; '*': string } = params
      return Response.json(both)
    }),
    '/none': handler((_request, { params }) => {
      // @ts-expect-error there are no parameters
      void params.name
      return new Response()
    }),
    '/passed': handler(async (request, { proxy }) => proxy(request, { upstream: 'app' })),
    // @ts-expect-error which upstream?
    '/lost': handler((request, { proxy }) => proxy(request, {})),
    '/mounted/*': mount(({ path }) => path),
  },
})

const plain = handler((_request, { params }) => new Response(params.anything))
defineGateway({ routes: { '/a/:x': plain } })
const named = handler<{ name: string }>((_request, { params }) => new Response(params.name))
defineGateway({ routes: { '/a/:name': named } })
// @ts-expect-error the route has another parameter
defineGateway({ routes: { '/a/:nom': named } })

const config: GatewayConfig = {
  routes: { '/a/:b': handler((_request, { params }) => new Response(params.b)) },
}
void config
