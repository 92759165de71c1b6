// SIGTERM, step by step: readiness first, then the listeners, then connections as they finish, and
// at timeouts.drain what is left.

import { once } from 'node:events'
import test from 'ava'
import { ask } from '../support/ask.ts'
import { RawClient, request } from '../support/client.ts'
import { startSluice } from '../support/command-line.ts'
import { freePort } from '../support/ports.ts'
import { makeSite } from '../support/site.ts'
import { startTarget } from '../support/target.ts'
import { until } from '../support/wait.ts'

test('SIGTERM: readiness, listeners, connections, and the end at timeouts.drain', async (t) => {
  t.timeout(120_000)
  const asked = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  const target = await startTarget(t, 'app', (message, response) => {
    response.write('begun')
    asked.resolve()
    if (message.url === '/slow') void finish.promise.then(() => response.end(' done'))
  })
  const port = await freePort()
  const { path } = makeSite(t, {
    'gateway.config.ts': `import { defineGateway, proxy, respond } from 'sluice'
      export default defineGateway({
        listen: ${port}, workers: 2,
        admin: { path: 'admin.sock' },
        timeouts: { drainDelay: '4s', drain: '3s' },
        routes: { '/*': proxy('${target.url}'), '/quick': respond(200, 'quick') },
      })`,
  })
  const sluice = startSluice(t, ['run', '--config', path('gateway.config.ts')])
  await sluice.line()
  const ready = () => ask(0, '/readyz', { socketPath: path('admin.sock') })
  t.is((await ready()).status, 200)
  const idle = await RawClient.connect({ port, host: '127.0.0.1' })
  await idle.ask(request('/quick'))
  const slow = await RawClient.connect({ port, host: '127.0.0.1' })
  slow.write(request('/slow'))
  const endless = await RawClient.connect({ port, host: '127.0.0.1' })
  endless.write(request('/endless'))
  await asked.promise
  await endless.arrived(1)

  sluice.child.kill('SIGTERM')
  // Load balancers are told, and everybody is served as before.
  await until('readiness to end', async () => (await ready()).status === 503)
  t.is((await ready()).body, 'leaving\n')
  t.is((await ask(port, '/quick')).body, 'quick')
  t.is((await idle.ask(request('/quick'))).status, 200)

  // Then nobody new; those who have nothing to do go, those who have finish.
  await until('the listeners to close', () =>
    ask(port, '/quick').then(
      () => false,
      (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
    ),
  )
  t.is((await ready()).body, 'draining\n')
  await idle.readToEnd()
  t.is(sluice.child.exitCode, null)
  finish.resolve()
  const reply = await slow.read()
  t.is(String(reply.body), 'begun done')

  // Who never ends is cut off.
  await once(endless.socket, 'close')
  t.like(await sluice.outcome, { code: 0 })
  t.regex(sluice.stderr(), /1 connection was cut off/)
})
