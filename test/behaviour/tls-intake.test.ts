// Uploads and channels over TLS: what clients send is stored as they sent it, and what they are
// sent is encrypted.

import { readFileSync } from 'node:fs'
import { channel, files } from '../../src/index.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { nextChunk, openStream } from '../support/stream.ts'
import { secure, TlsClient } from '../support/tls.ts'
import { put, putChunked } from '../support/upload.ts'

const large = patternBytes(1_000_000)

testOnBothTwins(
  'files that clients send over TLS arrive as they were sent',
  async (t, transfer) => {
    const site = makeSite(t)
    const routes = { '/*': files(site.root, { upload: true }) }
    const { port } = await startGateway(t, { listen: secure(), transfer, routes })
    const client = await TlsClient.open(t, port)
    for (const size of [0, 1, 20_000, 1_000_000]) {
      const body = large.subarray(0, size)
      t.is((await put(client, `/whole-${size}`, body)).status, 201)
      t.true(readFileSync(site.path(`whole-${size}`)).equals(body), String(size))
    }
    t.is((await putChunked(client, '/chunked', large, 70_000)).status, 201)
    t.true(readFileSync(site.path('chunked')).equals(large))
  },
)

testOnBothTwins('a channel over TLS has every message, and an end', async (t, transfer) => {
  const routes = { '/raw': channel('news', { as: 'raw' }) }
  const { gateway, port } = await startGateway(t, { listen: secure(), transfer, routes })
  const client = await TlsClient.open(t, port)
  t.is((await openStream(client, '/raw')).line, 'HTTP/1.1 200 OK')
  const sizes = [1, 10_000, 300_000, 17_000, 5]
  for (const size of sizes) gateway.publish('news', large.subarray(0, size))
  for (const size of sizes) {
    t.true((await nextChunk(client))?.equals(large.subarray(0, size)), String(size))
  }
  const closed = gateway.close()
  t.is((await client.readToEnd()).toString(), '0\r\n\r\n')
  await closed
})
