// Active checks: what a row of outcomes means, when the next one is due. Probes and time are made
// up; that real ones tell the truth is tested in test/behaviour/health.test.ts.

import { setImmediate as settled } from 'node:timers/promises'
import test from 'ava'
import { Gate } from '../../src/proxy/gate.ts'
import { HealthCheck, type Probe } from '../../src/proxy/health-check.ts'
import { FakeClock } from '../support/fake-clock.ts'

function checked(settings: { rise?: number; fall?: number; probe?: Probe } = {}) {
  const clock = new FakeClock()
  const state = { fails: '', probes: 0 }
  const probe = async () => {
    state.probes += 1
    if (state.fails !== '') throw new Error(state.fails)
  }
  const changes: string[] = []
  const check = new HealthCheck({
    probe,
    ready: () => Promise.resolve(),
    interval: 5_000,
    timeout: 1_000,
    rise: 2,
    fall: 3,
    clock,
    gate: new Gate(10),
    onChange: (health, reason) => void changes.push(`${health} ${reason}`.trim()),
    ...settings,
  })
  return { clock, state, changes, check }
}

test('the first check decides alone, either way', async (t) => {
  const good = checked()
  t.is(good.check.health, 'unchecked')
  good.check.start()
  await good.clock.advance(0)
  t.is(good.check.health, 'up')
  const bad = checked()
  bad.state.fails = 'refused'
  bad.check.start()
  await bad.clock.advance(0)
  t.is(bad.check.health, 'down')
  t.deepEqual(bad.changes, ['down refused'])
})

test('later it takes a row of checks to change', async (t) => {
  const { clock, state, changes, check } = checked()
  check.start()
  await clock.advance(0)
  state.fails = 'status 500'
  await clock.advance(10_000)
  t.deepEqual(changes, ['up'])
  state.fails = ''
  await clock.advance(5_000)
  state.fails = 'status 500'
  await clock.advance(10_000)
  t.is(check.health, 'up')
  await clock.advance(5_000)
  t.deepEqual(changes, ['up', 'down status 500'])
  t.is(check.lastReason, 'status 500')
  state.fails = ''
  await clock.advance(5_000)
  t.is(check.health, 'down')
  await clock.advance(5_000)
  t.deepEqual(changes, ['up', 'down status 500', 'up'])
  t.is(check.lastReason, '')
})

test('checks come at intervals that vary by a tenth', async (t) => {
  const { clock, check, state } = checked()
  clock.chance = 1
  check.start()
  await clock.advance(0)
  t.deepEqual(clock.waiting, [5_500])
  clock.chance = 0
  await clock.advance(5_500)
  t.deepEqual(clock.waiting, [4_500])
  t.is(state.probes, 2)
})

test('a check that takes too long has failed, and none begins before it has ended', async (t) => {
  let running = 0
  let most = 0
  let ended = () => {}
  const probe: Probe = (signal) => {
    running += 1
    most = Math.max(most, running)
    const { promise, reject } = Promise.withResolvers<void>()
    ended = () => {
      running -= 1
      reject(new Error('aborted'))
    }
    // It takes its time even when it is told to stop.
    signal.addEventListener('abort', () => {})
    return promise
  }
  const { clock, check, changes } = checked({ probe })
  check.start()
  await clock.advance(30_000)
  t.is(most, 1)
  ended()
  await clock.advance(0)
  t.deepEqual(changes, ['down no answer within 1000 ms'])
  await clock.advance(5_000)
  t.is(running, 1)
  t.is(most, 1)
})

test('stop calls off the running check and all later ones', async (t) => {
  const signals: AbortSignal[] = []
  const probe: Probe = (signal) => {
    signals.push(signal)
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')))
    })
  }
  const { clock, check, changes } = checked({ probe })
  check.start()
  await settled()
  check.stop()
  t.true(signals[0]?.aborted)
  await clock.advance(60_000)
  t.is(signals.length, 1)
  t.deepEqual(changes, [])
  t.deepEqual(clock.waiting, [])
})

test('a gate lets a bounded number run at once, in the order of their coming', async (t) => {
  const gate = new Gate(2)
  const begun: number[] = []
  const ends: (() => void)[] = []
  const all = [0, 1, 2, 3].map((n) =>
    gate.run(async () => {
      begun.push(n)
      await new Promise<void>((resolve) => ends.push(resolve))
      if (n === 0) throw new Error('zero')
      return n
    }),
  )
  await settled()
  t.deepEqual(begun, [0, 1])
  ends[0]?.()
  await t.throwsAsync(async () => all[0], { message: 'zero' })
  await settled()
  t.deepEqual(begun, [0, 1, 2])
  ends[1]?.()
  ends[2]?.()
  await settled()
  ends[3]?.()
  t.deepEqual(await Promise.all(all.slice(1)), [1, 2, 3])
  const later = gate.run(async () => 'free again')
  t.is(await later, 'free again')
})
