// handler() and mount(): only that they are there leaves the evaluation, with their options.

import { dirname } from 'node:path'
import test from 'ava'
import { compileConfig } from '../../src/config/compile.ts'
import { appUpstreams, functionOf } from '../../src/config/compile-app.ts'
import { fileRoots, firstRootNumber } from '../../src/config/file-roots.ts'
import { resolveConfig } from '../../src/config/validate.ts'
import { files, handler, mount, proxy, respond } from '../../src/index.ts'
import { problemsOf } from '../support/problems.ts'

const answer = () => new Response()

function resolved(config: object) {
  return resolveConfig(config, { file: '', directory: import.meta.dirname })
}

test('what is resolved is plain data', (t) => {
  const config = resolved({
    routes: {
      '/h': handler(answer),
      '/o': handler(answer, { timeout: '5s', bodyBytes: '1kb', root: '.' }),
      '/m': mount(() => {}, { timeout: 0 }),
    },
  })
  const [plain, full, mounted] = config.routes.map(({ action }) => action)
  t.deepEqual(plain, { kind: 'handler' })
  t.like(full, { kind: 'handler', timeout: 5_000, bodyBytes: 1024 })
  t.like(full?.kind === 'handler' && full.root, { kind: 'files', root: import.meta.dirname })
  t.deepEqual(mounted, { kind: 'mount', timeout: 0 })
  t.deepEqual(structuredClone(config), config)
})

test('what is wrong with them is reported with its place', (t) => {
  const routes = {
    '/a': { kind: 'handler', handle: 'text' },
    '/b': { kind: 'mount' },
    '/c': handler(answer, { root: 'no-such-directory' }),
    '/d': { kind: 'handler', handle: answer, options: { timeouts: 5 } },
    '/e/*': files('.', { otherwise: { kind: 'mount', start: 1 } as never }),
  }
  t.deepEqual(problemsOf({ routes }, import.meta.dirname), [
    `routes["/a"].handler: expected a function of the request, got 'text'`,
    'routes["/b"].mount: expected a function that starts a server, got undefined',
    `routes["/c"].handler.root: no such directory: ${import.meta.dirname}/no-such-directory`,
    `routes["/d"].handler.timeouts: unknown option; did you mean 'timeout'?`,
    'routes["/e/*"].files.otherwise.mount: expected a function that starts a server, got 1',
  ])
})

test('the core gets an upstream for all handlers and one for each mount', (t) => {
  const config = resolved({
    upstreams: { own: { targets: 'http://127.0.0.1:1' } },
    limits: { bodyBytes: '1mb' },
    timeouts: { handler: '7s' },
    routes: {
      '/a': handler(answer),
      '/b': respond(200),
      '/m': mount(() => {}),
      '/*': files('.', { otherwise: handler(answer) }),
    },
  })
  t.deepEqual(
    appUpstreams(config).map(({ index, mount }) => [index, mount]),
    [
      [1, undefined],
      [2, 2],
    ],
  )
  const { upstreams, routes } = compileConfig(config, undefined, { secret: 'secret', door: '' })
  t.is(upstreams.length, 3)
  const [first, , mounted, last] = routes.map(({ action }) => action)
  t.like(first, {
    kind: 'proxy',
    upstream: 1,
    bodyBytes: 1024 * 1024,
    request: { add: 'x-sluice-token: secret.0\r\n' },
  })
  t.like(mounted, { kind: 'proxy', upstream: 2, request: { add: '' } })
  t.like(last, { kind: 'files', otherwise: { request: { add: 'x-sluice-token: secret.3\r\n' } } })
  t.is(first?.kind === 'proxy' && first.timeouts.firstByte, 7_000)
})

test('files of handlers and applications are asked for under numbers that no route has', (t) => {
  const accelRedirect = { root: files('..', { transfer: 'copy' }), prefix: '/p' }
  const config = resolved({
    routes: {
      '/*': files('.', { otherwise: handler(answer, { root: '.' }) }),
      '/a/*': proxy('http://127.0.0.1:1', { accelRedirect }),
      '/b/*': proxy('http://127.0.0.1:1', { accelRedirect: '.' }),
    },
  })
  const { routes } = compileConfig(config, undefined, { secret: 'secret', door: '' })
  const [first, second, third] = routes.map(({ action }) =>
    action.kind === 'files' ? action.otherwise : action,
  )
  t.like(first, {
    file: { field: 'x-sluice-file', secret: 'secret ', prefix: '', files: firstRootNumber },
  })
  const field = 'x-accel-redirect'
  t.like(second, { file: { field, prefix: '/p', files: firstRootNumber + 1, mode: 'copy' } })
  t.like(third, { file: { prefix: '', files: firstRootNumber + 2, mode: 'auto' } })
  const here = import.meta.dirname
  t.deepEqual(
    fileRoots(config).map(({ root }) => root),
    [here, dirname(here), here],
  )
})

test('what is wrong with such files is reported with its place', (t) => {
  const to = 'http://127.0.0.1:1'
  const routes = {
    '/a/*': proxy(to, { accelRedirect: files('.', { otherwise: respond(200) }) }),
    '/b/*': proxy(to, { accelRedirect: { root: 'no-such-directory', prefix: 'p/' } }),
    '/c/*': proxy(to, { accelRedirect: 5 as never }),
    '/d': handler(answer, { root: files('.', { lits: true } as never) }),
  }
  const here = import.meta.dirname
  t.deepEqual(problemsOf({ routes }, here), [
    'routes["/a/*"].proxy.accelRedirect.otherwise: a file was asked for: nothing else can answer',
    `routes["/b/*"].proxy.accelRedirect.root: no such directory: ${here}/no-such-directory`,
    `routes["/b/*"].proxy.accelRedirect.prefix: expected a path such as '/protected', got 'p/': it \
begins with '/' and does not end so`,
    `routes["/c/*"].proxy.accelRedirect: expected the path of a directory, or files('directory', \
{ … }), got 5`,
    `routes["/d"].handler.root.lits: unknown option; did you mean 'list'?`,
  ])
})

test('a configuration without functions needs no app', (t) => {
  const config = resolved({ routes: { '/': respond(200) } })
  t.deepEqual(appUpstreams(config), [])
  t.is(functionOf({ action: { kind: 'handler' } })?.kind, 'handler')
})
