// Targets with a bound on requests at once: who does not fit waits in line, over all workers, for
// as long and as many as the upstream says.

import type { ServerResponse } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { proxy } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { startTarget } from '../support/target.ts'
import { startUpstream } from '../support/upstream.ts'
import { until } from '../support/wait.ts'

/** A target that answers when the test says so. */
async function patientTarget(t: ExecutionContext) {
  const held: ServerResponse[] = []
  let most = 0
  const { url } = await startTarget(t, 'patient', (_message, response) => {
    held.push(response)
    most = Math.max(most, held.length)
  })
  const release = () => held.shift()?.end('done')
  return { url, held, release, most: () => most }
}

for (const workers of [1, 4]) {
  test(`no more than maxConnections at once, with ${workers} workers`, async (t) => {
    const target = await patientTarget(t)
    const { connect, gateway } = await startGateway(t, {
      workers,
      upstreams: {
        app: { targets: [{ url: target.url, maxConnections: 3 }], queue: { length: 100 } },
      },
      routes: { '/*': proxy('app') },
    })
    const clients = await Promise.all(Array.from({ length: 24 }, () => connect()))
    const replies = clients.map((client) => client.ask(request('/')))
    await until('three to be asked', () => target.held.length === 3)
    await until('the others to wait', () => gateway.stats().upstreams[0]?.queued === 21)
    for (let answered = 0; answered < 24; answered++) {
      await until('one to be asked', () => target.held.length > 0)
      target.release()
    }
    for (const reply of await Promise.all(replies)) t.is(reply.status, 200)
    t.is(target.most(), 3)
    t.is(gateway.stats().upstreams[0]?.queued, 0)
  })
}

test('a full queue is 503 at once, a long wait 503 in time, leavers take no place', async (t) => {
  const target = await patientTarget(t)
  const { connect, gateway } = await startGateway(t, {
    upstreams: {
      app: {
        targets: [{ url: target.url, maxConnections: 1 }],
        queue: { length: 2, timeout: '300ms' },
      },
    },
    routes: { '/*': proxy('app') },
  })
  const queued = () => gateway.stats().upstreams[0]?.queued
  const first = await connect()
  const firstReply = first.ask(request('/'))
  await until('the first to be asked', () => target.held.length === 1)
  const leaver = await connect()
  leaver.write(request('/'))
  await until('one to wait', () => queued() === 1)
  leaver.socket.destroy()
  await until('it to be gone', () => queued() === 0)
  const waiting = await Promise.all([connect(), connect()])
  const late = waiting.map((client) => client.ask(request('/')))
  await until('two to wait', () => queued() === 2)
  const refused = await (await connect()).ask(request('/'))
  t.is(refused.status, 503)
  t.is(refused.field('retry-after'), '1')
  for (const reply of await Promise.all(late)) t.is(reply.status, 503)
  const { errors } = gateway.stats().total
  t.is(errors['queue-full'], 1)
  t.is(errors['queue-timeout'], 2)
  target.release()
  t.is((await firstReply).status, 200)
})

test('who had to wait is told the host of the target that it got in the end', async (t) => {
  const target = await patientTarget(t)
  const { connect, gateway } = await startGateway(t, {
    upstreams: { app: { targets: [{ url: target.url, maxConnections: 1 }] } },
    routes: { '/*': proxy('app') },
  })
  const first = (await connect()).ask(request('/'))
  await until('the first to be asked', () => target.held.length === 1)
  const second = (await connect()).ask('GET / HTTP/1.0\r\n\r\n')
  await until('the second to wait', () => gateway.stats().upstreams[0]?.queued === 1)
  target.release()
  await until('it to be asked', () => target.held.length === 1)
  t.is(target.held[0]?.req.headers.host, new URL(target.url).host)
  target.release()
  for (const reply of await Promise.all([first, second])) t.is(reply.status, 200)
})

test('a retry may wait in line as long as a request that has tried nobody', async (t) => {
  const target = await patientTarget(t)
  const closing = await startUpstream(t)
  const { connect, gateway } = await startGateway(t, {
    upstreams: {
      app: {
        targets: [
          { url: target.url, maxConnections: 1 },
          { url: closing.url as `http://${string}`, maxConnections: 1, backup: true },
        ],
        queue: { timeout: '1s' },
      },
      other: { targets: [{ url: target.url, maxConnections: 1 }], queue: { timeout: '100ms' } },
    },
    routes: { '/*': proxy('app'), '/other': proxy('other') },
  })
  const ask = async (path: string) => (await connect()).ask(request(path))
  const first = ask('/')
  await until('the first to be asked', () => target.held.length === 1)
  const retried = ask('/')
  const peer = await closing.peer(0)
  await peer.head()
  t.is((await ask('/')).status, 503, 'a second has gone')
  void ask('/other').catch(() => {})
  await until('the other upstream to be busy', () => target.held.length === 2)
  peer.socket.destroy()
  await until('the retry to wait', () => gateway.stats().upstreams[0]?.queued === 1)
  t.is((await ask('/other')).status, 503, 'a moment has gone')
  target.release()
  t.is((await first).status, 200)
  await until('the retry to be made', () => target.held.length === 2)
  while (target.held.length > 0) target.release()
  t.is((await retried).status, 200)
})
