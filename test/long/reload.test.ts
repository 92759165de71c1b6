// 1,000 open tunnels and steady load through 100 reloads that change other routes: no disconnect,
// no failed request, memory flat.

import test from 'ava'
import { soakReloads } from '../support/reload-soak.ts'

const mostGrowthMiB = 24

test('1,000 tunnels and steady load live through 100 reloads, and memory stays flat', async (t) => {
  t.timeout(20 * 60_000)
  const { requests, failed, growthMiB } = await soakReloads(t, { tunnels: 1_000, reloads: 100 })
  t.log(`${requests} requests, ${failed.length} failed, memory grew by ${growthMiB.toFixed(1)} MiB`)
  t.deepEqual(failed, [])
  t.true(growthMiB < mostGrowthMiB, `${growthMiB} MiB`)
})
