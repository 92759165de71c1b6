// A crowd that is relayed one stream: every byte to every client in order, from one connection to
// the source, beside a client that takes a byte a second. Gateway and clients have processes of
// their own; the source is here.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import type { RelayStats } from '../../src/telemetry/relay-stats.ts'
import type { CrowdReport } from './crowd-clients.ts'
import type { TransferMode } from './gateway.ts'
import { type LiveStream, startLiveSource } from './live-source.ts'
import { type Program, runProgram } from './program.ts'
import { until } from './wait.ts'

export interface CrowdTest {
  transfer: TransferMode
  clients: number
  as: 'sse' | 'raw'
  pattern: Buffer
  /** Bytes of the whole stream, and of it in a second. */
  total: number
  rate: number
  patienceMs: number
}

/** Clients in one process. */
const perProcess = 250
/** The source writes so often. */
const tickMs = 50

class Crowd {
  readonly #children: ChildProcess[] = []

  constructor(t: ExecutionContext, port: number, { clients, pattern }: CrowdTest) {
    for (let left = clients; left > 0; left -= perProcess) {
      const child = fork(fileURLToPath(new URL('crowd-clients.ts', import.meta.url)))
      t.teardown(() => void child.kill('SIGKILL'))
      const count = Math.min(left, perProcess)
      child.send({ port, target: '/live', count, pattern: pattern.toString('base64') })
      this.#children.push(child)
    }
  }

  async report(): Promise<CrowdReport> {
    const reports = this.#children.map(async (child) => {
      const answer = once(child, 'message')
      child.send('report')
      return (await answer)[0] as CrowdReport
    })
    return (await Promise.all(reports)).reduce((one, other) => ({
      joined: one.joined + other.joined,
      least: Math.min(one.least, other.least),
      most: Math.max(one.most, other.most),
      wrong: one.wrong + other.wrong,
      ended: one.ended + other.ended,
    }))
  }
}

/** A client that takes a byte a second; how many it has. */
function trickle(t: ExecutionContext, port: number): () => number {
  let taken = 0
  const callback = () => {
    taken += 1
    return false
  }
  const buffer = Buffer.alloc(1)
  const socket = connect({ port, host: '127.0.0.1', onread: { buffer, callback } })
  socket.on('error', () => {})
  socket.write('GET /live HTTP/1.0\r\nHost: slow\r\n\r\n')
  const timer = setInterval(() => socket.resume(), 1_000)
  t.teardown(() => {
    clearInterval(timer)
    socket.destroy()
  })
  return () => taken
}

/** Writes `total` bytes of the repeated pattern, `rate` a second. */
async function pour(stream: LiveStream, { pattern, total, rate }: CrowdTest): Promise<void> {
  const began = Date.now()
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.ceil(((Date.now() - began + tickMs) / 1_000) * rate))
    while (sent < due) {
      const at = sent % pattern.length
      const piece = pattern.subarray(at, at + Math.min(pattern.length - at, due - sent))
      stream.write(piece)
      sent += piece.length
    }
    await delay(tickMs)
  }
}

async function startGatewayProcess(
  t: ExecutionContext,
  { transfer, as }: CrowdTest,
  source: string,
): Promise<{ program: Program; port: number }> {
  // A comment in a silence would be no part of the stream.
  const form = as === 'sse' ? 'heartbeat: 0' : "as: 'raw'"
  const program = runProgram(
    t,
    `const live = relay('${source}', { ${form}, buffer: '64mb' })
     const routes = { '/live': live }
     const config = { listen: 0, workers: 2, transfer: '${transfer}', routes }
     const gateway = await createGateway(config)
     process.on('SIGUSR2', () => console.log(JSON.stringify(gateway.stats().relays[0])))
     const [{ port }] = await gateway.listen()
     console.log(port)`,
    '-n 4096',
  )
  return { program, port: Number(await program.line()) }
}

/** What the gateway has counted at the end. */
export async function relayToCrowd(t: ExecutionContext, test: CrowdTest): Promise<RelayStats> {
  const patience = { patienceMs: test.patienceMs }
  const type = test.as === 'sse' ? 'text/event-stream' : 'video/mp2t'
  const source = await startLiveSource(t, { type })
  const { program, port } = await startGatewayProcess(t, test, source.url)
  const slow = trickle(t, port)
  const crowd = new Crowd(t, port, test)
  const isThere = async () => (await crowd.report()).joined === test.clients
  await until('the crowd to be there', isThere, patience)
  t.is(source.streams.length, 1)
  await pour(await source.stream(0), test)
  const hasAll = async () => (await crowd.report()).least >= test.total
  await until('every byte to be everywhere', hasAll, patience)
  t.deepEqual(await crowd.report(), {
    joined: test.clients,
    least: test.total,
    most: test.total,
    wrong: 0,
    ended: 0,
  })
  t.is(source.streams.length, 1)
  t.true(slow() < test.total)
  program.child.kill('SIGUSR2')
  const counted = JSON.parse(await program.line()) as RelayStats
  t.like(counted, { connections: 1, opened: 1, reconnects: 0 })
  return counted
}

/** Events of many sizes, one after the other. */
export function eventPattern(count: number): Buffer {
  const events = Array.from({ length: count }, (_, n) => {
    const data = 'abcdefghij'.repeat(1 + (n % 40))
    return `id: ${n}\ndata: ${data}\n\n`
  })
  return Buffer.from(events.join(''))
}
