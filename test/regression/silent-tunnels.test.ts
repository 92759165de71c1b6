// A tunnel in which nobody speaks for longer than timeouts.body was closed as a slow upload.

import test from 'ava'
import { proxy } from '../../src/index.ts'
import { startGateway } from '../support/gateway.ts'
import { startEcho, Tunnel } from '../support/reloading.ts'
import { until } from '../support/wait.ts'

test('a silent tunnel outlives the time limits of bodies', async (t) => {
  const echo = await startEcho(t)
  const { gateway, port } = await startGateway(t, {
    timeouts: { body: '100ms', minimumRate: '1mb' },
    routes: { '/silent': proxy(echo.url), '/other': proxy(echo.url) },
  })
  const silent = await Tunnel.open(t, port, '/silent')
  // Another one that is opened after so many times the limit finds the first still open.
  const begun = performance.now()
  await until('some periods to pass', () => performance.now() - begun > 600)
  t.true(await (await Tunnel.open(t, port, '/other')).echoes('other'))
  t.true(silent.isOpen)
  t.true(await silent.echoes('still there'))
  t.is(gateway.stats().total.errors['too-slow'], undefined)
})
