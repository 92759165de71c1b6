// The response parser against that of node:http, through real sockets, on mutated responses: what
// the proxy passes on, node:http understands as well, with the same status and body. The other way
// round the proxy may be stricter.

import { get, type IncomingMessage } from 'node:http'
import test from 'ava'
import { proxy } from '../../src/index.ts'
import { startGateway } from '../support/gateway.ts'
import { Random } from '../support/random.ts'
import { startUpstream } from '../support/upstream.ts'

/** What a client made of a response. */
interface Outcome {
  status: number | 'refused'
  /** Undefined when bytes that follow the response were a fault before its body was handed out. */
  body?: string
}

async function outcomeOf(port: number, path: string): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  let complete: IncomingMessage | undefined
  const refuse = () =>
    resolve({ status: complete?.complete ? (complete.statusCode ?? 0) : 'refused' })
  const asked = get({ port, path, host: '127.0.0.1', agent: false }, (response) => {
    complete = response
    const parts: Buffer[] = []
    response.on('data', (part: Buffer) => parts.push(part))
    response.on('error', refuse)
    response.on('end', () => {
      const body = Buffer.concat(parts).toString('latin1')
      resolve(
        response.complete ? { status: response.statusCode ?? 0, body } : { status: 'refused' },
      )
    })
  })
  asked.on('error', refuse)
  asked.on('upgrade', (_response, socket) => {
    socket.destroy()
    refuse()
  })
  return promise.finally(() => asked.destroy())
}

/** Whether a proxied response is one that node:http got as well. */
function agree(proxied: Outcome, direct: Outcome): boolean {
  if (proxied.status !== direct.status) return false
  return direct.body === undefined || proxied.body === direct.body
}

const bases = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: x\r\n\r\nhello',
  'HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
  'HTTP/1.0 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nuntil the end',
  'HTTP/1.1 204 No Content\r\nETag: "a"\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nConnection: close, x\r\nKeep-Alive: timeout=5\r\nX: y\r\n\r\nbody',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n',
]
const pieces = [
  '\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  '\0',
  ':',
  ',',
  '0',
  '9',
  '\xe9',
  'Content-Length: 3\r\n',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip\r\n',
  'Connection: close\r\n',
  ' folded\r\n',
  'chunked',
  ', chunked',
  'HTTP/1.1 ',
  'HTTP/1.0 ',
]

function mutated(random: Random): string {
  let text = random.pick(bases)
  for (let left = 1 + random.below(3); left > 0; left -= 1) {
    const at = random.below(text.length)
    const taken = random.below(4) === 0 ? random.below(12) : random.below(2)
    const put = random.oneIn(3) ? '' : random.pick(pieces)
    text = text.slice(0, at) + put + text.slice(at + taken)
  }
  return text
}

test('what the proxy passes on, node:http reads alike', async (t) => {
  const random = new Random(4)
  const responses = [...bases, ...Array.from({ length: 600 }, () => mutated(random))]
  const upstream = await startUpstream(t, async (peer) => {
    const { target } = await peer.head()
    peer.socket.end(Buffer.from(responses[Number(target.slice(1))] ?? '', 'latin1'))
  })
  const { port } = await startGateway(t, {
    upstreams: { odd: { targets: [upstream.url], ejection: false } },
    routes: { '/*': proxy('odd', { retry: false }) },
  })
  let accepted = 0
  let refused = 0
  let stricter = 0
  for (const [index, text] of responses.entries()) {
    const direct = await outcomeOf(upstream.port, `/${index}`)
    const proxied = await outcomeOf(port, `/${index}`)
    if (proxied.status === 'refused' || proxied.status === 502) {
      if (direct.status === 'refused') refused += 1
      else stricter += 1
      if (index < bases.length) t.fail(`refused: ${JSON.stringify(text)}`)
    } else {
      t.true(agree(proxied, direct), JSON.stringify({ text, proxied, direct }))
      accepted += 1
    }
  }
  t.log({ accepted, refused, stricter })
  t.true(accepted > 100)
  t.true(refused > 100)
})
