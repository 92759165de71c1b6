// The options of relay(): what they become for the core, and what is wrong with them.

import { tmpdir } from 'node:os'
import test from 'ava'
import { compileConfig } from '../../src/config/compile.ts'
import { ConfigError } from '../../src/config/errors.ts'
import { resolveConfig } from '../../src/config/validate.ts'
import { channel, relay } from '../../src/index.ts'

function compiled(routes: object) {
  return compileConfig(resolveConfig({ routes }, { file: '', directory: tmpdir() }))
}

function problemsOf(routes: object): string {
  try {
    compiled(routes)
    return ''
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ path, message }) => `${path}: ${message}`).join('\n')
  }
}

test('a relay is a channel that an upstream feeds, behind those that are published', (t) => {
  const { channels, routes } = compiled({
    '/live': relay('http://a', { history: 3 }),
    '/news': channel('news'),
    '/camera': relay('http://b', { as: 'raw', marker: '--x', slow: 'disconnect' }),
    '/trades': relay('http://a', { as: 'ndjson', path: '/t?x=1', historyBytes: '1kb' }),
  })
  t.deepEqual(
    channels.map(({ name }) => name),
    ['news', 'relay /live', 'relay /camera', 'relay /trades'],
  )
  const [news, live, camera, trades] = channels.map(({ feed }) => feed)
  t.is(news, null)
  t.like(live, { path: '/live', accept: 'text/event-stream', cut: 0, linger: 2_000 })
  t.like(live?.proxy, { upstream: 0, host: 'target', forwarded: { xForwarded: false, via: true } })
  t.true(live?.proxy.response.remove.includes('set-cookie'))
  t.like(camera, { path: '/camera', cut: 2, marker: new TextEncoder().encode('--x') })
  t.like(camera?.proxy, { upstream: 1 })
  t.like(trades, { path: '/t?x=1', cut: 1 })
  const actions = routes.map(({ action }) => action)
  t.like(actions[0], { channel: 1, format: 2, skips: true, history: 3, heartbeat: 15_000 })
  t.like(actions[2], { channel: 2, skips: false, strict: false, heartbeat: 0 })
  t.like(actions[3], { channel: 3, strict: true, historyBytes: 1_024 })
})

test('relays of one name are one', (t) => {
  const { channels, routes } = compiled({
    '/a': relay('http://a', { name: 'x', path: '/p' }),
    '/b': relay('http://a', { name: 'x', path: '/p', history: 5 }),
    '/c': relay('http://a', { path: '/p' }),
  })
  t.deepEqual(
    channels.map(({ name }) => name),
    ['relay x', 'relay /c'],
  )
  t.deepEqual(
    routes.map(({ action }) => action.kind === 'channel' && action.channel),
    [0, 0, 1],
  )
  const differing = {
    '/a': relay('http://a', { name: 'x' }),
    '/b': relay('http://a', { name: 'x' }),
  }
  t.regex(problemsOf(differing), /path: another route has a relay named 'x'/)
})

test('what is wrong with a relay is said', (t) => {
  const wrong = (options: object, key = '/a') =>
    problemsOf({ [key]: relay('http://a', options as never) })
  t.is(wrong({}), '')
  t.regex(wrong({}, '/a/:id'), /relay\.path: this key takes many paths/)
  t.regex(wrong({}, '/a/*'), /relay\.path: this key takes many paths/)
  t.is(wrong({ path: '/x' }, '/a/*'), '')
  t.regex(wrong({}, 'POST /a'), /answers GET and HEAD, and this key says POST/)
  t.regex(wrong({ path: 'live' }), /path: expected a path/)
  t.regex(wrong({ path: '/a b' }), /path: expected a path/)
  t.regex(wrong({ path: '/../a' }), /path: expected a path/)
  t.regex(wrong({ path: '/a\r\nX: y' }), /path: expected a path/)
  t.regex(wrong({ marker: 'x' }), /marker: only as: 'raw' has markers/)
  t.regex(wrong({ as: 'raw', marker: '' }), /marker: expected a text or bytes/)
  t.regex(wrong({ as: 'raw', heartbeat: 5 }), /heartbeat: only as: 'sse'/)
  t.regex(wrong({ history: 1, historyBytes: 1 }), /historyBytes: 'history' says it in pieces/)
  t.regex(wrong({ historyBytes: '5mb' }), /historyBytes: more than 'buffer' keeps/)
  t.regex(wrong({ name: 'a b' }), /name: expected a name/)
  t.regex(wrong({ forwarded: false }), /forwarded: unknown option/)
  t.regex(problemsOf({ '/a': relay('nowhere') }), /no upstream is called 'nowhere'/)
  t.regex(problemsOf({ '/a': relay('http://a/with/path' as never) }), /relay\.to/)
})
