// Many handshakes at once beside a download: they share the loop of a worker.

import { once } from 'node:events'
import { createConnection } from 'node:net'
import test from 'ava'
import { files } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { helloOf, secure, TlsClient } from '../support/tls.ts'
import { until } from '../support/wait.ts'

test.serial('a burst of 500 handshakes shares the loop with a download', async (t) => {
  const content = patternBytes(20_000_000)
  const site = makeSite(t, { big: content })
  const { port, gateway } = await startGateway(t, {
    listen: secure(),
    limits: { handshakes: 1000 },
    timeouts: { head: '60s' },
    routes: { '/*': files(site.root) },
  })
  const stats = () => gateway.stats().total.tls
  const download = await TlsClient.open(t, port)
  download.write(request('/big'))
  await download.arrived(1)
  // Written faster than they can be answered, all at once: what makes a handshake dear is the
  // answer to the hello.
  const hello = await helloOf()
  const sockets = Array.from({ length: 500 }, () => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    t.teardown(() => socket.destroy())
    socket.write(hello)
    return socket
  })
  await Promise.all(sockets.map((socket) => once(socket, 'data')))
  t.is(stats().underWay, 500)
  // Turns were cut short for those that had something else to do.
  t.true(stats().putOff > 0)
  t.true((await download.read()).body.equals(content))
  for (const socket of sockets) socket.destroy()
  await until('the end', () => gateway.stats().total.connections === 1)
  t.is((await download.ask(request('/none'))).status, 404)
})

test.serial(
  '500 handshakes beside a download: every one is done, and the download whole',
  async (t) => {
    t.timeout(120_000)
    const content = patternBytes(20_000_000)
    const site = makeSite(t, { big: content })
    const secured = await startGateway(t, { listen: secure(), routes: { '/*': files(site.root) } })
    const download = await TlsClient.open(t, secured.port)
    download.write(request('/big'))
    const one = async () => {
      const client = await TlsClient.open(t, secured.port)
      const { status } = await client.ask(request('/none'))
      client.tls.destroy()
      return status
    }
    for (let round = 0; round < 10; round += 1) {
      const statuses = await Promise.all(Array.from({ length: 50 }, one))
      t.true(statuses.every((status) => status === 404))
    }
    t.true((await download.read()).body.equals(content))
    t.is(secured.gateway.stats().total.tls.handshakes, 501)
  },
)
