// Hooks: what requests pass before their route, from the core's own (rate limits, CORS, header
// fields) to functions and authentication in the app.
//
//   bin/sluice run --config examples/hooks.config.ts
//
// The password of joe is "correct horse", the tokens are signed with the secret below.

import {
  basicAuth,
  cors,
  defineGateway,
  files,
  handler,
  hook,
  jwt,
  maintenance,
  rateLimit,
  respond,
  securityHeaders,
} from 'sluice'

const joe =
  '$scrypt$ln=15,r=8,p=1$eIRIZQdwSp5PWH4YrQHcFA$cYzGVA3rX5oLiraTiGnE5rFokMeOQIsVU21ZqPfpxiY'

export default defineGateway({
  listen: 8080,
  // Of every route, ahead of its own.
  hooks: [
    maintenance({ enabled: false, except: '10.0.0.0/8' }),
    securityHeaders({ hsts: false }),
    rateLimit({ limit: 600, window: '1m', burst: 200 }),
  ],
  routes: {
    // Visitors get the page in their language; the files still go out by sendfile.
    '/*': files('site', {
      hooks: hook((head) => {
        const isGerman = head.header('accept-language')?.startsWith('de')
        if (head.path === '/' && isGerman) return { response: { set: { 'X-Language': 'de' } } }
        if (head.path === '/home') return { redirect: '/', status: 301 }
        return undefined
      }),
    }),
    // Asked once a minute for each user and path, remembered in between.
    '/staff/*': files('site', { hooks: basicAuth({ users: { joe }, realm: 'staff' }) }),
    // A token lets in, ten requests a minute for whomever it names.
    'GET /api/me': handler((request) => Response.json({ user: request.headers.get('x-user') }), {
      hooks: [
        cors({ origins: ['https://app.example.com'], credentials: true }),
        jwt({ secret: 'not a secret, since everybody can read it', forward: { 'x-user': 'sub' } }),
        rateLimit({ limit: 10, window: '1m', by: { claim: 'sub' }, name: 'api' }),
      ],
    }),
    // Decided by a function, remembered for each key.
    '/partners': respond(200, 'welcome\n', {
      hooks: hook({
        remember: { seconds: 30, by: ['x-key'] },
        onRequest: (head) =>
          head.header('x-key') === 'partner' ? undefined : new Response('no\n', { status: 403 }),
      }),
    }),
  },
})
