// What stats() says of traffic: by route, engine, upstream and class of status, with what
// connections wait for and how long turns take.

import test from 'ava'
import { files, proxy, respond } from '../../src/index.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite } from '../support/site.ts'
import { startTarget } from '../support/target.ts'
import { until } from '../support/wait.ts'

test('answers are counted by route, engine and class of status', async (t) => {
  const { root } = makeSite(t, { 'a.txt': 'four' })
  const { gateway, get } = await startGateway(t, {
    transfer: 'auto',
    routes: { '/site/*': files(root), 'GET /teapot': respond(418, 'short') },
  })
  for (const path of ['/site/a.txt', '/site/a.txt', '/site/none', '/teapot', '/nowhere']) {
    await get(path)
  }
  const found = gateway.stats().latencies.map(({ route, engine, upstream, status, count }) => {
    return [route, engine, upstream, status, count].join(' ')
  })
  t.deepEqual(found.sort(), [
    ' memory  4xx 1',
    '/site/* memory  2xx 2',
    '/site/* memory  4xx 1',
    'GET /teapot memory  4xx 1',
  ])
  const site = gateway.stats().latencies.find(({ status }) => status === '2xx')
  t.is(site?.bytes, 8)
})

testOnBothTwins('a forwarded answer counts for its upstream, failures too', async (t, transfer) => {
  const body = 'b'.repeat(300_000)
  const target = await startTarget(t, 'app', (_request, response) => void response.end(body))
  const { gateway, get } = await startGateway(t, {
    transfer,
    upstreams: { app: { targets: [target.url] } },
    routes: { '/*': proxy('app', { retry: false }) },
  })
  t.is((await get('/')).status, 200)
  await target.stop()
  t.is((await get('/')).status, 502)
  const found = gateway.stats().latencies.map((latency) => [latency.upstream, latency.status])
  t.deepEqual(found.sort(), [
    ['app', '2xx'],
    ['app', '5xx'],
  ])
  const well = gateway.stats().latencies.find(({ status }) => status === '2xx')
  t.like(well, { bytes: body.length, engine: transfer === 'copy' ? 'copy' : 'splice' })
})

test('connections are counted by what they wait for', async (t) => {
  const target = await startTarget(t, 'slow', () => {})
  const { gateway, connect } = await startGateway(t, {
    routes: { '/*': respond(200, 'ok'), '/slow': proxy(target.url) },
  })
  const blockedOn = () => {
    const entries = Object.entries(gateway.stats().total.blockedOn)
    return Object.fromEntries(entries.filter(([, count]) => count > 0))
  }
  const idle = await connect()
  await until('an idle connection', () => blockedOn().read === 1)
  const waiting = await connect()
  waiting.write('GET /slow HTTP/1.1\r\nHost: test\r\n\r\n')
  await until('a request at a target', () => blockedOn().upstream === 1)
  t.deepEqual(blockedOn(), { read: 1, upstream: 1 })
  idle.socket.destroy()
  waiting.socket.destroy()
  await until('nobody', () => Object.keys(blockedOn()).length === 0)
})

test('turns of a worker are timed', async (t) => {
  const { gateway, get } = await startGateway(t, { routes: { '/*': respond(200, 'ok') } })
  await get('/')
  const { turns, turnTimes } = gateway.stats().total
  t.true(turnTimes.count > 0 && turnTimes.count <= turns)
  t.is(turnTimes.buckets.at(-1)?.count, turnTimes.count)
})
