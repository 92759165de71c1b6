// One stream to many clients at its own pace: the short twin of test/long/relay.test.ts.

import { eventPattern, relayToCrowd } from '../support/crowd.ts'
import { testOnBothTwins } from '../support/gateway.ts'
import { patternBytes } from '../support/site.ts'

const mb = 1024 * 1024
const patienceMs = 50_000

testOnBothTwins('100 clients of one source of events', async (t, transfer) => {
  const pattern = eventPattern(500)
  const total = 4 * pattern.length
  const stream = { as: 'sse', pattern, total, rate: total / 2 } as const
  await relayToCrowd(t, { transfer, clients: 100, ...stream, patienceMs })
})

testOnBothTwins('20 clients of one stream of 20 Mbit/s', async (t, transfer) => {
  const pattern = patternBytes(mb)
  const stream = { as: 'raw', pattern, total: 5 * mb, rate: 2.5 * mb } as const
  await relayToCrowd(t, { transfer, clients: 20, ...stream, patienceMs })
})
