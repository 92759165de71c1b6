// Many requests and tunnels through a gateway in a process of its own, with targets that fail and
// clients that leave at random; then what the process still holds: descriptors, pipes, connections,
// memory. Seeded: the same requests in every run, though not at the same moments.

import { readdirSync, readFileSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { loadAddon } from '../../src/native/addon.ts'
import type { GatewayStats } from '../../src/telemetry/stats.ts'
import { RawClient, request } from './client.ts'
import type { TransferMode } from './gateway.ts'
import { runProgram } from './program.ts'
import { Random } from './random.ts'
import { patternBytes } from './site.ts'
import { chunked, type Peer, response, startUpstream } from './upstream.ts'
import { until } from './wait.ts'

export interface Soak {
  transfer: TransferMode
  requests: number
  tunnels: number
  clients: number
}

/** A gateway in a process of its own, and what it holds. */
export interface RunningProxy {
  port: number
  stats(): Promise<GatewayStats>
  descriptors(): number
  /** Resident memory in bytes. */
  memory(): number
}

const content = patternBytes(400_000)

export async function startProxy(
  t: ExecutionContext,
  url: string,
  transfer: TransferMode,
): Promise<RunningProxy> {
  const { line, child } = runProgram(
    t,
    `const routes = { '/*': proxy('${url}', { retry: false, ejection: false }) }
     const logger = { debug() {}, info() {}, warn() {}, error: console.error }
     const config = { listen: 0, workers: 2, transfer: '${transfer}', routes }
     const gateway = await createGateway(config, { logger })
     const [{ port }] = await gateway.listen()
     process.on('SIGUSR2', () => console.log(JSON.stringify(gateway.stats())))
     console.log(port)`,
  )
  const port = Number(await line())
  const stats = async () => {
    child.kill('SIGUSR2')
    return JSON.parse(await line()) as GatewayStats
  }
  const memory = () => {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
  }
  return { port, stats, memory, descriptors: () => readdirSync(`/proc/${child.pid}/fd`).length }
}

/** Answers as the path says: /how/size. */
async function answer(peer: Peer): Promise<void> {
  for (;;) {
    const head = await peer.head()
    const [, how, digits] = head.target.split('/')
    const bytes = content.subarray(0, Number(digits))
    const chunkedHead = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
    if (how === 'deaf') return peer.reset()
    await peer.body(head)
    if (how === 'tunnel') return echo(peer)
    if (how === 'silent') return
    if (how === 'chunked')
      peer.write(Buffer.concat([Buffer.from(chunkedHead), chunked(bytes, 7000)]))
    if (how === 'length') peer.write(response(bytes))
    if (how === 'cut') return void peer.socket.end(response(content).subarray(0, bytes.length))
    if (how === 'reset') {
      peer.write(response(content).subarray(0, bytes.length))
      return peer.reset()
    }
    if (how === 'close') return void peer.socket.end(`HTTP/1.1 200 OK\r\n\r\n${bytes.length}`)
    if (how === 'wrong') peer.write('HTTP/1.1 200 OK\nX\r\n\r\n')
  }
}

function echo(peer: Peer): void {
  peer.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n')
  peer.socket.pipe(peer.socket)
}

const kinds = ['length', 'length', 'chunked', 'chunked', 'close', 'cut', 'reset', 'wrong', 'deaf']

class Traffic {
  readonly #port: number
  readonly #random = new Random(20)
  #client: RawClient | undefined
  completed = 0

  constructor(port: number) {
    this.#port = port
  }

  /** A connection, often one that served before. */
  async #connect(): Promise<RawClient> {
    const kept = this.#client
    this.#client = undefined
    if (kept !== undefined && !kept.ended) return kept
    return RawClient.connect({ port: this.#port })
  }

  async #leave(client: RawClient): Promise<void> {
    const turns = this.#random.below(6)
    for (let n = 0; n < turns; n++) await nextTurn()
    if (this.#random.below(2) === 0) client.reset()
    else client.socket.destroy()
  }

  async request(): Promise<void> {
    const random = this.#random
    const leaves = random.below(4) === 0
    const how = leaves && random.below(4) === 0 ? 'silent' : kinds[random.below(kinds.length)]
    const size = random.below(random.below(3) === 0 ? content.length : 3_000)
    const upload = random.below(3) === 0 ? random.below(content.length) : 0
    const client = await this.#connect()
    const fields = upload > 0 ? { 'Content-Length': String(upload) } : {}
    client.write(request(`/${how}/${size}`, fields as never, upload > 0 ? 'POST' : 'GET'))
    client.write(content.subarray(0, upload))
    if (leaves) return this.#leave(client)
    try {
      const { status, body, field } = await client.read()
      if (how === 'length' || how === 'chunked') {
        if (status !== 200 || !body.equals(content.subarray(0, size))) {
          throw new Error(`wrong answer to ${how} ${size}: ${status}, ${body.length} bytes`)
        }
        this.completed += 1
      }
      if (!client.ended && field('connection') !== 'close') this.#client = client
      else client.socket.destroy()
    } catch (error) {
      client.socket.destroy()
      if (how === 'length' || how === 'chunked') throw error
    }
  }

  async tunnel(): Promise<void> {
    const client = await RawClient.connect({ port: this.#port })
    client.write(request('/tunnel/0', { Connection: 'upgrade', Upgrade: 'echo' }))
    await client.read()
    const bytes = content.subarray(0, this.#random.below(content.length))
    client.write(bytes)
    if (this.#random.below(2) === 0) return this.#leave(client)
    const back = await client.takeBytes(bytes.length)
    if (!back.equals(bytes)) throw new Error('a tunnel changed what went through')
    this.completed += 1
    client.socket.destroy()
  }

  end(): void {
    this.#client?.socket.destroy()
  }
}

/** Sends so many requests and tunnels; returns how many were to succeed and did. */
async function send(port: number, { requests, tunnels, clients }: Soak): Promise<number> {
  let left = requests
  let tunnelsLeft = tunnels
  const work = Array.from({ length: clients }, async () => {
    const traffic = new Traffic(port)
    while (left > 0 || tunnelsLeft > 0) {
      if (left-- > 0) await traffic.request()
      if (tunnelsLeft-- > 0) await traffic.tunnel()
    }
    traffic.end()
    return traffic.completed
  })
  return (await Promise.all(work)).reduce((sum, count) => sum + count, 0)
}

/** Nothing is under way and only idle connections are left, whose time is short. */
async function settle(running: RunningProxy): Promise<GatewayStats> {
  await until('everything to be over', async () => {
    const { total, upstreams } = await running.stats()
    const target = upstreams[0]?.targets[0]
    return total.connections === 0 && target?.active === 0 && target.connections === 0
  })
  return running.stats()
}

/** Bytes that AddressSanitizer keeps from being used again (quarantine_size_mb). */
function heldBack(): number {
  return loadAddon().buildKind === 'asan' ? 256 * 1024 * 1024 : 0
}

export async function soak(t: ExecutionContext, plan: Soak): Promise<void> {
  const upstream = await startUpstream(t, answer, { forgets: true })
  const running = await startProxy(t, upstream.url, plan.transfer)
  // What is made once (tables, pools, arenas) is there afterwards.
  await send(running.port, { ...plan, requests: 500, tunnels: 40 })
  await settle(running)
  const descriptors = running.descriptors()
  const memory = running.memory()
  const completed = await send(running.port, plan)
  t.true(completed > (plan.requests + plan.tunnels) / 5, `${completed} completed`)
  const { total } = await settle(running)
  // Idle pipes are kept: two descriptors each, at most 16 for each worker.
  t.true(total.pipes.open <= 2 * 16, `${total.pipes.open} pipes`)
  t.true(running.descriptors() <= descriptors + 2 * 2 * 16, `${running.descriptors()} descriptors`)
  const growth = running.memory() - memory
  t.true(growth < 32 * 1024 * 1024 + heldBack(), `${Math.round(growth / 1024)} KiB more`)
  t.is((total.engines.splice?.bytes ?? 0) > 0, plan.transfer === 'auto')
}
