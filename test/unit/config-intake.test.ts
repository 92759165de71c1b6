// The options of upload and channel(): what they become for the core, and what is wrong with them.

import { tmpdir } from 'node:os'
import test from 'ava'
import { compileConfig } from '../../src/config/compile.ts'
import { ConfigError } from '../../src/config/errors.ts'
import { resolveConfig } from '../../src/config/validate.ts'
import { channel, files, proxy } from '../../src/index.ts'

const root = tmpdir()

function compiled(routes: object) {
  return compileConfig(resolveConfig({ routes }, { file: '', directory: root }))
}

function problemsOf(routes: object): string[] {
  try {
    compiled(routes)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ path, message }) => `${path}: ${message}`)
  }
}

test('upload is off by default; true takes everything by default', (t) => {
  const { routes, limits } = compiled({
    '/a/*': files(root),
    '/b/*': files(root, { upload: true }),
  })
  const [off, on] = routes.map(({ action }) =>
    action.kind === 'files' ? action.upload : undefined,
  )
  t.is(off, null)
  t.deepEqual(on, {
    replace: true,
    delete: false,
    directories: true,
    fsync: false,
    dotfiles: false,
    asks: false,
    bodyBytes: limits.bodyBytes,
    quota: 0,
  })
})

test('patterns of hide are asked for, and an object may set bounds', (t) => {
  const upload = { quota: '1gb', bodyBytes: '2mb', delete: true } as const
  const { routes } = compiled({ '/*': files(root, { upload, hide: '*.bak', dotfiles: true }) })
  const [action] = routes.map((route) => route.action)
  if (action?.kind !== 'files') return t.fail()
  t.like(action.upload, { asks: true, dotfiles: true, quota: 2 ** 30, bodyBytes: 2 ** 21 })
})

test('keys may name the methods of uploads where there are some', (t) => {
  t.deepEqual(problemsOf({ 'PUT /*': files(root, { upload: true }) }), [])
  t.regex(
    problemsOf({ 'PUT /*': files(root) }).join(),
    /answers GET and HEAD, and this key says PUT/,
  )
  t.regex(problemsOf({ '/*': files(root, { upload: { quota: 'much' as never } }) }).join(), /quota/)
  const named = {
    '/*': proxy('http://127.0.0.1:1', {
      accelRedirect: { '/f/': files(root, { upload: true }) } as never,
    }),
  }
  t.true(problemsOf(named).length > 0)
})

test('routes of one channel share what it keeps', (t) => {
  const { channels, routes } = compiled({
    '/a': channel('news', { buffer: '1mb' }),
    '/b': channel('other', { as: 'raw' }),
    '/c': channel('news', { as: 'ndjson', buffer: '2mb', slow: 'disconnect', history: 3 }),
  })
  t.deepEqual(channels, [
    { name: 'news', formats: [0, 1], bufferBytes: 2 ** 21, bufferMessages: 1_000, feed: null },
    { name: 'other', formats: [2], bufferBytes: 2 ** 22, bufferMessages: 1_000, feed: null },
  ])
  const [, , third] = routes.map(({ action }) => action)
  t.like(third, { kind: 'channel', channel: 0, format: 1, skips: false, history: 3 })
})

test('what is wrong with a channel is said', (t) => {
  t.regex(problemsOf({ '/': channel('') }).join(), /name: expected a name/)
  t.regex(problemsOf({ '/': channel('a', { token: 'short' }) }).join(), /token: expected a token/)
  t.regex(problemsOf({ '/': channel('a', { as: 'xml' as never }) }).join(), /as: expected 'sse'/)
})
