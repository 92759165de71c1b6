// Clients that go away, at every stage of a request: the target is let go, nothing is held, and the
// next client is served.

import type { ExecutionContext } from 'ava'
import { proxy } from '../../src/index.ts'
import { type RawClient, request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { patternBytes } from '../support/site.ts'
import { type Peer, response, startUpstream } from '../support/upstream.ts'
import { until } from '../support/wait.ts'

const upload = request('/', { 'Content-Length': '50000000' }, 'POST')
const upgrade = request('/', { Connection: 'upgrade', Upgrade: 'chat' })
const large = patternBytes(8_000_000)

interface Stage {
  sent: string | Uint8Array
  /** Brings the exchange to its stage; the client goes when it has resolved. */
  reach: (client: RawClient, peer: Peer) => Promise<unknown>
}

const stages: Record<string, Stage> = {
  'before anything is answered': {
    sent: request('/'),
    reach: (_client, peer) => peer.request(),
  },
  'within its own head behind a request': {
    sent: `${request('/')}GET / HT`,
    reach: (_client, peer) => peer.request(),
  },
  'while it uploads': {
    sent: upload,
    reach: async (client, peer) => {
      client.write(large)
      await peer.arrived(1_000_000)
    },
  },
  'while its upload is held up': {
    sent: upload,
    reach: async (client, peer) => {
      peer.socket.pause()
      client.write(large)
      await until('bytes to be on their way', () => client.socket.bytesWritten > 300_000)
    },
  },
  'after an interim response': {
    sent: request('/'),
    reach: async (client, peer) => {
      await peer.request()
      peer.write('HTTP/1.1 103 Early Hints\r\n\r\n')
      await client.read()
    },
  },
  'after the head, in silence': {
    sent: request('/'),
    reach: async (client, peer) => {
      await peer.request()
      peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      await client.readHead()
    },
  },
  'in the middle of a large body': {
    sent: request('/'),
    reach: async (client, peer) => {
      await peer.request()
      peer.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n')
      peer.write(large)
      await client.arrived(2_000_000)
    },
  },
  'while it does not read a large body': {
    sent: request('/'),
    reach: async (client, peer) => {
      await peer.request()
      client.socket.pause()
      peer.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n')
      peer.write(large)
      await until('bytes to be on their way', () => peer.socket.bytesWritten > 300_000)
    },
  },
  'while both send': {
    sent: upload,
    reach: async (client, peer) => {
      await peer.head()
      peer.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n')
      peer.write(large)
      client.write(large)
      await Promise.all([client.arrived(1_000_000), peer.arrived(1_000_000)])
    },
  },
  'in a tunnel': {
    sent: upgrade,
    reach: async (client, peer) => {
      await peer.head()
      peer.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n')
      await client.read()
      peer.write(large)
      client.write(large)
      await Promise.all([client.arrived(1_000_000), peer.arrived(1_000_000)])
    },
  },
}

const departures: Record<string, (client: RawClient) => void> = {
  'closes its connection': (client) => void client.socket.destroy(),
  'resets it': (client) => client.reset(),
}

async function leave(
  t: ExecutionContext,
  transfer: 'auto' | 'copy',
  { sent, reach }: Stage,
  go: (client: RawClient) => void,
): Promise<void> {
  const upstream = await startUpstream(t, async (peer, index) => {
    if (index === 0) return
    await peer.request()
    peer.write(response())
  })
  const { connect, gateway, get } = await startGateway(t, {
    transfer,
    routes: { '/*': proxy(upstream.url) },
  })
  const client = await connect()
  client.write(sent)
  const peer = await upstream.peer(0)
  await reach(client, peer)
  go(client)
  peer.socket.resume()
  await until('the target to be let go', () => peer.ended)
  await until('the client to be gone', () => gateway.stats().total.connections === 0)
  const { total, upstreams } = gateway.stats()
  t.like(upstreams[0]?.targets[0], { active: 0, connections: 0, failures: 0 })
  t.true(total.pipes.open <= 16, `${total.pipes.open} pipes`)
  t.is((await get('/')).body.toString(), 'ok')
}

for (const [when, stage] of Object.entries(stages)) {
  for (const [how, go] of Object.entries(departures)) {
    testOnBothTwins(`a client ${how} ${when}`, (t, transfer) => leave(t, transfer, stage, go))
  }
}
