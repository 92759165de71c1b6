// Thousands of clients that cost a server memory or attention: idle ones, heads that trickle,
// readers that hardly read, and one that asks for what does not exist. Meanwhile an ordinary client
// is answered, and memory stays within a bound per connection.

import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { RawClient, request } from '../support/client.ts'
import { type Program, runProgram } from '../support/program.ts'
import { makeSite, patternBytes } from '../support/site.ts'

const descriptors = 20_000
const kb = 1024

interface Report {
  rss: number
  connections: number
}

class Served {
  readonly port: number
  readonly #program: Program

  constructor(port: number, program: Program) {
    this.port = port
    this.#program = program
  }

  /** What the process says of itself now: it prints a line for each that it gets. */
  async report(): Promise<Report> {
    this.#program.child.kill('SIGUSR2')
    return JSON.parse(await this.#program.line()) as Report
  }
}

async function serve(t: ExecutionContext, root: string, timeouts: object): Promise<Served> {
  const program = runProgram(
    t,
    `const routes = { '/*': files(${JSON.stringify(root)}) }
     const timeouts = ${JSON.stringify(timeouts)}
     const gateway = await createGateway({ listen: 0, workers: 2, timeouts, routes })
     process.on('SIGUSR2', () => {
       const { connections } = gateway.stats().total
       console.log(JSON.stringify({ rss: process.memoryUsage.rss(), connections }))
     })
     const [{ port }] = await gateway.listen()
     console.log(port)`,
    `-n ${descriptors}`,
  )
  return new Served(Number(await program.line()), program)
}

/** Connects `count` clients from several addresses, so that ports do not run out. */
async function connectMany(t: ExecutionContext, port: number, count: number): Promise<RawClient[]> {
  const clients: RawClient[] = []
  t.teardown(() => {
    for (const { socket } of clients) socket.destroy()
  })
  while (clients.length < count) {
    const batch = Array.from({ length: Math.min(250, count - clients.length) }, (_, n) => {
      const localAddress = `127.0.1.${1 + (n % 50)}`
      return RawClient.connect({ port, host: '127.0.0.1', localAddress })
    })
    clients.push(...(await Promise.all(batch)))
  }
  return clients
}

/** An ordinary client gets what it asks for. */
async function askNormally(t: ExecutionContext, { port }: Served, count: number): Promise<void> {
  const client = await RawClient.connect({ port, host: '127.0.0.1' })
  for (let n = 0; n < count; n++) t.is((await client.ask(request('/page'))).status, 200)
  client.socket.destroy()
}

async function untilConnected(served: Served, count: number): Promise<Report> {
  for (;;) {
    const report = await served.report()
    if (report.connections >= count) return report
    await delay(50)
  }
}

test.serial('10,000 idle connections', async (t) => {
  t.timeout(300_000)
  const site = makeSite(t, { page: 'page' })
  const served = await serve(t, site.root, { idle: '10m', head: '10m' })
  await askNormally(t, served, 1_000)
  const before = await served.report()
  const clients = await connectMany(t, served.port, 10_000)
  for (const client of clients) t.is((await client.ask(request('/page'))).status, 200)
  const after = await untilConnected(served, 10_000)
  await askNormally(t, served, 1_000)
  const each = (after.rss - before.rss) / clients.length
  t.log(`${Math.round(each)} bytes for each`)
  t.true(each < 4 * kb)
})

test.serial('5,000 heads that trickle', async (t) => {
  t.timeout(300_000)
  const site = makeSite(t, { page: 'page' })
  const served = await serve(t, site.root, { head: '10m' })
  await askNormally(t, served, 1_000)
  const before = await served.report()
  const clients = await connectMany(t, served.port, 5_000)
  const head = `GET /page HTTP/1.1\r\nHost: test\r\nA: ${'a'.repeat(2_000)}\r\n`
  for (let at = 0; at < head.length; at += 500) {
    for (const client of clients) client.write(head.slice(at, at + 500))
    await askNormally(t, served, 100)
  }
  const after = await untilConnected(served, 5_000)
  const each = (after.rss - before.rss) / clients.length
  t.log(`${Math.round(each)} bytes for each`)
  t.true(each < 16 * kb)
  for (const client of clients) client.write('\r\n')
  for (const client of clients) t.is((await client.read()).status, 200)
})

test.serial('5,000 readers that hardly read', async (t) => {
  t.timeout(300_000)
  const site = makeSite(t, { page: 'page', big: patternBytes(20_000_000) })
  const served = await serve(t, site.root, { write: '20s' })
  await askNormally(t, served, 1_000)
  const before = await served.report()
  const clients = await connectMany(t, served.port, 5_000)
  for (const client of clients) {
    client.socket.pause()
    client.write(request('/big'))
  }
  await askNormally(t, served, 1_000)
  const after = await untilConnected(served, 5_000)
  const each = (after.rss - before.rss) / clients.length
  t.log(`${Math.round(each)} bytes for each`)
  t.true(each < 4 * kb)
  // They take nothing, so they go.
  for (;;) {
    const { connections } = await served.report()
    if (connections === 0) break
    await delay(200)
  }
  await askNormally(t, served, 100)
})

test.serial('300,000 paths that do not exist, from one address', async (t) => {
  t.timeout(600_000)
  const cold = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`cold-${n}`, `${n}`]))
  const site = makeSite(t, { page: 'page', ...cold })
  const served = await serve(t, site.root, {})
  await askNormally(t, served, 1_000)
  const greedy = await connectMany(t, served.port, 500)
  const askAbsent = (round: number) =>
    Promise.all(
      greedy.map(async (client, c) => {
        for (let n = 0; n < 200; n++) {
          t.is((await client.ask(request(`/missing-${round}-${c}-${n}`))).status, 404)
        }
      }),
    )
  const memory = [(await served.report()).rss]
  const asking = askAbsent(0)
  const other = await RawClient.connect({ port: served.port, host: '127.0.0.1' })
  for (const [name, body] of Object.entries(cold)) {
    t.is((await other.ask(request(`/${name}`))).body.toString(), body)
  }
  other.socket.destroy()
  await asking
  memory.push((await served.report()).rss)
  for (const round of [1, 2]) {
    await askAbsent(round)
    memory.push((await served.report()).rss)
  }
  const growth = memory.slice(1).map((rss, n) => Math.round((rss - (memory[n] ?? 0)) / kb / kb))
  t.log(`${growth.join(', ')} MiB more for each 100,000`)
  // What V8 takes at first depends on what else runs on the machine; it does not go on.
  t.true((growth[0] ?? 0) < 384)
  t.true((growth[2] ?? 0) < 32)
})
