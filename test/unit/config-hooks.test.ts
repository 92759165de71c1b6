// The option `hooks`: what is understood, and what is wrong with it, everything at once.

import test from 'ava'
import { compileHooks } from '../../src/config/compile-hooks.ts'
import { ConfigError } from '../../src/config/errors.ts'
import { resolveConfig } from '../../src/config/validate.ts'
import * as sluice from '../../src/index.ts'

const { basicAuth, cors, hook, ipAllow, jwt, rateLimit, respond } = sluice

function resolved(hooks: unknown, gateway: unknown = []) {
  const routes = { '/a': respond(200, '', { hooks } as object) }
  return resolveConfig({ hooks: gateway, routes }, { file: '', directory: '/' })
}

function problems(hooks: unknown): string[] {
  try {
    resolved(hooks)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ path, message }) => `${path}: ${message}`)
  }
}

const at = 'routes["/a"].respond.hooks'

test('hooks of routes are resolved to plain data', (t) => {
  const config = resolved([
    hook({ remember: { seconds: 5, by: ['Cookie' as 'cookie', 'cookie'] }, onRequest: () => {} }),
    ipAllow('10.0.0.1'),
  ])
  t.deepEqual(config.routes[0]?.hooks, [
    {
      ...{ kind: 'hook', onRequest: true, onResponse: false, onError: false },
      remember: { ms: 5_000, by: ['cookie'] },
    },
    { kind: 'addresses', allows: true, networks: ['10.0.0.1'] },
  ])
  t.false('hooks' in (config.routes[0]?.action ?? {}))
})

test('a route without hooks of its own passes those of the gateway', (t) => {
  const config = resolved([], [rateLimit({ limit: 10 }), hook(() => {})])
  const { groups, routes } = compileHooks(config)
  t.deepEqual(
    groups.map(({ members }) => members),
    [[{ route: -1, at: 1 }]],
  )
  t.deepEqual(
    routes[0]?.steps.map(({ kind }) => kind),
    ['limit', 'ask'],
  )
})

test('what is no hook is named with its place', (t) => {
  const inner = (hooks: unknown) => problems(hooks).map((line) => line.slice(at.length))
  const aHook = 'hook(…), or a ready-made one such as cors(…)'
  t.deepEqual(inner([() => {}]), [
    `[0]: expected ${aHook}, got a function: write hook(…) around it`,
  ])
  t.deepEqual(inner(7), [`: expected ${aHook}, got 7`])
  t.deepEqual(inner([ipAllow('10.0.0.0/40')]), [
    "[0].networks: expected a network such as '10.0.0.0/8', an address, or 'unix', got " +
      "'10.0.0.0/40': the part after '/' is 0 to 32",
  ])
  t.deepEqual(inner(rateLimit({} as never)), [
    '.rateLimit.limit: expected a whole number from 1 to 1000000, got nothing',
  ])
  t.deepEqual(inner(rateLimit({ limit: 100, window: 1 } as never)).length, 1)
  t.deepEqual(inner(rateLimit({ limit: 100_000, window: '1s' })), [
    '.rateLimit: at most 10000 requests a second',
  ])
  t.deepEqual(inner(rateLimit({ limit: 1, window: '1d', burst: 2 })), [
    '.rateLimit.burst: so many requests would take more than a day to come back',
  ])
  t.deepEqual(inner(cors({ credentials: true })), [
    ".cors.credentials: browsers send none where any origin ('*') may read: name the origins",
  ])
  t.deepEqual(inner(cors({ origins: 'https://a.test/path' })), [
    ".cors.origins: expected an origin such as 'https://app.example.com', or '*', got " +
      "'https://a.test/path': scheme, host and port, nothing more",
  ])
  t.deepEqual(inner(hook({} as never)), [
    '.hook: expected a function: onRequest, onResponse, transformResponse or so',
  ])
})

test('a password in the place of a hash is not repeated', (t) => {
  const lines = problems(basicAuth({ users: { joe: 'hunter2' } }))
  t.is(lines.length, 1)
  t.false(lines.join().includes('hunter2'))
})

test('tokens are checked by one kind of key, with algorithms of that kind', (t) => {
  const wrong = (options: object) => problems(jwt(options as never)).length
  t.is(wrong({}), 1)
  t.is(wrong({ jwks: 'https://a.test/', secret: 'x'.repeat(32) }), 1)
  t.is(wrong({ secret: 'short' }), 1)
  t.is(wrong({ secret: 'x'.repeat(32), algorithms: 'RS256' }), 1)
  t.is(wrong({ jwks: 'https://a.test/', algorithms: ['RS256', 'HS256'] }), 1)
  t.is(wrong({ jwks: 'https://a.test/' }), 0)
})

test('hooks belong to a route, not to what takes the place of a missing file', (t) => {
  const otherwise = respond(200, '', { hooks: hook(() => {}) })
  const routes = { '/*': sluice.files('/', { otherwise }) }
  const error = t.throws(() => resolveConfig({ routes }, { file: '', directory: '/' }))
  t.true(error?.message.includes('unknown option'), error?.message)
})
