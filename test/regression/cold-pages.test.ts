// The first byte of a large file once vouched for all of it: after `Range: bytes=0-0` the whole
// file was taken to be in memory for a second, and a cold one stalled the worker.

import test from 'ava'
import { files } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'

test('a short range does not vouch for the rest of the file', async (t) => {
  const site = makeSite(t, { big: patternBytes(3_000_000) })
  const { connect, gateway } = await startGateway(t, { routes: { '/*': files(site.root) } })
  const client = await connect()
  const probes = () => gateway.stats().total.syscalls.preadv2 ?? 0
  await client.ask(request('/big', { Range: 'bytes=0-0' }))
  const before = probes()
  t.is((await client.ask(request('/big'))).body.length, 3_000_000)
  t.true(probes() > before, 'the pages are looked at')
})
