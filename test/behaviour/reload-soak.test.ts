// A small version of test/long/reload.test.ts.

import test from 'ava'
import { soakReloads } from '../support/reload-soak.ts'

test('no tunnel ends and no request fails while the configuration is replaced', async (t) => {
  const { requests, failed } = await soakReloads(t, { tunnels: 100, reloads: 10 })
  t.deepEqual(failed, [])
  t.true(requests > 0)
})
