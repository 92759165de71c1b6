// The targets of an upstream: what the core is told, and when. DNS, checks and time are made up.

import { setImmediate as settled } from 'node:timers/promises'
import test from 'ava'
import { proxy } from '../../src/config/actions.ts'
import { resolveConfig } from '../../src/config/validate.ts'
import type { NativeTarget } from '../../src/native/interface.ts'
import type { Family, ServiceRecord } from '../../src/proxy/lookup.ts'
import { Upstreams } from '../../src/proxy/upstreams.ts'
import { FakeClock } from '../support/fake-clock.ts'

interface Told {
  upstream: number
  targets: NativeTarget[]
}

/** Upstreams of a configuration in a world where a test says what resolves and what is well. */
function world(upstreams: object) {
  const resolved = resolveConfig(
    { upstreams, routes: { '/': proxy(Object.keys(upstreams)[0] ?? '') } },
    { file: '', directory: '/srv' },
  )
  const clock = new FakeClock()
  const names = new Map<string, string[]>()
  const services = new Map<string, ServiceRecord[]>()
  const sick = new Map<string, string>()
  const log: string[] = []
  const line = (_fields: object, message: string) => void log.push(message)
  const closed = { lookups: 0 }
  const all = new Upstreams({
    upstreams: resolved.upstreams,
    directory: '/srv',
    logger: { debug: line, info: line, warn: line, error: line },
    clock,
    lookup: {
      async find(name) {
        const addresses = names.get(name)
        const none: Family = { kind: 'none', reason: 'ENOTFOUND' }
        return { v4: addresses ? { kind: 'found', addresses, ttlMs: 5_000 } : none, v6: none }
      },
      async findService(name) {
        const records = services.get(name)
        return records ? { kind: 'found', records } : { kind: 'none', reason: 'ENOTFOUND' }
      },
      close: () => {
        closed.lookups += 1
      },
    },
    probeOf:
      ({ endpoint }) =>
      async () => {
        const reason = sick.get(endpoint.kind === 'tcp' ? endpoint.host : endpoint.path)
        if (reason !== undefined) throw new Error(reason)
      },
  })
  const told: Told[] = []
  const start = () => all.start((upstream, targets) => void told.push({ upstream, targets }))
  const shown = () =>
    all.targets(0).map(({ id, address, state }) => {
      const where = address.kind === 'tcp' ? `${address.host}:${address.port}` : address.path
      return `${id} ${where} ${state}`
    })
  return { all, clock, names, services, sick, log, told, start, shown, closed }
}

test('numeric addresses and sockets are targets before anything was asked', async (t) => {
  const { all, start, told } = world({
    api: {
      targets: [
        'http://10.0.0.1',
        { url: 'http://[::1]:81', weight: 3, maxConnections: 7, backup: true },
        'unix:app.sock',
      ],
    },
  })
  const direct = { relayed: '', secure: false, state: 'up' as const }
  const plain = { ...direct, weight: 1, maxConnections: 0, backup: false }
  const known = all.targets(0).map((target) => ({ ...target, manner: undefined }))
  t.like(known, [
    {
      id: 1,
      address: { kind: 'tcp', host: '10.0.0.1', port: 80 },
      authority: '10.0.0.1',
      ...plain,
    },
    {
      id: 2,
      address: { kind: 'tcp', host: '::1', port: 81 },
      authority: '[::1]:81',
      ...direct,
      weight: 3,
      maxConnections: 7,
      backup: true,
    },
    {
      id: 3,
      address: { kind: 'unix', path: '/srv/app.sock' },
      authority: 'localhost',
      ...plain,
    },
  ])
  t.deepEqual(all.targets(1), [])
  await start()
  t.deepEqual(told, [])
})

test('every address of a name is a target; those that stay keep their id', async (t) => {
  const { all, clock, names, log, told, start, shown } = world({
    api: { targets: ['http://app:3000', 'http://10.0.0.9:3000'] },
  })
  names.set('app', ['10.0.0.2', '10.0.0.1'])
  t.deepEqual(shown(), ['1 10.0.0.9:3000 up'])
  await start()
  t.deepEqual(shown(), ['2 10.0.0.1:3000 up', '3 10.0.0.2:3000 up', '1 10.0.0.9:3000 up'])
  t.is(told.length, 1)
  t.deepEqual(told[0]?.targets, all.targets(0))
  t.is(all.targets(0)[0]?.authority, 'app:3000')
  names.set('app', ['10.0.0.2', '10.0.0.3'])
  await clock.advance(5_000)
  t.deepEqual(shown(), ['3 10.0.0.2:3000 up', '4 10.0.0.3:3000 up', '1 10.0.0.9:3000 up'])
  names.set('app', ['10.0.0.1'])
  await clock.advance(5_000)
  t.deepEqual(shown(), ['5 10.0.0.1:3000 up', '1 10.0.0.9:3000 up'], 'an id is never used again')
  t.deepEqual(log, [
    'http://app:3000 is at 10.0.0.1, 10.0.0.2',
    'http://app:3000 is at 10.0.0.2, 10.0.0.3',
    'http://app:3000 is at 10.0.0.1',
  ])
})

test('a name that is not there yet leaves its upstream without targets until it is', async (t) => {
  const { all, clock, names, log, told, start, shown } = world({ api: { targets: 'http://app' } })
  await start()
  t.deepEqual(shown(), [])
  t.deepEqual(all.states()[0]?.unresolved, [{ url: 'http://app', reason: 'ENOTFOUND' }])
  t.deepEqual(log, [
    'the name of http://app does not resolve (ENOTFOUND): it gets no requests until it does',
  ])
  names.set('app', ['10.0.0.1'])
  await clock.advance(1_000)
  t.deepEqual(shown(), ['1 10.0.0.1:80 up'])
  t.deepEqual(all.states()[0]?.unresolved, [])
  names.delete('app')
  await clock.advance(60_000)
  t.deepEqual(shown(), ['1 10.0.0.1:80 up'], 'the last good answer')
  t.is(
    log.at(-1),
    'the name of http://app does not resolve (ENOTFOUND): its last addresses stay in use',
  )
  t.true(told.every(({ targets }) => targets.length > 0))
})

test('a target that fails its checks is down, and up again, each with a line', async (t) => {
  const { all, clock, sick, log, told, start, shown } = world({
    api: {
      targets: ['http://10.0.0.1', 'http://10.0.0.2'],
      health: { path: '/', interval: 1_000 },
    },
  })
  sick.set('10.0.0.2', 'status 503')
  await start()
  await clock.advance(0)
  t.deepEqual(shown(), ['1 10.0.0.1:80 up', '2 10.0.0.2:80 down'])
  t.is(told.at(-1)?.targets[1]?.state, 'down')
  t.like(all.states()[0]?.members[1], { health: 'down', reason: 'status 503' })
  t.is(told.length, 1, 'what changes in one go is told in one go')
  sick.clear()
  await clock.advance(2_000)
  t.deepEqual(shown(), ['1 10.0.0.1:80 up', '2 10.0.0.2:80 up'])
  t.deepEqual(
    log.filter((line) => line.includes('10.0.0.2')),
    ["10.0.0.2:80 of upstream 'api' is down: status 503", "10.0.0.2:80 of upstream 'api' is up"],
  )
})

test('addresses that come by DNS are checked, those that go are not any more', async (t) => {
  const { clock, names, sick, start, shown } = world({
    api: { targets: 'http://app', health: { path: '/', interval: 1_000 } },
  })
  names.set('app', ['10.0.0.1'])
  sick.set('10.0.0.1', 'refused')
  await start()
  await clock.advance(0)
  t.deepEqual(shown(), ['1 10.0.0.1:80 down'])
  names.set('app', ['10.0.0.2'])
  sick.set('10.0.0.2', 'refused')
  await clock.advance(5_000)
  t.deepEqual(shown(), ['2 10.0.0.2:80 down'])
  t.is(clock.waiting.length, 2, 'one check and one question')
})

test('targets are drained, undrained, added and removed while all runs', async (t) => {
  const { all, clock, names, told, start, shown } = world({
    api: { targets: ['http://10.0.0.1', 'http://app'] },
  })
  names.set('app', ['10.0.0.5', '10.0.0.6'])
  await start()
  all.drain('api', 'http://10.0.0.1')
  all.drain('api', '10.0.0.6:80')
  const drained = ['1 10.0.0.1:80 draining', '2 10.0.0.5:80 up', '3 10.0.0.6:80 draining']
  t.deepEqual(shown(), drained)
  await settled()
  t.deepEqual(told.at(-1)?.targets, all.targets(0))
  await clock.advance(5_000)
  t.deepEqual(shown(), drained)
  all.undrain('api', '10.0.0.6:80')
  all.remove('api', 'http://10.0.0.1')
  all.add('api', { url: 'http://10.0.0.7:81', weight: 2 })
  t.deepEqual(shown(), ['2 10.0.0.5:80 up', '3 10.0.0.6:80 up', '4 10.0.0.7:81 up'])
  all.add('api', 'http://10.0.0.1')
  t.is(shown().at(-1), '5 10.0.0.1:80 up', 'not draining any more, and somebody new')
  all.drain('api', 'http://app')
  t.deepEqual(shown().slice(0, 2), ['2 10.0.0.5:80 draining', '3 10.0.0.6:80 draining'])
})

test('what cannot be asked of targets is said', (t) => {
  const { all } = world({ api: { targets: 'http://10.0.0.1' }, web: { targets: 'http://a' } })
  const cases: [() => void, string][] = [
    [() => all.drain('ap', 'x'), "no upstream is called 'ap'; did you mean 'api'?"],
    [
      () => all.drain('api', 'http://10.0.0.2'),
      "'api' has no target http://10.0.0.2; did you mean 'http://10.0.0.1'?",
    ],
    [() => all.undrain('api', 'zzz'), "'api' has no target zzz"],
    [() => all.remove('api', 'zzz'), "'api' has no target zzz"],
    [() => all.add('api', 'http://10.0.0.1/'), "'api' has http://10.0.0.1 already"],
    [() => all.add('api', 'ftp://x'), "'ftp://x': ftp: is not http:, https: or unix:"],
  ]
  for (const [ask, message] of cases) {
    t.throws(ask, { name: 'UpstreamError', code: 'ERR_SLUICE_UPSTREAM', message })
  }
})

test('after stop there is no timer, no question and no news', async (t) => {
  const { all, clock, names, sick, told, start, closed } = world({
    api: { targets: ['http://app', 'http://10.0.0.1'], health: '/' },
  })
  names.set('app', ['10.0.0.2'])
  await start()
  await clock.advance(0)
  const before = told.length
  all.stop()
  sick.set('10.0.0.1', 'refused')
  names.set('app', ['10.0.0.3'])
  await clock.advance(120_000)
  t.deepEqual(clock.waiting, [])
  t.is(told.length, before)
  t.is(closed.lookups, 1)
})

test('a core that does not take targets is logged, and the process lives', async (t) => {
  const { all, names, log } = world({ api: { targets: 'http://app' } })
  names.set('app', ['10.0.0.2'])
  await all.start(() => {
    throw new Error('refused')
  })
  t.is(log.at(-1), 'the targets of an upstream could not be replaced')
})

const offer = (host: string, port: number, priority = 1, weight = 1): ServiceRecord => {
  return { host, port, priority, weight }
}

test('the hosts of a service are targets, by priority and weight', async (t) => {
  const { all, names, services, log, start } = world({
    api: { targets: [{ url: 'srv:_api._tcp.example.', maxConnections: 5 }, 'http://10.0.0.9:1'] },
  })
  names.set('a.example', ['10.0.0.1'])
  names.set('b.example', ['10.0.0.3', '10.0.0.2'])
  services.set('_api._tcp.example', [
    offer('b.example', 80, 20, 5),
    offer('a.example', 8_080, 10, 60),
    offer('a.example', 8_081, 10, 30),
  ])
  await start()
  const told = all.targets(0).map((one) => {
    const { address, authority, weight, backup, maxConnections } = one
    const where = address.kind === 'tcp' ? `${address.host}:${address.port}` : ''
    return [where, authority, weight, backup, maxConnections]
  })
  t.deepEqual(told, [
    ['10.0.0.1:8080', 'a.example:8080', 2, false, 5],
    ['10.0.0.1:8081', 'a.example:8081', 1, false, 5],
    ['10.0.0.2:80', 'b.example', 1, true, 5],
    ['10.0.0.3:80', 'b.example', 1, true, 5],
    ['10.0.0.9:1', '10.0.0.9:1', 1, false, 0],
  ])
  t.deepEqual(
    all.states()[0]?.members.map(({ url }) => url),
    [...Array(4).fill('srv:_api._tcp.example'), 'http://10.0.0.9:1'],
  )
  t.true(log.some((line) => line.includes('offered by a.example:8080, a.example:8081, b.example')))
})

test('who stays keeps its id, who goes waits for somebody who has come', async (t) => {
  const { clock, names, services, start, shown, all } = world({
    api: { targets: 'srv:_api._tcp.example' },
  })
  names.set('a', ['10.0.0.1'])
  names.set('b', ['10.0.0.2'])
  services.set('_api._tcp.example', [offer('a', 1), offer('b', 1)])
  await start()
  t.deepEqual(shown(), ['1 10.0.0.1:1 up', '2 10.0.0.2:1 up'])
  services.set('_api._tcp.example', [offer('c', 1), offer('b', 1, 1, 7)])
  names.set('c', ['10.0.0.3'])
  await clock.advance(10_000)
  t.deepEqual(shown(), ['2 10.0.0.2:1 up', '3 10.0.0.3:1 up'])
  t.deepEqual(
    all.targets(0).map(({ weight }) => weight),
    [7, 1],
  )
  // Nobody knows where they are: the ones before stay.
  services.set('_api._tcp.example', [offer('d', 1)])
  await clock.advance(10_000)
  t.deepEqual(shown(), ['2 10.0.0.2:1 up', '3 10.0.0.3:1 up'])
  names.set('d', ['10.0.0.4'])
  await clock.advance(10_000)
  t.deepEqual(shown(), ['4 10.0.0.4:1 up'])
  // And so they do while nobody knows the service.
  services.clear()
  await clock.advance(60_000)
  t.deepEqual(shown(), ['4 10.0.0.4:1 up'])
})

test('a service that is not there yet is asked for until it is', async (t) => {
  const { all, clock, names, services, start, shown } = world({
    api: { targets: 'srv:_api._tcp.example' },
  })
  await start()
  t.deepEqual(all.states()[0]?.unresolved, [{ url: 'srv:_api._tcp.example', reason: 'ENOTFOUND' }])
  names.set('a', ['10.0.0.1', '10.0.0.2'])
  services.set('_api._tcp.example', [offer('a', 1)])
  await clock.advance(1_000)
  t.deepEqual(shown(), ['1 10.0.0.1:1 up', '2 10.0.0.2:1 up'])
  all.drain('api', 'srv:_api._tcp.example')
  t.deepEqual(shown(), ['1 10.0.0.1:1 draining', '2 10.0.0.2:1 draining'])
  all.remove('api', 'srv:_api._tcp.example')
  t.deepEqual(shown(), [])
  t.deepEqual(clock.waiting, [])
})
