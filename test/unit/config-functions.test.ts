// handler() and mount(): only that they are there leaves the evaluation, with their options.

import test from 'ava'
import { compileConfig } from '../../src/config/compile.ts'
import { appUpstreams, functionOf } from '../../src/config/compile-app.ts'
import { resolveConfig } from '../../src/config/validate.ts'
import { files, handler, mount, respond } from '../../src/index.ts'
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
  t.deepEqual(
    config.routes.map(({ action }) => action),
    [
      { kind: 'handler' },
      { kind: 'handler', timeout: 5_000, bodyBytes: 1024, root: import.meta.dirname },
      { kind: 'mount', timeout: 0 },
    ],
  )
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
  const { upstreams, routes } = compileConfig(config, undefined, 'secret')
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

test('a configuration without functions needs no app', (t) => {
  const config = resolved({ routes: { '/': respond(200) } })
  t.deepEqual(appUpstreams(config), [])
  t.is(functionOf({ action: { kind: 'handler' } })?.kind, 'handler')
})
