// Targets with a bound on requests at once: who does not fit waits in line, over all workers, for
// as long and as many as the upstream says.

import type { ServerResponse } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { proxy } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { startTarget } from '../support/target.ts'
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
