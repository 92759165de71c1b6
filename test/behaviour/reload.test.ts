// Another configuration for a gateway that runs: what changes, what stays, and what is refused.

import test, { type ExecutionContext } from 'ava'
import { files, type GatewayConfig, handler, proxy, redirect, respond } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { startEcho, Tunnel } from '../support/reloading.ts'
import { makeSite } from '../support/site.ts'
import { startTarget } from '../support/target.ts'
import { answering, response, startUpstream } from '../support/upstream.ts'
import { until } from '../support/wait.ts'

const base = { listen: 0, workers: 2 }

function start(t: ExecutionContext, config: GatewayConfig) {
  return startGateway(t, { ...base, ...config })
}

test('requests after reload() see the new routes, and no others', async (t) => {
  const { gateway, port } = await start(t, {
    routes: { '/a': respond(200, 'one'), '/b': redirect(308, '/a'), '/c': respond(200, 'stays') },
  })
  t.is((await ask(port, '/a')).body, 'one')
  const routes = { '/a': respond(200, 'two'), '/c': respond(200, 'stays'), '/d': respond(204) }
  const result = await gateway.reload({ ...base, routes })
  t.like(result, { generation: 2, changed: true, warnings: [] })
  for (let round = 0; round < 8; round++) {
    t.is((await ask(port, '/a')).body, 'two')
    t.is((await ask(port, '/b')).status, 404)
    t.is((await ask(port, '/c')).body, 'stays')
    t.is((await ask(port, '/d')).status, 204)
  }
  await until('the first to be gone', () => gateway.stats().generation.live === 1)
  t.like(gateway.stats().generation, { number: 2, live: 1, unchanged: 0, failed: 0 })
  t.deepEqual(
    gateway.resolved.routes.map(({ key }) => key),
    ['/a', '/c', '/d'],
  )
})

test('the same configuration again changes nothing', async (t) => {
  const routes = { '/a': respond(200, 'one') }
  const { gateway, port } = await start(t, { routes })
  t.like(await gateway.reload({ ...base, routes }), { generation: 1, changed: false })
  t.like(gateway.stats().generation, { number: 1, unchanged: 1 })
  t.is((await ask(port, '/a')).body, 'one')
})

test('a wrong configuration is refused with its errors, and the one before stays', async (t) => {
  const { gateway, port } = await start(t, { routes: { '/a': respond(200, 'one') } })
  const routes = { '/a': respond(200, 'two'), '/b': proxy('nowhere' as never) }
  await t.throwsAsync(gateway.reload({ ...base, routes }), {
    code: 'ERR_SLUICE_CONFIG',
    message: /routes\["\/b"\]/,
  })
  t.is((await ask(port, '/a')).body, 'one')
  t.like(gateway.stats().generation, { number: 1, failed: 1 })
})

test('reload() without a file, and before or after listening, says why not', async (t) => {
  const { gateway } = await start(t, { routes: { '/a': respond(200, 'one') } })
  await t.throwsAsync(gateway.reload(), { message: /is an object/ })
  await gateway.close({ drain: false })
  await t.throwsAsync(gateway.reload({ routes: {} }), { code: 'ERR_SLUICE_STATE' })
})

test('what a running gateway cannot change stays, with a warning that names the key', async (t) => {
  const { gateway, port, log } = await start(t, { routes: { '/a': respond(200, 'one') } })
  const { warnings } = await gateway.reload({
    listen: 0,
    workers: 3,
    cache: { files: 7 },
    routes: { '/a': respond(200, 'two') },
  })
  t.deepEqual(
    warnings.map((warning) => warning.replace(/:.*/, '')),
    ['workers', 'cache'],
  )
  t.is(log.filter(({ code }) => code === 'needs-restart').length, 2)
  t.is(gateway.resolved.workers, 2)
  t.is((await ask(port, '/a')).body, 'two')
})

testOnBothTwins('tunnels of routes that stay are not touched', async (t, transfer) => {
  const echo = await startEcho(t)
  const config = (text: string): GatewayConfig => ({
    ...base,
    transfer,
    timeouts: { drain: '1ms' },
    routes: { '/ws': proxy(echo.url), '/text': respond(200, text) },
  })
  const { gateway, port } = await startGateway(t, config('0'))
  const tunnels = await Promise.all([1, 2, 3, 4].map(() => Tunnel.open(t, port, '/ws')))
  for (let round = 1; round <= 5; round++) {
    await gateway.reload(config(String(round)))
    t.is((await ask(port, '/text')).body, String(round))
    for (const tunnel of tunnels) t.true(await tunnel.echoes(`round ${round}`))
  }
  await until('old ones to be gone', () => gateway.stats().generation.live === 1)
  t.true(tunnels.every(({ isOpen }) => isOpen))
})

testOnBothTwins(
  'a request ends on what it began with, up to timeouts.drain',
  async (t, transfer) => {
    const upstream = await startUpstream(t)
    const config = (drain: '20s' | '50ms', text: string): GatewayConfig => ({
      ...base,
      transfer,
      timeouts: { drain },
      routes: { '/slow': proxy(upstream.url), '/text': respond(200, text) },
    })
    const without = (drain: '20s' | '50ms'): GatewayConfig => ({
      ...base,
      transfer,
      timeouts: { drain },
      routes: { '/slow': respond(200, 'other') },
    })
    const { gateway, connect: dial, port } = await startGateway(t, config('20s', ''))
    const first = await dial()
    first.write(request('/slow'))
    const peer = await upstream.peer(0)
    await peer.head()
    await gateway.reload(without('50ms'))
    t.is((await ask(port, '/slow')).body, 'other')
    t.is(gateway.stats().generation.live, 2)
    peer.write(response('late'))
    t.is((await first.read()).body.toString(), 'late')
    await until('the first to be gone', () => gateway.stats().generation.live === 1)
    // The connection goes on, with what is served now.
    t.is((await first.ask(request('/slow'))).body.toString(), 'other')
    // The next one has 50 ms for a request that never ends.
    await gateway.reload(config('50ms', 'x'))
    const second = await dial()
    second.write(request('/slow'))
    await (await upstream.peer(1)).head()
    await gateway.reload(without('20s'))
    await t.throwsAsync(second.read())
    await until('it to be gone', () => gateway.stats().generation.live === 1)
    t.is(gateway.stats().total.errors.draining, 1)
  },
)

test('a connection is the same before and after, for whatever it asks next', async (t) => {
  const { gateway, connect: dial } = await start(t, { routes: { '/a': respond(200, 'one') } })
  const client = await dial()
  t.is((await client.ask(request('/a'))).body.toString(), 'one')
  await gateway.reload({ ...base, routes: { '/a': respond(200, 'two') } })
  t.is((await client.ask(request('/a'))).body.toString(), 'two')
  t.is(gateway.stats().total.accepted, 1)
})

test('answers about files are kept where the route stays, and forgotten elsewhere', async (t) => {
  const { root } = makeSite(t, { 'a.txt': 'a' })
  const config = (value: string): GatewayConfig => ({
    ...base,
    workers: 1,
    routes: { '/x/*': files(root), '/y/*': files(root, { headers: { 'X-Value': value } }) },
  })
  const { gateway, port } = await startGateway(t, config('1'))
  for (const path of ['/x/a.txt', '/y/a.txt']) t.is((await ask(port, path)).body, 'a')
  const asked = () => gateway.stats().questions.asked
  t.is(asked(), 2)
  await gateway.reload(config('2'))
  t.is((await ask(port, '/x/a.txt')).body, 'a')
  t.is(asked(), 2)
  t.is((await ask(port, '/y/a.txt')).headers['x-value'], '2')
  t.is(asked(), 3)
  await until('the answer to be forgotten', () => gateway.stats().cache.answers === 2)
  t.is(gateway.stats().total.answers, 2)
})

test('a gateway that began without files serves them after a reload', async (t) => {
  const { root } = makeSite(t, { 'a.txt': 'a' })
  const { gateway, port } = await start(t, { routes: { '/*': respond(200, 'none') } })
  await gateway.reload({ ...base, routes: { '/*': files(root) } })
  t.is((await ask(port, '/a.txt')).body, 'a')
  t.is((await ask(port, '/b.txt')).status, 404)
})

test('an upstream that stays keeps its connections, counts and what operators did', async (t) => {
  const [one, two] = [await startTarget(t, 'one'), await startTarget(t, 'two')]
  const config = (text: string, more: object = {}): GatewayConfig => ({
    ...base,
    workers: 1,
    upstreams: { api: { targets: [one.url, two.url], balance: 'round-robin', ...more } },
    routes: { '/*': proxy('api'), '/text': respond(200, text) },
  })
  const { gateway, port } = await startGateway(t, config('1'))
  gateway.upstreams.drain('api', two.url)
  t.is((await ask(port, '/')).body, 'one')
  const target = (url: string) =>
    gateway.stats().upstreams[0]?.targets.find((each) => each.url === url)
  await gateway.reload(config('2'))
  t.is((await ask(port, '/')).body, 'one')
  t.like(target(one.url), { requests: 2, connects: 1 })
  t.true(target(two.url)?.draining)
  // Other rules are another pool, but the targets are the same.
  await gateway.reload(config('3', { keepAlive: { connections: 7 } }))
  t.is((await ask(port, '/')).body, 'one')
  t.like(target(one.url), { requests: 3, connects: 2 })
  t.true(target(two.url)?.draining)
})

test('targets come and go with the configuration, and unused connections with them', async (t) => {
  const startNamed = (name: string) => startUpstream(t, answering(response(name)))
  const [one, two, three] = [
    await startNamed('one'),
    await startNamed('two'),
    await startNamed('three'),
  ]
  const config = (...targets: string[]): GatewayConfig => ({
    ...base,
    workers: 1,
    upstreams: { api: { targets: targets as 'http://x'[], balance: 'round-robin' } },
    routes: { '/*': proxy('api') },
  })
  const { gateway, port } = await startGateway(t, config(one.url, two.url))
  const answers = async () => {
    const all = await Promise.all([1, 2, 3, 4].map(() => ask(port, '/')))
    return [...new Set(all.map(({ body }) => body))].sort()
  }
  t.deepEqual(await answers(), ['one', 'two'])
  gateway.upstreams.add('api', three.url)
  t.deepEqual(await answers(), ['one', 'three', 'two'])
  await gateway.reload(config(two.url))
  t.deepEqual(await answers(), ['three', 'two'])
  await until('connections to be closed', () => one.open() === 0)
  // An upstream that has left altogether lets go of everything.
  await gateway.reload({ ...base, routes: { '/*': respond(200, 'none') } })
  t.deepEqual(await answers(), ['none'])
  await until('all to be closed', () => two.open() + three.open() === 0)
  t.deepEqual(gateway.stats().upstreams, [])
})

test('requests that wait for a target of an upstream that stays go on waiting', async (t) => {
  const upstream = await startUpstream(t)
  const config = (text: string): GatewayConfig => ({
    ...base,
    workers: 1,
    upstreams: { api: { targets: { url: upstream.url as 'http://x', maxConnections: 1 } } },
    routes: { '/*': proxy('api'), '/text': respond(200, text) },
  })
  const { gateway, port } = await startGateway(t, config('1'))
  const first = ask(port, '/1')
  const peer = await upstream.peer(0)
  await peer.head()
  const second = ask(port, '/2')
  await until('it to wait', () => gateway.stats().upstreams[0]?.queued === 1)
  await gateway.reload(config('2'))
  t.is(gateway.stats().upstreams[0]?.queued, 1)
  peer.write(response('first'))
  t.is((await first).body, 'first')
  const { target } = await peer.head()
  t.is(target, '/2')
  peer.write(response('second'))
  t.is((await second).body, 'second')
})

test('a place at a target is told to who waits, whatever upstream it came free in', async (t) => {
  const upstream = await startUpstream(t)
  const config = (length: number): GatewayConfig => ({
    ...base,
    upstreams: {
      api: {
        targets: { url: upstream.url as 'http://x', maxConnections: 1 },
        queue: { length, timeout: '1m' },
      },
    },
    routes: { '/*': proxy('api') },
  })
  const { gateway, port } = await startGateway(t, config(10))
  const first = ask(port, '/1')
  const peer = await upstream.peer(0)
  await peer.head()
  await gateway.reload(config(20))
  const second = ask(port, '/2')
  await until('it to wait', () => gateway.stats().upstreams[0]?.queued === 1)
  peer.write(response('first'))
  t.is((await first).body, 'first')
  const next = await upstream.peer(1)
  t.is((await next.head()).target, '/2')
  next.write(response('second'))
  t.is((await second).body, 'second')
})

test('latencies go on under the key of a route that changes', async (t) => {
  const { gateway, port } = await start(t, { routes: { '/a': respond(200, '0') } })
  for (let round = 1; round <= 5; round++) {
    await ask(port, '/a')
    await gateway.reload({ ...base, routes: { '/a': respond(200, String(round)) } })
  }
  await ask(port, '/none')
  const counted = gateway.stats().latencies.map(({ route, count }) => [route, count])
  t.deepEqual(counted, [
    ['/a', 5],
    ['', 1],
  ])
})

test('at most three live: the next reload waits for a request to end', async (t) => {
  const held = await startUpstream(t)
  const holding = (n: number): GatewayConfig => ({
    ...base,
    timeouts: { drain: '1m' },
    routes: { [`/${n}`]: proxy(held.url), '/text': respond(200, String(n)) },
  })
  const { gateway, port, connect: dial } = await startGateway(t, holding(0))
  for (const n of [0, 1]) {
    const client = await dial()
    client.write(request(`/${n}`))
    await (await held.peer(n)).head()
    await gateway.reload(holding(n + 1))
  }
  t.is(gateway.stats().generation.live, 3)
  let isDone = false
  const last = gateway.reload(holding(3)).then(() => {
    isDone = true
  })
  for (let round = 0; round < 5; round++) t.is((await ask(port, '/text')).body, '2')
  t.false(isDone)
  ;(await held.peer(0)).write(response('late'))
  await last
  t.is((await ask(port, '/text')).body, '3')
})

test('functions of an object change with it, requests of the old ones finish', async (t) => {
  const waiting = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const { gateway, port } = await start(t, {
    routes: {
      '/a': handler(() => new Response('one')),
      '/late': handler(async () => {
        begun.resolve()
        await waiting.promise
        return new Response('late')
      }),
    },
  })
  t.is((await ask(port, '/a')).body, 'one')
  const late = ask(port, '/late')
  await begun.promise
  await gateway.reload({ ...base, routes: { '/a': handler(() => new Response('two')) } })
  t.is((await ask(port, '/a')).body, 'two')
  t.is((await ask(port, '/late')).status, 404)
  waiting.resolve()
  t.is((await late).body, 'late')
  await until('the first to be gone', () => gateway.stats().generation.live === 1)
  t.is((await ask(port, '/a')).body, 'two')
})
