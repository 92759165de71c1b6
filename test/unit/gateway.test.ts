// The states of a gateway and where its events go, on a pretended core: what a real one does too
// rarely or too fast to be tested with.

import test from 'ava'
import { resolveConfig } from '../../src/config/validate.ts'
import { startCore } from '../../src/gateway.ts'
import { files, respond } from '../../src/index.ts'
import { FakeNative, fakeAddon } from '../support/fake-native.ts'

function setUp() {
  const routes = { '/*': files('src'), '/ok': respond(200, 'ok') }
  const root = new URL('../..', import.meta.url).pathname
  const resolved = resolveConfig({ listen: 80, routes }, { file: '', directory: root })
  const native = new FakeNative()
  const { addon, emit } = fakeAddon(native)
  const log: [string, object, string][] = []
  const at = (level: string) => (fields: object, message: string) =>
    void log.push([level, fields, message])
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  return { gateway: startCore(resolved, logger, addon), native, emit, log, resolved }
}

test('listens once and says where', async (t) => {
  const { gateway, emit } = setUp()
  const [address] = await gateway.listen()
  t.deepEqual(address, { kind: 'tcp', host: '127.0.0.1', port: 1, url: 'http://127.0.0.1:1' })
  await t.throwsAsync(gateway.listen(), { code: 'ERR_SLUICE_STATE' })
  emit({ type: 'ended' })
  await gateway.close()
})

test('close drains and resolves when the core has ended', async (t) => {
  const { gateway, native, emit } = setUp()
  await gateway.listen()
  let isClosed = false
  const closed = gateway.close().then(() => {
    isClosed = true
  })
  void gateway.close()
  await new Promise((resolve) => setImmediate(resolve))
  t.false(isClosed)
  t.deepEqual(native.calls, ['listen', 'drain'])
  emit({ type: 'ended' })
  await closed
  await gateway.close({ drain: false })
  t.deepEqual(native.calls, ['listen', 'drain'])
})

test('a hard close does not drain, also while draining', async (t) => {
  const { gateway, native, emit } = setUp()
  await gateway.listen()
  const drained = gateway.close()
  const closed = gateway.close({ drain: false })
  void gateway.close({ drain: false })
  t.deepEqual(native.calls, ['listen', 'drain', 'close'])
  emit({ type: 'ended' })
  await Promise.all([drained, closed])
})

test('a gateway that never listened closes at once', async (t) => {
  const { gateway, native } = setUp()
  await gateway.close()
  t.deepEqual(native.calls, ['close'])
  await t.throwsAsync(gateway.listen(), { code: 'ERR_SLUICE_STATE' })
})

test('an address that cannot be had ends the gateway with an error that names it', async (t) => {
  const { gateway, native } = setUp()
  native.listen = () => {
    throw Object.assign(new Error('bind'), { code: 'EACCES' })
  }
  await t.throwsAsync(gateway.listen(), {
    code: 'ERR_SLUICE_LISTEN',
    message: 'cannot listen on 127.0.0.1:80: permission denied',
  })
  t.deepEqual(native.calls, ['close'])
  await gateway.close()
})

test('questions are answered by their route, looks and reports reach the cache', async (t) => {
  const { gateway, native, emit, log, resolved } = setUp()
  await gateway.listen()
  native.disk.set(
    `${resolved.routes[0]?.action.kind === 'files' && resolved.routes[0].action.root}/a`,
    {},
  )
  emit(native.question('/a'), native.question('/b', { route: 1 }))
  await new Promise((resolve) => setImmediate(resolve))
  const statuses = native.answers.map(({ answer }) => answer.status)
  t.deepEqual(statuses.toSorted(), [200, 500])
  t.is(log[0]?.[0], 'error')
  const { id = 0 } = native.answers.find(({ answer }) => answer.status === 200)?.answer ?? {}
  emit({ type: 'touched', answers: [id] }, { type: 'stale', answers: [id] })
  t.like(gateway.stats(), { cache: { stale: 1, answers: 0 }, questions: { asked: 2, failed: 1 } })
  emit({ type: 'ended' })
  t.deepEqual(native.open, [])
  t.deepEqual(native.broken, [])
})

test('a fault is logged, and one bad event does not lose the others', async (t) => {
  const { gateway, native, emit, log } = setUp()
  await gateway.listen()
  native.stats = () => {
    throw new Error('no stats')
  }
  const fault = { type: 'fault', worker: 0, code: 'head-too-large', message: 'too large' } as const
  emit({ type: 'ended' }, fault)
  t.deepEqual(
    log.map(([level, , message]) => [level, message]),
    [
      ['error', 'an event of type ended could not be handled'],
      ['warn', 'too large'],
    ],
  )
  await gateway.close()
})
