// The source of a stream that does not end: a target whose every connection is answered with the
// head that a test wants, and then sent what the test says.

import type { ExecutionContext } from 'ava'
import { type Peer, type ReceivedRequest, startUpstream } from './upstream.ts'
import { until } from './wait.ts'

type Asked = Pick<ReceivedRequest, 'method' | 'target' | 'field'>

/** One request for the stream, on a connection of its own or on one that carried another. */
export interface LiveStream {
  peer: Peer
  asked: Asked
  /** As one chunk. */
  write(bytes: string | Uint8Array): void
  /** The last chunk. */
  end(): void
  /** In the middle of it. */
  break(): void
}

export interface LiveSource {
  url: `http://${string}`
  streams: LiveStream[]
  /** Connections that are open now. */
  open(): number
  /** Waits for the stream to be asked for: the first is 0. */
  stream(index: number): Promise<LiveStream>
}

export interface LiveAnswer {
  status?: string
  type?: string
  fields?: string
  /** Nothing is answered before it is resolved. */
  after?: Promise<void>
}

/** `answer`: of the n-th connection. */
export async function startLiveSource(
  t: ExecutionContext,
  answer: LiveAnswer | ((index: number) => LiveAnswer) = {},
): Promise<LiveSource> {
  const streams: LiveStream[] = []
  const upstream = await startUpstream(t, async (peer) => {
    peer.socket.on('end', () => peer.socket.end())
    for (;;) {
      const asked = await peer.head()
      const chosen = typeof answer === 'function' ? answer(streams.length) : answer
      const { status = '200 OK', type = 'text/event-stream', fields = '', after } = chosen
      const ended = Promise.withResolvers<void>()
      streams.push({
        peer,
        asked,
        write(bytes) {
          const payload = Buffer.from(bytes as string)
          const line = `${payload.length.toString(16)}\r\n`
          peer.write(Buffer.concat([Buffer.from(line), payload, Buffer.from('\r\n')]))
        },
        end() {
          peer.write('0\r\n\r\n')
          ended.resolve()
        },
        break: () => void peer.socket.destroy(),
      })
      await after
      const head = `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\n${fields}`
      const isBodiless = status.startsWith('204')
      peer.write(`${head}${isBodiless ? '' : 'Transfer-Encoding: chunked\r\n'}\r\n`)
      await ended.promise
    }
  })
  const stream = async (index: number) => {
    await until(`stream ${index} to be asked for`, () => streams.length > index)
    return streams[index] as LiveStream
  }
  return { url: upstream.url as LiveSource['url'], streams, open: upstream.open, stream }
}
