// One stream to a crowd: a thousand clients of events, two hundred of a video, one connection to
// the source, and a client that takes a byte a second beside them.

import { eventPattern, relayToCrowd } from '../support/crowd.ts'
import { testOnBothTwins } from '../support/gateway.ts'
import { patternBytes } from '../support/site.ts'

const mb = 1024 * 1024
const patienceMs = 5 * 60_000

testOnBothTwins('1,000 clients of one source of events', async (t, transfer) => {
  t.timeout(10 * 60_000)
  const pattern = eventPattern(500)
  const total = 20 * pattern.length
  const stream = { as: 'sse', pattern, total, rate: total / 20 } as const
  const began = Date.now()
  const counted = await relayToCrowd(t, { transfer, clients: 1_000, ...stream, patienceMs })
  t.log({ ...counted, bytes: total, seconds: (Date.now() - began) / 1_000 })
})

testOnBothTwins('200 clients of one stream of 20 Mbit/s', async (t, transfer) => {
  t.timeout(10 * 60_000)
  const pattern = patternBytes(mb)
  const total = 25 * mb
  const stream = { as: 'raw', pattern, total, rate: 2.5 * 1e6 } as const
  const began = Date.now()
  const counted = await relayToCrowd(t, { transfer, clients: 200, ...stream, patienceMs })
  t.log({ ...counted, bytes: total, seconds: (Date.now() - began) / 1_000 })
})
