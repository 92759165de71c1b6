// A small soak of the proxy for every run of the tests; test/long has the one that takes minutes.

import { testOnBothTwins } from '../support/gateway.ts'
import { soak } from '../support/soak.ts'

testOnBothTwins('3,000 requests and 200 tunnels leave nothing behind', async (t, transfer) => {
  await soak(t, { transfer, requests: 3_000, tunnels: 200, clients: 24 })
})
