// The soak of the proxy at full length: clients and targets that leave at random for minutes.

import { testOnBothTwins } from '../support/gateway.ts'
import { soak } from '../support/soak.ts'

testOnBothTwins('100,000 requests and 2,000 tunnels leave nothing behind', async (t, transfer) => {
  t.timeout(20 * 60_000)
  await soak(t, { transfer, requests: 100_000, tunnels: 2_000, clients: 48 })
})
