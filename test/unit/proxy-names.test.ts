// Names: asked for again as their answers say, kept when nobody answers. DNS and time are made up.

import test from 'ava'
import { addressesInHosts, type Family, type Lookup } from '../../src/proxy/lookup.ts'
import { NameWatch } from '../../src/proxy/name-watch.ts'
import { FakeClock } from '../support/fake-clock.ts'

const none: Family = { kind: 'none', reason: 'ENOTFOUND' }
const failed: Family = { kind: 'failed', reason: 'ESERVFAIL' }
const found = (ttlMs: number, ...addresses: string[]): Family => ({
  kind: 'found',
  addresses,
  ttlMs,
})

function watched() {
  const clock = new FakeClock()
  const answer: { v4: Family; v6: Family } = { v4: none, v6: none }
  let asked = 0
  const lookup: Lookup = {
    find: async () => {
      asked += 1
      return { ...answer }
    },
    findService: () => Promise.reject(new Error('not a service')),
    close: () => {},
  }
  const changes: string[] = []
  const troubles: (string | undefined)[] = []
  const watch = new NameWatch({
    name: 'app',
    lookup,
    clock,
    onChange: (addresses) => void changes.push(addresses.join()),
    onTrouble: (reason) => void troubles.push(reason),
  })
  return { clock, answer, watch, changes, troubles, asked: () => asked }
}

test('all addresses of both families are used, in an order of their own', async (t) => {
  const { clock, answer, watch, changes } = watched()
  answer.v4 = found(5_000, '10.0.0.2', '10.0.0.1', '10.0.0.2')
  answer.v6 = found(9_000, 'fd00::1')
  await watch.start()
  t.deepEqual(changes, ['10.0.0.1,10.0.0.2,fd00::1'])
  answer.v4 = found(5_000, '10.0.0.1', '10.0.0.2')
  await clock.advance(5_000)
  t.is(changes.length, 1)
})

test('a name is asked for again when the shortest time to live is over', async (t) => {
  const { clock, answer, watch, asked } = watched()
  answer.v4 = found(5_000, '10.0.0.1')
  answer.v6 = found(3_000, 'fd00::1')
  await watch.start()
  t.deepEqual(clock.waiting, [3_000])
  await clock.advance(2_999)
  t.is(asked(), 1)
  await clock.advance(1)
  t.is(asked(), 2)
})

test('times to live are neither believed to be nothing nor for ever', async (t) => {
  const { clock, answer, watch } = watched()
  answer.v4 = found(0, '10.0.0.1')
  await watch.start()
  t.deepEqual(clock.waiting, [1_000])
  answer.v4 = found(86_400_000, '10.0.0.1')
  await clock.advance(1_000)
  t.deepEqual(clock.waiting, [30_000])
})

test('a name that does not exist yet is asked for with growing pauses, then used', async (t) => {
  const { clock, answer, watch, changes, troubles, asked } = watched()
  await watch.start()
  t.deepEqual([watch.addresses, changes], [[], []])
  for (const pause of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
    t.deepEqual(clock.waiting, [pause])
    await clock.advance(pause)
  }
  t.is(asked(), 8)
  t.deepEqual(troubles, ['ENOTFOUND'])
  answer.v4 = found(5_000, '10.0.0.1')
  await clock.advance(30_000)
  t.deepEqual(changes, ['10.0.0.1'])
  t.deepEqual(troubles, ['ENOTFOUND', undefined])
  t.deepEqual(clock.waiting, [5_000])
})

for (const [what, outcome] of [
  ['does not answer', failed],
  ['says that there is no such name', none],
] as const) {
  test(`the last good answer stays when DNS ${what}`, async (t) => {
    const { clock, answer, watch, changes, troubles } = watched()
    answer.v4 = found(5_000, '10.0.0.1')
    await watch.start()
    Object.assign(answer, { v4: outcome, v6: outcome })
    await clock.advance(60_000)
    t.deepEqual(watch.addresses, ['10.0.0.1'])
    t.deepEqual(changes, ['10.0.0.1'])
    t.deepEqual(troubles, [outcome.reason])
    answer.v4 = found(5_000, '10.0.0.9')
    await clock.advance(30_000)
    t.deepEqual(changes, ['10.0.0.1', '10.0.0.9'])
  })
}

test('a family that cannot be asked keeps what it had; one that is gone goes', async (t) => {
  const { clock, answer, watch, changes } = watched()
  answer.v4 = found(5_000, '10.0.0.1')
  answer.v6 = found(5_000, 'fd00::1')
  await watch.start()
  Object.assign(answer, { v4: found(5_000, '10.0.0.2'), v6: failed })
  await clock.advance(5_000)
  t.is(changes.at(-1), '10.0.0.2,fd00::1')
  Object.assign(answer, { v6: none })
  await clock.advance(5_000)
  t.is(changes.at(-1), '10.0.0.2')
})

test('pauses after failures vary, so that many gateways do not ask at once', async (t) => {
  const { clock, watch } = watched()
  clock.chance = 1
  await watch.start()
  t.deepEqual(clock.waiting, [1_200])
})

test('nothing is asked after stop, and an answer that comes late is ignored', async (t) => {
  const { clock, answer, watch, changes, asked } = watched()
  answer.v4 = found(1_000, '10.0.0.1')
  await watch.start()
  watch.stop()
  await clock.advance(60_000)
  t.is(asked(), 1)
  const late = watched()
  late.answer.v4 = found(1_000, '10.0.0.1')
  const started = late.watch.start()
  late.watch.stop()
  await started
  t.deepEqual([late.changes, late.clock.waiting], [[], []])
  t.deepEqual(changes, ['10.0.0.1'])
})

test('a lookup that throws counts as a failure', async (t) => {
  const clock = new FakeClock()
  const troubles: (string | undefined)[] = []
  const broken = () => Promise.reject(new Error('broken'))
  const lookup = { find: broken, findService: broken, close: () => {} }
  const onTrouble = (reason: string | undefined) => void troubles.push(reason)
  const watch = new NameWatch({ name: 'app', lookup, clock, onChange: () => {}, onTrouble })
  await watch.start()
  t.deepEqual(troubles, ['broken'])
  t.deepEqual(clock.waiting, [1_000])
})

test('the hosts file: all lines of a name, any case, no comments, no zones', (t) => {
  const text = [
    '127.0.0.1 localhost',
    '::1\tlocalhost ip6-localhost # app',
    '10.0.0.1 db.internal App',
    '# 10.0.0.9 app',
    'fe80::1%eth0 app',
    'nonsense app',
    '10.0.0.1 app',
    '10.0.0.2 app app.example',
  ].join('\n')
  t.deepEqual(addressesInHosts(text, 'localhost'), ['127.0.0.1', '::1'])
  t.deepEqual(addressesInHosts(text, 'app'), ['10.0.0.1', '10.0.0.2'])
  t.deepEqual(addressesInHosts(text, 'APP.'), ['10.0.0.1', '10.0.0.2'])
  t.deepEqual(addressesInHosts(text, 'ap'), [])
})
