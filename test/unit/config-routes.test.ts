// The three kinds of route: what they resolve to, and what is said of wrong ones.

import test from 'ava'
import { files, redirect, respond } from '../../src/config/actions.ts'
import { compileConfig } from '../../src/config/compile.ts'
import type { ResolvedRoute } from '../../src/config/resolved.ts'
import { resolveConfig } from '../../src/config/validate.ts'
import { problemsOf } from '../support/problems.ts'

const directory = import.meta.dirname

function actionOf(action: unknown, key = '/*'): ResolvedRoute['action'] {
  const config = resolveConfig({ routes: { [key]: action } }, { file: '', directory })
  const [route] = config.routes
  if (route === undefined) throw new Error('no route')
  return route.action
}

function problemsOfAction(action: unknown, key = '/*'): string[] {
  const prefix = `routes[${JSON.stringify(key)}]`
  return problemsOf({ routes: { [key]: action } }, directory).map((line) =>
    line.replace(prefix, ''),
  )
}

test('files: defaults, and a root relative to the configuration', (t) => {
  t.deepEqual(actionOf(files('../unit')), {
    kind: 'files',
    root: directory,
    index: ['index.html'],
    fallback: '',
    cleanUrls: false,
    list: false,
    errors: {},
    dotfiles: false,
    hide: [],
    symlinks: 'inside',
    cacheBusting: [],
    headers: {},
    cacheControl: '',
    transfer: 'auto',
    precompressed: true,
    compress: { codings: [], minBytes: 1024, maxBytes: 32 * 1024 * 1024 },
    upload: {
      enabled: false,
      quota: 0,
      replace: true,
      delete: false,
      directories: true,
      fsync: false,
    },
    sendfile: true,
  })
  t.like(actionOf(files('/')), { root: '/' })
})

test('files: which encodings are made', (t) => {
  const compressOf = (compress: unknown) => {
    const action = actionOf(files('.', { compress } as never))
    return action.kind === 'files' ? action.compress : undefined
  }
  t.deepEqual(compressOf(true)?.codings, ['br', 'zstd', 'gzip'])
  t.deepEqual(compressOf('gzip')?.codings, ['gzip'])
  t.deepEqual(compressOf(['gzip', 'br'])?.codings, ['gzip', 'br'])
  t.deepEqual(compressOf(false)?.codings, [])
  t.deepEqual(compressOf({}), {
    codings: ['br', 'zstd', 'gzip'],
    minBytes: 1024,
    maxBytes: 32 * 1024 * 1024,
  })
  t.like(compressOf({ codings: 'br', minBytes: '2kb' }), { codings: ['br'], minBytes: 2048 })
  for (const wrong of ['brotli', [], ['gzip', 'deflate'], 9, { level: 9 }, { minBytes: -1 }]) {
    t.throws(() => compressOf(wrong), { name: 'ConfigError' }, JSON.stringify(wrong))
  }
})

test('files: options of sites', (t) => {
  const otherwise = redirect(307, '/new$rest')
  t.like(actionOf(files('.', { otherwise })), {
    otherwise: { kind: 'redirect', status: 307, keepQuery: true },
  })
  t.like(actionOf(files('.', { fallback: 'app/index.html', cleanUrls: 'redirect' })), {
    fallback: 'app/index.html',
    cleanUrls: 'redirect',
  })
  t.like(actionOf(files('.', { hide: '*~', cacheBusting: ['*.js'] })), {
    hide: ['*~'],
    cacheBusting: ['*.js'],
  })
  const cacheControl = { '*.html': 'no-cache' }
  const headers = { A: '1', '*.js': { B: '2' } }
  t.like(actionOf(files('.', { cacheControl, headers })), { cacheControl, headers })
  t.like(actionOf(files('.', { errors: { 404: '404.html' } })), { errors: { 404: '404.html' } })
})

test('files: what is wrong with options of sites', (t) => {
  // biome-ignore lint/suspicious/noExplicitAny: what a person writes without types
  const wrong: [options: any, about: RegExp][] = [
    [{ fallback: '/index.html' }, /^\.files\.fallback: .*without '\/' at either end/],
    [{ fallback: '../index.html' }, /^\.files\.fallback: .*it names no file/],
    [{ fallback: 'a', otherwise: respond(404) }, /^\.files\.otherwise: .*use one or the other/],
    [{ otherwise: files('.') }, /^\.files\.otherwise: expected proxy/],
    [{ otherwise: respond(99) }, /^\.files\.otherwise\.respond\.status: /],
    [{ otherwise: redirect(301, '/$nothing') }, /^\.files\.otherwise\.redirect\.location/],
    [{ cleanUrls: 'yes' }, /^\.files\.cleanUrls: expected true or false or 'redirect'/],
    [{ errors: { 403: 'a' } }, /^\.files\.errors\["403"\]: expected one of the statuses 404/],
    [{ errors: { 404: '/a' } }, /^\.files\.errors\["404"\]: /],
    [{ hide: '**' }, /^\.files\.hide: /],
    [{ hide: ['a/b'] }, /^\.files\.hide\[0\]: .*at the root/],
    [{ symlinks: true }, /^\.files\.symlinks: /],
    [{ headers: { '[a]': { B: '1' } } }, /^\.files\.headers\["\[a\]"\]: /],
    [{ headers: { '*': { Date: '1' } } }, /^\.files\.headers\["\*"\]\.Date: this field cannot/],
    [{ headers: { '*': { B: 1 } } }, /^\.files\.headers\["\*"\]\.B: expected a string/],
    [{ cacheControl: { '*.html': 'a\nb' } }, /^\.files\.cacheControl\["\*\.html"\]: /],
    [{ cacheControl: { '**': 'a' } }, /^\.files\.cacheControl\["\*\*"\]: /],
  ]
  for (const [options, about] of wrong) {
    const problems = problemsOfAction(files('.', options))
    t.is(problems.length, 1, String(about))
    t.regex(problems[0] ?? '', about)
  }
})

test('files: every option in its spellings', (t) => {
  t.like(actionOf(files('.', { index: 'home.html' })), { index: ['home.html'] })
  t.like(actionOf(files('.', { index: ['a', 'b'] })), { index: ['a', 'b'] })
  t.like(actionOf(files('.', { index: false })), { index: [] })
  const options = { dotfiles: true, cacheControl: 'no-cache', transfer: 'copy' } as const
  t.like(actionOf(files('.', { ...options, headers: { 'X-A': '1' } })), {
    ...options,
    headers: { 'X-A': '1' },
  })
})

test('files: what cannot be', (t) => {
  t.deepEqual(problemsOfAction(files('nowhere')), [
    `.files.root: no such directory: ${directory}/nowhere`,
  ])
  const self = import.meta.filename
  t.deepEqual(problemsOfAction(files(self)), [`.files.root: not a directory: ${self}`])
  const long = 'x'.repeat(300)
  t.deepEqual(problemsOfAction(files(long)), [
    `.files.root: cannot be looked at (ENAMETOOLONG): ${directory}/${long}`,
  ])
  t.deepEqual(problemsOfAction(files('')), [
    ".files.root: expected the path of a directory, got ''",
  ])
  t.deepEqual(problemsOfAction(files('.'), '/a'), [
    ".files: the key must end in '*': what that matches is looked up",
  ])
  t.deepEqual(problemsOfAction(files('.'), 'POST /*'), [
    '.files: files() answers GET and HEAD, and this key says POST',
  ])
  t.deepEqual(problemsOfAction({ ...files('.'), options: { index: 5, dotfile: true } }), [
    ".files.dotfile: unknown option; did you mean 'dotfiles'?",
    '.files.index: expected a file name, got 5',
  ])
  t.deepEqual(problemsOfAction(files('.', { index: ['a', '../b'] })), [
    ".files.index[1]: expected a file name, got '../b': it is one name, without '/'",
  ])
  t.is(problemsOfAction(files('.', { index: [] })).length, 1)
  t.is(problemsOfAction(files('.', { index: '..' })).length, 1)
})

test('header fields cannot end early, come twice, or belong to the server', (t) => {
  const said = (headers: Record<string, unknown>) =>
    problemsOfAction({ ...respond(200), options: { headers } })
  t.deepEqual(said({ 'X-A': 'ä' }), [
    '.respond.headers["X-A"]: expected a field value, got \'ä\': ' +
      'only visible ASCII characters, spaces and tabs may stand there',
  ])
  for (const value of ['a\nb', 'a\rb', 'a\0b', '\r\nSet-Cookie: x', ' a', 'a ', '\x7f']) {
    t.is(said({ 'X-A': value }).length, 1, JSON.stringify(value))
  }
  for (const value of ['', 'a', 'a b\tc', '~!"']) t.deepEqual(said({ 'X-A': value }), [])
  for (const name of ['', 'a b', 'a:', 'a\r\n', 'ä']) t.is(said({ [name]: 'x' }).length, 1, name)
  t.deepEqual(said({ 'X-A': '1', 'x-a': '2' }), [
    `.respond.headers["x-a"]: the same field as 'X-A': names ignore case`,
  ])
  t.deepEqual(said({ server: 'x' }), [
    ".respond.headers.server: this field cannot be set here: set the option 'serverName' instead",
  ])
  for (const name of [
    'Content-Length',
    'Transfer-Encoding',
    'Connection',
    'Date',
    'Content-Type',
  ]) {
    t.is(said({ [name]: 'x' }).length, 1, name)
  }
  t.deepEqual(said({ 'X-A': 5 }), ['.respond.headers["X-A"]: expected a string, got 5'])
  t.is(problemsOfAction(files('.', { headers: { etag: 'x' } })).length, 1)
  t.is(problemsOfAction(redirect(301, '/', { headers: { LOCATION: 'x' } })).length, 1)
})

test('respond: bodies and their types', (t) => {
  const text = (value: string) => new TextEncoder().encode(value)
  const cases: [unknown, string | undefined, Uint8Array][] = [
    [respond(200), undefined, text('')],
    [respond(200, 'ö'), 'text/plain; charset=utf-8', text('ö')],
    [respond(200, ''), 'text/plain; charset=utf-8', text('')],
    [respond(200, { a: [1] }), 'application/json', text('{"a":[1]}')],
    [respond(200, []), 'application/json', text('[]')],
    [respond(200, new Uint8Array([0, 255])), 'application/octet-stream', new Uint8Array([0, 255])],
    [respond(200, Buffer.from('x')), 'application/octet-stream', text('x')],
    [respond(200, '<p>', { contentType: 'text/html' }), 'text/html', text('<p>')],
  ]
  for (const [action, type, body] of cases) {
    const resolved = actionOf(action)
    t.like(resolved, { kind: 'respond', status: 200 })
    if (resolved.kind !== 'respond') continue
    t.is(resolved.headers['Content-Type'], type)
    t.deepEqual([...resolved.body], [...body])
  }
})

test('respond: what cannot be', (t) => {
  for (const status of [199, 600, 200.5, '200', undefined]) {
    t.is(problemsOfAction({ ...respond(200), status }).length, 1, String(status))
  }
  t.deepEqual(problemsOfAction(respond(204, 'x')), [
    '.respond.body: an answer with status 204 has no body',
  ])
  t.deepEqual(problemsOfAction(respond(204)), [])
  const round: Record<string, unknown> = {}
  round.self = round
  t.is(problemsOfAction(respond(200, round)).length, 1)
  t.is(problemsOfAction({ ...respond(200), body: () => 1 }).length, 1)
  t.is(problemsOfAction({ ...respond(200), options: 'text/html' }).length, 1)
})

test('a value that is no route', (t) => {
  const actions =
    'files(…), proxy(…), relay(…), handler(…), mount(…), channel(…), respond(…) or redirect(…)'
  const expected = `: expected ${actions}, got `
  t.deepEqual(problemsOfAction('public'), [`${expected}'public'`])
  t.deepEqual(problemsOfAction({ root: '.' }), [`${expected}an object`])
  t.deepEqual(
    problemsOfAction(() => new Response()),
    [`${expected}a function: write handler(…) around it`],
  )
  t.deepEqual(problemsOf({}), [
    "routes: expected at least one route, such as '/*': files('public')",
  ])
})

test('everything that is wrong is reported at once', (t) => {
  const problems = problemsOf({
    workers: 'many',
    nonsense: 1,
    routes: {
      '/a/*': files('nowhere', { index: '/' }),
      'GTE /b': respond(200),
      '/c': respond(99, 'x', { headers: { date: 'x' } }),
      '/d': redirect(302, '$pth'),
    },
  })
  t.is(problems.length, 8)
})

test('compiled routes keep their order; fields become lines', (t) => {
  const config = resolveConfig(
    {
      listen: [{ path: '/run/s' }, 0],
      routes: {
        'GET ex.com/:id': respond(200, 'x', { headers: { 'X-A': '1' } }),
        '/*': files('.', { transfer: 'copy' }),
        '/r/*': redirect(308, 'https://ex.com$rest'),
      },
    },
    { file: '', directory },
  )
  const native = compileConfig(config)
  const plain = { tls: null, inner: false, secureTwin: 0 }
  t.deepEqual(native.listeners, [
    { kind: 'unix', path: '/run/s', proxyProtocol: false, tcp: null, ...plain },
    { kind: 'tcp', host: '127.0.0.1', port: 0, proxyProtocol: false, tcp: null, ...plain },
  ])
  t.deepEqual(
    native.routes.map(({ key, method, host, path }) => [key, method, host, path]),
    [
      ['GET ex.com/:id', 'GET', 'ex.com', '/:id'],
      ['/*', '', '', '/*'],
      ['/r/*', '', '', '/r/*'],
    ],
  )
  const [first, second, third] = native.routes.map(({ action }) => action)
  t.like(first, {
    kind: 'respond',
    fields: 'Content-Type: text/plain; charset=utf-8\r\nX-A: 1\r\n',
  })
  const none = { fields: '', upload: null, otherwise: null }
  t.deepEqual(second, { kind: 'files', root: directory, mode: 'copy', ...none })
  t.like(third, { kind: 'redirect', status: 308, fields: '', keepQuery: true })
})
