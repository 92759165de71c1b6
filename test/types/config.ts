// Checked by the compiler, never run: configurations that must compile, and mistakes that must not.
// An `@ts-expect-error` without an error below it is itself an error.

import type { GatewayConfig, RouteAction } from 'sluice'
import { createGateway, defineGateway, files, proxy, redirect, respond } from 'sluice'

const ok = respond(200, 'ok')
const site = files('public')

/** Keys of every form. */
defineGateway({
  routes: {
    '/': ok,
    '/*': site,
    '/a/b/': ok,
    '/users/:name/posts/:id_2': ok,
    'GET /healthz': ok,
    'PROPFIND /dav/*': ok,
    'example.com/*': redirect(308, 'https://www.example.com$path'),
    'GET *.example.com/static/*': site,
    'bücher.example/café': ok,
    '[::1]/': ok,
    '/caf%C3%A9/%20': ok,
    '/time:now': ok,
  },
})

/** Options of every kind. */
defineGateway({
  listen: [8080, { port: 443, host: '::' }, { path: '/run/sluice.sock' }],
  workers: 2,
  limits: { headBytes: '64kb', targetBytes: 4096, headers: 50 },
  timeouts: { head: '5s', body: '1.5m', idle: 60_000, drain: '1d' },
  transfer: { mode: 'copy', memoryBytes: '32kb' },
  cache: { files: 100, bytes: '1gb', answers: 1000 },
  serverName: 'Sluice',
  routes: {
    '/*': files('.', { index: ['index.html'], dotfiles: true, cacheControl: 'no-cache' }),
    '/site/*': files('.', {
      otherwise: redirect(307, '/new$rest'),
      cleanUrls: 'redirect',
      errors: { 404: '404.html' },
      hide: '*~',
      cacheControl: { '*.html': 'no-cache' },
      headers: { 'X-A': '1', '*.js': { 'X-B': '2' } },
    }),
    '/none/*': files('.', { index: false, transfer: 'auto', headers: { 'X-A': '1' } }),
    '/json': respond(200, { a: [1, null] }, { headers: { 'X-A': '1' } }),
    '/list': respond(200, [1, 2]),
    '/bytes': respond(200, new Uint8Array(3), { contentType: 'image/png' }),
    '/gone': respond(410),
    '/old': redirect(301, '/new', { keepQuery: false, headers: { 'X-A': '1' } }),
  },
})
defineGateway({ listen: 0, transfer: 'copy', routes: { '/': ok } })

/** Upstreams and routes to them. */
defineGateway({
  listen: [{ port: 5432, tcp: 'db', proxyProtocol: true }],
  trustedProxies: ['10.0.0.0/8', 'unix'],
  upstreams: {
    api: {
      targets: ['http://10.0.0.1:3000', { url: 'http://app:3000', weight: 2, backup: true }],
      balance: 'hash',
      key: { header: 'x-user' },
      health: { path: '/healthz', status: [200, '3xx'], interval: '2s' },
      ejection: false,
    },
    db: { targets: 'unix:/run/db.sock', health: { tcp: true } },
  },
  routes: {
    '/api/*': proxy('api', { stripPrefix: '/api', timeout: { total: '1m', between: false } }),
    '/app/*': proxy('http://127.0.0.1:3000', { health: '/', retry: 2, host: 'target' }),
    '/list': proxy(['http://a', { url: 'unix:/run/b' }], { balance: 'sticky' }),
    '/*': files('public', { otherwise: proxy('api') }),
    '/edit': proxy('api', {
      headers: { request: { set: { 'X-A': '1' }, remove: 'Cookie' }, response: { add: {} } },
      forwarded: 'both',
      bodyBytes: '1gb',
    }),
  },
})

/** Keys that only run-time knows are checked when the configuration is loaded. */
declare const someKey: string
defineGateway({ routes: { [someKey]: ok } })
const generated: Record<string, RouteAction> = {}
defineGateway({ routes: generated })

/** What a program makes. */
const config: GatewayConfig = { routes: { 'GET /healthz': ok } }
void createGateway(config)
void createGateway({ listen: 0, routes: { '/*': site } })
void createGateway({ configFile: 'gateway.config.ts' })

// @ts-expect-error no path
defineGateway({ routes: { 'example.com': ok } })
// @ts-expect-error no path
const pathless: GatewayConfig = { routes: { healthz: ok } }
// @ts-expect-error unknown method
defineGateway({ routes: { 'GTE /x': ok } })
// @ts-expect-error methods are upper case
defineGateway({ routes: { 'get /x': ok } })
// @ts-expect-error never routed
defineGateway({ routes: { 'CONNECT /x': ok } })
// @ts-expect-error a space in a path
defineGateway({ routes: { '/a b': ok } })
// @ts-expect-error a space in a path
defineGateway({ routes: { 'GET /a b': ok } })
// @ts-expect-error '*' before the end
defineGateway({ routes: { '/*/a': ok } })
// @ts-expect-error '*' within a segment
defineGateway({ routes: { '/a*': ok } })
// @ts-expect-error '**'
defineGateway({ routes: { '/a/**': ok } })
// @ts-expect-error a parameter without a name
defineGateway({ routes: { '/users/:': ok } })
// @ts-expect-error a parameter without a name
defineGateway({ routes: { '/:/users': ok } })
// @ts-expect-error an empty segment
defineGateway({ routes: { '/a//b': ok } })
// @ts-expect-error a query
defineGateway({ routes: { '/a?b': ok } })
// @ts-expect-error '*' within a host
defineGateway({ routes: { 'www.*.com/': ok } })
// @ts-expect-error a port
defineGateway({ routes: { 'example.com:80/': ok } })
// @ts-expect-error a scheme
defineGateway({ routes: { 'http://example.com/': ok } })
// @ts-expect-error files() needs to know what to look up
defineGateway({ routes: { '/a': site } })
// @ts-expect-error the one wrong key among good ones
defineGateway({ routes: { '/': ok, '/*': site, '/b*': ok } })

// @ts-expect-error no routes
defineGateway({ listen: 1 })
// @ts-expect-error not a route
defineGateway({ routes: { '/': 'public' } })
// @ts-expect-error a function is no route
defineGateway({ routes: { '/': () => new Response() } })
// @ts-expect-error unknown option
defineGateway({ limit: {}, routes: { '/': ok } })
// @ts-expect-error unknown option of a section
defineGateway({ timeouts: { haed: '1s' }, routes: { '/': ok } })
// @ts-expect-error not a duration
defineGateway({ timeouts: { head: '5 parsecs' }, routes: { '/': ok } })
// @ts-expect-error not a size
defineGateway({ limits: { headBytes: '64k' }, routes: { '/': ok } })
// @ts-expect-error not a word of these
defineGateway({ transfer: 'splice', routes: { '/': ok } })
// @ts-expect-error a port is a number
defineGateway({ listen: '8080', routes: { '/': ok } })

// @ts-expect-error unknown option
files('.', { dotfile: true })
// @ts-expect-error not a file name
files('.', { index: 5 })
// @ts-expect-error no root
files()
// @ts-expect-error not a status
respond('200')
// @ts-expect-error not a body
respond(200, 5)
// @ts-expect-error a type is an option
respond(200, 'x', 'text/html')
// @ts-expect-error not a redirect
redirect(200, '/')
// @ts-expect-error no location
redirect(301)
// @ts-expect-error unknown option
redirect(301, '/', { keepquery: true })
// @ts-expect-error an option of the upstream, not of a route to it
proxy('api', { balance: 'hash' })
// @ts-expect-error unknown option
proxy('http://a', { healht: '/' })
// @ts-expect-error not a word of these
proxy('http://a', { balance: 'random' })
// @ts-expect-error not a word of these
proxy('api', { forwarded: true })
// @ts-expect-error a target is an URL
proxy(['api'])
// @ts-expect-error nowhere to go
proxy()
// @ts-expect-error unknown option of a section
proxy('api', { timeout: { conect: '1s' } })
// @ts-expect-error not a class of statuses
proxy('http://a', { health: { status: '6xx' } })
// @ts-expect-error an upstream without targets
defineGateway({ upstreams: { api: { balance: 'hash' } }, routes: { '/': ok } })
// @ts-expect-error an upstream is named by a string
defineGateway({ listen: { port: 1, tcp: true }, routes: { '/': ok } })

void pathless
