// Checked by the compiler, never run: what hooks are told, what they may say, and which options
// contradict each other.

import {
  basicAuth,
  cors,
  defineGateway,
  files,
  handler,
  hook,
  ipAllow,
  jwt,
  mount,
  proxy,
  rateLimit,
  redirect,
  respond,
  securityHeaders,
} from 'sluice'

defineGateway({
  hooks: [
    securityHeaders(),
    hook((head) => {
      const name: string | undefined = head.header('x-own')
      void name
      void head.params.anything
    }),
  ],
  routes: {
    '/files/:site/*': files('.', {
      hooks: hook((head) => {
        const both: { site: string; '*': string } = head.params
        // @ts-expect-error no such parameter
        void head.params.stie
        return { rewrite: `/files/${both.site}/` }
      }),
    }),
    '/users/:id': proxy('http://127.0.0.1:1', {
      hooks: [
        ipAllow('10.0.0.0/8'),
        hook({
          onRequest: (head) => ({ request: { set: { 'x-id': head.params.id } } }),
        }),
        hook({
          remember: { seconds: 5, by: ['authorization'] },
          onRequest(head) {
            const id: string = head.params.id
            const who: string | undefined = head.header('authorization')
            // @ts-expect-error it is not in `by`
            void head.header('cookie')
            // @ts-expect-error the memory does not know it
            void head.clientAddress
            return who === id ? undefined : new Response('', { status: 403 })
          },
        }),
      ],
    }),
    '/a': respond(200, '', {
      hooks: rateLimit({ limit: 10, window: '1s', by: { header: 'x-a' } }),
    }),
    '/b/:c': redirect(302, '/', { hooks: hook(({ params }) => void params.c) }),
    '/d/:e': handler((_request, { params }) => new Response(params.e), {
      hooks: hook(async ({ params }) => ({ redirect: params.e, status: 303 })),
    }),
    '/f/:g': mount(({ path }) => path, { hooks: hook(({ params }) => void params.g) }),
    '/h/:i': proxy('http://127.0.0.1:3000', {
      hooks: hook({
        transformRequest: async (body, { headers }) => {
          headers.set('x-a', 'b')
          return body
        },
        transformResponse: (body, { params, status }) => {
          const name: string = params.i + status
          // @ts-expect-error no such parameter
          void params.j
          return name === ''
            ? body
            : body.pipeThrough(new TransformStream<Uint8Array, Uint8Array>())
        },
      }),
    }),
    // @ts-expect-error a body is a stream of bytes
    '/j': proxy('http://127.0.0.1:3000', { hooks: hook({ transformResponse: () => 'text' }) }),
    '/none': respond(200, '', {
      hooks: hook(({ params }) => {
        // @ts-expect-error there are no parameters
        void params.name
      }),
    }),
  },
})

// @ts-expect-error an answer is not a redirect
hook(() => ({ answer: new Response(), redirect: '/' }))
// @ts-expect-error whoever is sent elsewhere reaches no upstream
hook(() => ({ redirect: '/', upstream: 'api' }))
// @ts-expect-error an answer changes nothing of the request
hook(() => ({ answer: new Response(), request: {} }))
// @ts-expect-error 200 is no redirect
hook(() => ({ redirect: '/', status: 200 }))
// @ts-expect-error not a verdict
hook(() => 7)
// @ts-expect-error there is nothing to remember
hook({ remember: { seconds: 5 } })
// @ts-expect-error a limit is what it is about
rateLimit({ window: '1m' })
// @ts-expect-error one or the other
rateLimit({ limit: 1, by: 'cookie' })
// @ts-expect-error users have to be there
basicAuth({})
// @ts-expect-error not an algorithm
jwt({ secret: 'x', algorithms: 'none' })
// @ts-expect-error a function is written hook(…)
respond(200, '', { hooks: () => {} })
cors({ origins: ['https://a.test'], credentials: true })
