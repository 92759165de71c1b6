// proxy() routes and upstreams: what is read, what it is compiled to, what is said of mistakes.

import test from 'ava'
import { files, proxy, respond } from '../../src/config/actions.ts'
import { compileConfig } from '../../src/config/compile.ts'
import { resolveConfig } from '../../src/config/validate.ts'
import { problemsOf } from '../support/problems.ts'

const origin = { file: '', directory: import.meta.dirname }
const one = 'http://127.0.0.1:3000'

/** The action and the upstream of a route with this key, as the core gets them. */
function compiled(action: unknown, more: object = {}, key = '/*') {
  const config = compileConfig(resolveConfig({ ...more, routes: { [key]: action } }, origin))
  const [route] = config.routes
  const { upstreams } = config
  if (route?.action.kind !== 'proxy') throw new Error('not a proxy route')
  return { action: route.action, upstreams }
}

/** Problems of a route, without the place of the route itself. */
function said(action: unknown, key = '/*', more: object = {}): string[] {
  const place = `routes["${key}"].proxy`
  return problemsOf({ ...more, routes: { [key]: action } }).map((line) => line.replace(place, ''))
}

test('a URL alone is a proxy with every default', (t) => {
  const { action, upstreams } = compiled(proxy(one))
  t.deepEqual(action, {
    kind: 'proxy',
    upstream: 0,
    mode: 'auto',
    stripPrefix: '',
    rewrite: [],
    host: 'preserve',
    request: { remove: [], add: '' },
    response: { remove: [], add: '' },
    forwarded: { xForwarded: true, forwarded: false, via: true, requestId: true },
    timeouts: {
      connect: 5_000,
      firstByte: 60_000,
      between: 60_000,
      total: 0,
      tunnel: 3_600_000,
    },
    retry: { tries: 1, unsafe: false },
    bodyBytes: 2 ** 50,
    halfClose: false,
    mirrors: [],
    file: null,
  })
  t.deepEqual(upstreams, [
    {
      name: one,
      balance: 'random-two',
      key: { kind: 'address', name: '' },
      keepAlive: { connections: 64, idle: 4_000 },
      queue: { length: 1_024, timeout: 5_000, withoutTargets: false },
      passive: { failures: 5, percent: 0, eject: 10_000, failFast: false },
      slowStart: 0,
      proxyProtocol: 0,
      targets: [],
    },
  ])
})

test('options of a route', (t) => {
  const { action } = compiled(
    proxy(one, {
      host: 'target',
      stripPrefix: '/a/b%20c',
      headers: {
        request: { set: { 'X-A': '1' }, add: { 'X-B': '2' }, remove: ['Cookie', 'x-a'] },
        response: { remove: 'Server', set: { 'X-C': '3' } },
      },
      forwarded: 'both',
      via: false,
      requestId: false,
      timeout: { connect: '1s', firstByte: false, total: '5m', tunnel: 1 },
      retry: 3,
      bodyBytes: '1mb',
      halfClose: true,
      transfer: 'copy',
    }),
    {},
    '/a/b c/*'.replace(' ', '%20') as '/a/*',
  )
  t.is(action.stripPrefix, '/a/b%20c')
  t.is(action.host, 'target')
  t.deepEqual(action.request, { remove: ['cookie', 'x-a'], add: 'X-A: 1\r\nX-B: 2\r\n' })
  t.deepEqual(action.response, { remove: ['server', 'x-c'], add: 'X-C: 3\r\n' })
  t.deepEqual(action.forwarded, { xForwarded: true, forwarded: true, via: false, requestId: false })
  t.like(action.timeouts, { connect: 1_000, firstByte: 0, between: 60_000, total: 300_000 })
  t.deepEqual(action.retry, { tries: 3, unsafe: false })
  t.like(action, { bodyBytes: 1_048_576, halfClose: true, mode: 'copy' })
  t.deepEqual(compiled(proxy(one, { retry: false })).action.retry, { tries: 0, unsafe: false })
  t.deepEqual(compiled(proxy(one, { host: 'a.example:81' })).action.host, { fixed: 'a.example:81' })
})

test('a limit of bodies that is set for the gateway holds for forwarded ones too', (t) => {
  const limits = { bodyBytes: '1mb' }
  t.is(compiled(proxy(one), { limits }).action.bodyBytes, 1_048_576)
  t.is(compiled(proxy(one, { bodyBytes: false }), { limits }).action.bodyBytes, 2 ** 50)
  t.is(compiled(proxy(one, { bodyBytes: 5 }), { limits }).action.bodyBytes, 5)
  t.is(compiled(proxy(one), { limits: { headers: 20 } }).action.bodyBytes, 2 ** 50)
})

test('rewrite: literals and variables', (t) => {
  const rewritten = (rewrite: string) => {
    return compiled(proxy(one, { rewrite }), {}, '/users/:id/*').action.rewrite
  }
  t.deepEqual(rewritten('/v2/$id$rest'), [
    { literal: '/v2/' },
    { variable: ':id' },
    { variable: 'rest' },
  ])
  t.deepEqual(rewritten('/s?q=$id'), [{ literal: '/s?q=' }, { variable: ':id' }])
  t.deepEqual(rewritten('$path'), [{ variable: 'path' }])
})

test('upstreams by name, in every spelling', (t) => {
  const upstreams = {
    api: {
      targets: ['http://10.0.0.1', { url: 'http://App_1:81', weight: 5, backup: true }],
      balance: 'hash',
      key: { header: 'X-User' },
      keepAlive: { connections: 0 },
      queue: { length: 5, timeout: '1s' },
      ejection: false,
      slowStart: '30s',
      proxyProtocol: 'v2',
      health: '/healthz?deep',
    },
    app: { targets: 'unix:run/app.sock', balance: 'sticky' },
  }
  const resolved = resolveConfig({ upstreams, routes: { '/*': proxy('app') } }, origin)
  const plain = { secure: false, weight: 1, maxConnections: 0, backup: false }
  t.deepEqual(resolved.upstreams[0]?.targets, [
    {
      url: 'http://10.0.0.1',
      address: { host: '10.0.0.1', port: 80 },
      authority: '10.0.0.1',
      ...plain,
    },
    {
      url: 'http://app_1:81',
      address: { host: 'app_1', port: 81 },
      authority: 'app_1:81',
      ...plain,
      weight: 5,
      backup: true,
    },
  ])
  t.deepEqual(resolved.upstreams[0]?.health, {
    path: '/healthz?deep',
    method: 'GET',
    status: ['2xx'],
    body: '',
    host: '',
    tcp: false,
    interval: 5_000,
    timeout: 2_000,
    rise: 2,
    fall: 3,
  })
  const path = `${import.meta.dirname}/run/app.sock`
  t.deepEqual(resolved.upstreams[1]?.targets, [
    { url: `unix:${path}`, address: { path }, authority: 'localhost', ...plain },
  ])
  const [api, app] = compileConfig(resolved).upstreams
  t.like(api, {
    balance: 'hash',
    key: { kind: 'header', name: 'x-user' },
    keepAlive: { connections: 0, idle: 4_000 },
    passive: { failures: 0, percent: 0 },
    slowStart: 30_000,
    proxyProtocol: 2,
  })
  t.deepEqual(app?.key, { kind: 'cookie', name: 'sluice-target' })
  t.is(compiled(proxy('app'), { upstreams }).action.upstream, 1)
})

test('IPv6 targets', (t) => {
  const { upstreams } = resolveConfig({ routes: { '/*': proxy('http://[::1]:3000') } }, origin)
  t.deepEqual(upstreams[0]?.targets[0]?.address, { host: '::1', port: 3000 })
  t.is(upstreams[0]?.targets[0]?.authority, '[::1]:3000')
})

test('routes that describe the same upstream share it', (t) => {
  const routes = {
    '/a': proxy(one),
    '/b': proxy([one], { via: false }),
    '/c': proxy(one, { balance: 'least-connections' }),
    '/d/*': files('.', { otherwise: proxy(one) }),
  }
  const config = resolveConfig({ routes }, origin)
  t.deepEqual(
    config.upstreams.map(({ name }) => name),
    [one, `${one} (2)`],
  )
  const native = compileConfig(config)
  const indexes = native.routes.map(({ action }) => {
    const proxied = action.kind === 'files' ? action.otherwise : action
    return proxied?.kind === 'proxy' && proxied.upstream
  })
  t.deepEqual(indexes, [0, 0, 1, 0])
})

test('targets that cannot be', (t) => {
  const cases: [unknown, RegExp][] = [
    ['ftp://a', /^\.to: 'ftp:\/\/a': ftp: is not http:, https: or unix:$/],
    ['localhost:3000', /^\.to: expected a URL .*: did you mean 'http:\/\/localhost:3000'\?$/],
    ['http://a/b', /a target has no path/],
    ['http://a?b', /no query/],
    ['http://a#b', /no query and no fragment/],
    ['http://u:p@a', /a target has no user/],
    ['http://a:0', /a port is 1 to 65535/],
    ['http://', /^\.to: expected a URL/],
    ['http://a b', /^\.to: expected a URL/],
    ['http://a%5e/', /^\.to: /],
    ['unix:', /^\.to: expected a URL/],
    ['unix:///run/a', /a socket is written 'unix:\/run\/app\.sock'/],
    [`unix:/${'x'.repeat(107)}`, /has 108 bytes/],
    ['srv:', /a service is written 'srv:_http\._tcp\.example\.com'/],
    ['srv://_http._tcp.a', /a service is written/],
    ['srv:10.0.0.1', /a service is written/],
    ['srv:a..b', /a service is written/],
    [{ url: 'srv:a', weight: 2 }, /its records say 'weight' and who is a backup$/],
    [{ url: 'srv:a', backup: true }, /its records say 'weight' and who is a backup$/],
    [['srv:a.b', 'srv:A.b.'], /'srv:a\.b' is there twice/],
    [[], /^\.to: expected .*, got an empty list$/],
    [[one, 5], /^\.to\[1\]: /],
    [[one, `${one}/`], /^\.to: 'http:\/\/127\.0\.0\.1:3000' is there twice: use 'weight'$/],
    [{ weight: 2 }, /^\.to\.url: expected a URL .*, got nothing$/],
    [{ url: one, wieght: 2 }, /^\.to\.wieght: unknown option; did you mean 'weight'\?$/],
    [{ url: one, weight: 0 }, /^\.to\.weight: /],
    [undefined, /^\.to: /],
  ]
  for (const [to, about] of cases) {
    const problems = said({ kind: 'proxy', to, options: {} })
    t.is(problems.length, 1, String(about))
    t.regex(problems[0] ?? '', about)
  }
})

test('names of upstreams', (t) => {
  const upstreams = { api: { targets: one }, web: { targets: one } }
  t.deepEqual(said(proxy('aip'), '/*', { upstreams }), [
    ".to: no upstream is called 'aip'; did you mean 'api'?",
  ])
  t.deepEqual(said(proxy('database'), '/*', { upstreams }), [
    ".to: no upstream is called 'database'; there are 'api', 'web'",
  ])
  t.deepEqual(said(proxy('api')), [".to: no upstream is called 'api'; 'upstreams' names none"])
  t.deepEqual(said({ ...proxy('api'), options: { balance: 'hash' } }, '/*', { upstreams }), [
    '.balance: an option of the upstream: set it in upstreams.api',
  ])
  t.deepEqual(
    problemsOf({ upstreams: { 'a b': { targets: one } }, routes: { '/': respond(200) } }),
    [`upstreams["a b"]: a name is letters, digits, '-', '_' and '.'`],
  )
})

test('options of an upstream that do not fit together', (t) => {
  const cases: [object, RegExp][] = [
    [
      { key: 'path' },
      /^\.key: only balance: 'hash' and 'sticky' look at a key, and it is 'random-/,
    ],
    [{ balance: 'sticky', key: 'path' }, /^\.key: balance: 'sticky' needs \{ cookie: NAME \}$/],
    [{ balance: 'hash', key: { header: 'a b' } }, /^\.key\.header: /],
    [{ balance: 'hash', key: { headers: 'a' } }, /^\.key: expected 'address'/],
    [{ balance: 'hash', key: { header: 'a', cookie: 'b' } }, /^\.key: /],
    [{ balance: 'least' }, /^\.balance: /],
    [{ health: true }, /^\.health: expected a path/],
    [{ health: 'healthz' }, /^\.health: .*it begins with '\/'$/],
    [{ health: { status: 99 } }, /^\.health\.status: /],
    [{ health: { status: ['2xx', '6xx'] } }, /^\.health\.status\[1\]: /],
    [{ health: { method: 'HEAD', body: 'ok' } }, /^\.health\.body: an answer to HEAD has no body$/],
    [{ health: { host: 'a/b' } }, /^\.health\.host: /],
    [{ ejection: true }, /^\.ejection: expected an object, or false, got true|^\.ejection: /],
    [{ proxyProtocol: true }, /^\.proxyProtocol: expected false or 'v1' or 'v2'/],
  ]
  for (const [options, about] of cases) {
    const problems = said({ ...proxy(one), options })
    t.is(problems.length, 1, String(about))
    t.regex(problems[0] ?? '', about)
  }
})

test('options of a route that cannot be', (t) => {
  const cases: [object, RegExp][] = [
    [{ stripPrefix: 'api' }, /^\.stripPrefix: /],
    [{ stripPrefix: '/api/' }, /^\.stripPrefix: .*whole segments/],
    [{ stripPrefix: '/ap' }, /^\.stripPrefix: the path of this route does not begin with '\/ap'$/],
    [{ stripPrefix: '/api', rewrite: '/' }, /^\.stripPrefix: 'rewrite' says the whole path/],
    [{ rewrite: 'x' }, /^\.rewrite: a path begins with '\/', \$path or \$rest$/],
    [{ rewrite: '' }, /^\.rewrite: a path begins/],
    [{ rewrite: '/$nmae' }, /^\.rewrite: unknown variable '\$nmae'; did you mean '\$name'\?$/],
    [{ rewrite: '/a b' }, /^\.rewrite: /],
    [{ rewrite: '/a#b' }, /^\.rewrite: '#' is for browsers/],
    [{ rewrite: '/a\r\nX: y' }, /^\.rewrite: /],
    [{ host: 'a b' }, /^\.host: /],
    [{ host: 'http://a' }, /^\.host: /],
    [{ forwarded: true }, /^\.forwarded: /],
    [{ timeout: { connect: 0 } }, /^\.timeout\.connect: /],
    [{ timeout: { conect: 1 } }, /^\.timeout\.conect: unknown option; did you mean 'connect'\?$/],
    [{ retry: 11 }, /^\.retry: /],
    [{ bodyBytes: 'big' }, /^\.bodyBytes: /],
    [{ headrs: {} }, /^\.headrs: unknown option; did you mean 'headers'\?$/],
  ]
  for (const [options, about] of cases) {
    const problems = said({ ...proxy(one), options }, '/api/:name/*')
    t.is(problems.length, 1, String(about))
    t.regex(problems[0] ?? '', about)
  }
})

test('fields that proxy() may not change, each with the reason', (t) => {
  const cases: [object, RegExp][] = [
    [{ request: { set: { Connection: 'x' } } }, /\.request\.set\.Connection: .*the connection and/],
    [{ request: { add: { 'content-length': '1' } } }, /this field cannot be set here/],
    [{ request: { set: { Host: 'x' } } }, /set the option 'host' instead/],
    [{ request: { set: { Expect: '100-continue' } } }, /between the client and the target/],
    [{ request: { remove: ['X-A', 'te'] } }, /\.request\.remove\[1\]: .*cannot be removed here/],
    [{ request: { remove: 'a b' } }, /\.request\.remove: /],
    [{ request: { set: { 'X-A': 'a\r\nB: c' } } }, /a line break or NUL/],
    [{ request: { add: { 'X-Forwarded-For': '1' } } }, /the option 'forwarded' makes it/],
    [{ request: { set: { Via: 'x' } } }, /the option 'via' makes it/],
    [{ request: { set: { 'x-request-id': 'x' } } }, /the option 'requestId' makes it/],
    [
      { response: { set: { 'Transfer-Encoding': 'x' } } },
      /\.response\.set\["Transfer-Encoding"\]: /,
    ],
    [{ response: { add: { date: 'now' } } }, /the target or the server sets it/],
    [{ respnse: {} }, /unknown option; did you mean 'response'\?/],
  ]
  for (const [headers, about] of cases) {
    const problems = said({ ...proxy(one), options: { headers } })
    t.is(problems.length, 1, String(about))
    t.regex(problems[0] ?? '', about)
  }
  const set = { 'X-Forwarded-Proto': 'https', Via: 'x' }
  t.deepEqual(said(proxy(one, { forwarded: false, via: false, headers: { request: { set } } })), [])
})

test('listeners that pass connections on need an upstream, and no route', (t) => {
  const upstreams = { db: { targets: 'http://127.0.0.1:5432' } }
  const config = { listen: { port: 0, tcp: 'db' }, upstreams, routes: {} }
  t.deepEqual(problemsOf(config), [])
  const native = compileConfig(resolveConfig(config, origin))
  t.like(native.listeners[0], { tcp: 0, proxyProtocol: false })
  t.deepEqual(problemsOf({ ...config, listen: [{ port: 0, tcp: 'bd' }] }), [
    "listen.tcp: no upstream is called 'bd'; did you mean 'db'?",
  ])
  t.is(problemsOf({ ...config, listen: [{ port: 0, tcp: 'db' }, 80] }).length, 1)
})

test('trusted proxies are networks or addresses', (t) => {
  const routes = { '/': respond(200) }
  const trustedProxies = ['10.0.0.0/8', '::1', '192.0.2.1', 'fd00::/7', 'unix']
  const native = compileConfig(resolveConfig({ trustedProxies, routes }, origin))
  const read = ['10.0.0.0/8', '::1/128', '192.0.2.1/32', 'fd00::/7', 'unix']
  t.deepEqual(native.trustedProxies, read)
  for (const wrong of ['10.0.0.0/33', '10.0.0/8', 'localhost', '::/129', '1.2.3.4/8/8', '::1%lo']) {
    t.is(problemsOf({ trustedProxies: wrong, routes }).length, 1, wrong)
  }
})

test('mirrors, in every spelling', (t) => {
  const mirrorsOf = (mirror: unknown, options: object = {}, more: object = {}) =>
    compiled(proxy(one, { ...options, mirror } as object), more).action.mirrors
  const usual = { share: 1_000_000, targetHost: false, timeout: 10_000, maxBehind: 64 * 1024 ** 2 }
  const other = 'http://127.0.0.1:4000'
  t.deepEqual(mirrorsOf(false), [])
  t.deepEqual(mirrorsOf(other), [{ upstream: 0, ...usual }])
  const settings = { target: other, percent: 0.5, timeout: '2s', maxBehind: 0 }
  t.deepEqual(mirrorsOf([settings, 'unix:run/app.sock'], { host: 'target' }), [
    { upstream: 0, share: 5_000, targetHost: true, timeout: 2_000, maxBehind: 0 },
    { upstream: 1, ...usual, targetHost: true },
  ])
  const upstreams = { shadow: { targets: 'https://shadow.example' } }
  t.deepEqual(mirrorsOf('shadow', {}, { upstreams }), [{ upstream: 0, ...usual, targetHost: true }])
})

test('mirrors that cannot be', (t) => {
  const wrong = (mirror: unknown) => said(proxy(one, { mirror } as object))
  t.deepEqual(wrong('shadow'), [".mirror: no upstream is called 'shadow'; 'upstreams' names none"])
  t.true(wrong('10.0.0.1:80')[0]?.endsWith("did you mean 'http://10.0.0.1:80'?"))
  const [missing = ''] = wrong({ percent: 5 })
  t.true(missing.startsWith('.mirror.target: expected the name of an upstream, or a URL such as'))
  t.true(missing.endsWith(', got nothing'))
  t.is(wrong({ target: one, percent: 101, timeout: 1, maxBehind: -1 }).length, 3)
  t.deepEqual(wrong({ target: one, precent: 10 }), [
    ".mirror.precent: unknown option; did you mean 'percent'?",
  ])
  t.deepEqual(wrong([one, one]), [`.mirror: '${one}' is there twice`])
  t.is(wrong([]).length, 1)
  t.is(wrong(7).length, 1)
})
