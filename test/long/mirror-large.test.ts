// A gigabyte to a target and its mirror, of known length and in chunks: both get the same bytes,
// and nothing of it is held.

import { proxy } from '../../src/index.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { sendBody, startHashing } from '../support/mirroring.ts'
import { until } from '../support/wait.ts'

const gib = 1024 ** 3

for (const chunked of [false, true]) {
  const how = chunked ? 'in chunks' : 'of known length'
  testOnBothTwins(`1 GiB ${how}, mirrored`, async (t, transfer) => {
    t.timeout(10 * 60_000)
    const target = await startHashing(t)
    const mirror = await startHashing(t)
    const { port, gateway } = await startGateway(t, {
      transfer,
      routes: {
        // Both are as slow as the machine: what the mirror is behind by may be much.
        '/*': proxy(target.url, {
          mirror: { target: mirror.url, maxBehind: '1gb', timeout: '5m' },
        }),
      },
      limits: { mirrorBytes: '1gb' },
    })
    const sent = await sendBody(port, gib, { chunked })
    t.is(sent.status, 200)
    await until('the copy', () => gateway.stats().total.mirrors.inFlight === 0)
    const { mirrors } = gateway.stats().total
    t.is(mirrors.sent, 1, JSON.stringify(mirrors))
    t.is(target.received[0]?.digest, sent.digest)
    t.is(mirror.received[0]?.digest, sent.digest)
    t.is(mirror.received[0]?.bytes, gib)
    t.is(mirrors.teedBytes > gib / 2, transfer === 'auto')
    t.is(mirrors.waitingBytes, 0)
  })
}
