// Bodies on their way through the proxy: what has come goes on at once, in both directions, and the
// slower side sets the pace.

import { proxy } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { patternBytes } from '../support/site.ts'
import { response, startUpstream } from '../support/upstream.ts'
import { until } from '../support/wait.ts'

testOnBothTwins('events and chunks of an endless response arrive at once', async (t, transfer) => {
  const upstream = await startUpstream(t, async (peer) => {
    await peer.request()
    peer.write(
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
  })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  client.write(request('/'))
  t.is((await client.readHead()).field('content-type'), 'text/event-stream')
  const peer = await upstream.peer(0)
  // Each one is only sent after the one before has arrived.
  for (let n = 0; n < 50; n++) {
    const event = `data: ${n}\n\n`
    peer.write(`${event.length.toString(16)}\r\n${event}\r\n`)
    t.true((await client.takeUntil('\n\n\r\n')).toString().includes(event))
  }
})

testOnBothTwins('parts of a chunk arrive before the chunk is complete', async (t, transfer) => {
  const upstream = await startUpstream(t, async (peer) => {
    await peer.request()
    peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n')
  })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  client.write(request('/'))
  await client.readHead()
  const peer = await upstream.peer(0)
  for (let n = 0; n < 20; n++) {
    peer.write(`part ${n};`)
    t.true((await client.takeUntil(`part ${n};`)).length > 0)
  }
})

testOnBothTwins('what has come of a long answer goes on at once', async (t, transfer) => {
  const body = patternBytes(1024 * 1024)
  const upstream = await startUpstream(t)
  const { connect } = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  // From the second answer of a connection on, its likes are expected: less comes with the head.
  for (const first of [1, 10_000, 100_000, 300_000]) {
    client.write(request('/'))
    const peer = await upstream.peer(0)
    await peer.request()
    const answer = response(body)
    const head = answer.length - body.length
    peer.write(answer.subarray(0, head + first))
    await client.readHead()
    t.true((await client.takeBytes(first)).equals(body.subarray(0, first)))
    peer.write(answer.subarray(head + first))
    t.true((await client.takeBytes(body.length - first)).equals(body.subarray(first)))
  }
  t.is(upstream.peers.length, 1)
})

testOnBothTwins('the body of an upload arrives at the target as it comes', async (t, transfer) => {
  const upstream = await startUpstream(t)
  const { connect } = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  client.write(request('/', { 'Content-Length': '1000000' }, 'POST'))
  const peer = await upstream.peer(0)
  await peer.head()
  for (let n = 0; n < 20; n++) {
    client.write(`part ${n};`)
    t.true((await peer.takeUntil(`part ${n};`)).length > 0)
  }
})

testOnBothTwins(
  'a client that reads slowly holds the target up, not memory',
  async (t, transfer) => {
    const size = 64 * 1024 * 1024
    const part = patternBytes(64 * 1024)
    let written = 0
    const upstream = await startUpstream(t, async (peer) => {
      await peer.request()
      peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`)
      while (written < size && !peer.ended) {
        written += part.length
        if (!peer.socket.write(part))
          await new Promise((resolve) => peer.socket.once('drain', resolve))
      }
    })
    const { connect, gateway } = await startGateway(t, {
      transfer,
      routes: { '/*': proxy(upstream.url) },
    })
    const client = await connect()
    client.write(request('/'))
    await client.readHead()
    client.socket.pause()
    let before = -1
    await until('the target to be stopped', async () => {
      const stopped = written === before && written > 0
      before = written
      await new Promise((resolve) => setTimeout(resolve, 50))
      return stopped
    })
    t.true(written < size / 2, `${written} bytes`)
    await until('a gateway that waits for its client and does not spin', async () => {
      const { turns } = gateway.stats().total
      await new Promise((resolve) => setTimeout(resolve, 100))
      return gateway.stats().total.turns - turns < 10
    })
    client.socket.resume()
    let received = client.drop()
    await until('the whole body', () => {
      received += client.drop()
      return received >= size
    })
    t.is(received, size)
  },
)

testOnBothTwins('a target that reads slowly holds the client up', async (t, transfer) => {
  const size = 64 * 1024 * 1024
  const upstream = await startUpstream(t, async (peer) => {
    await peer.head()
    peer.socket.pause()
  })
  const { connect } = await startGateway(t, { transfer, routes: { '/*': proxy(upstream.url) } })
  const client = await connect()
  client.write(request('/', { 'Content-Length': String(size) }, 'POST'))
  const peer = await upstream.peer(0)
  await until('the target to be paused', () => peer.socket.isPaused())
  client.socket.write(Buffer.alloc(size))
  let before = -1
  await until('the client to be stopped', async () => {
    const { bytesWritten, writableLength } = client.socket
    const gone = bytesWritten - writableLength
    const stopped = gone === before
    before = gone
    await new Promise((resolve) => setTimeout(resolve, 50))
    return stopped
  })
  t.true(client.socket.writableLength > 0)
  peer.socket.resume()
  let received = peer.drop()
  await until('the whole body', () => {
    received += peer.drop()
    return received >= size
  })
  t.is(received, size)
  peer.write(response())
  t.is((await client.read()).status, 200)
})
