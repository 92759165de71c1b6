// What a crowd that gives nothing does to everybody else: `npm run bench:crowds`. See ../README.md.
//
//   --quick         fewer and shorter rounds
//   --json FILE     the figures, for programs
//   --rounds N      rounds of each crowd, a quiet one before each
//
// One client asks at half the rate that the server can serve; its 99th percentile is told with and
// without the crowd, in turns. Client and crowd share a core that is not the server's; the crowd
// runs there only while the client sleeps: the server's answer to it is of interest.

import type { ChildProcess } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { Client, compile } from '../measuring/client.ts'
import { median } from '../measuring/measure.ts'
import { type Latency, PacedClient } from '../measuring/paced.ts'
import {
  clientCore,
  describeMachine,
  end,
  enterNamespace,
  startIdly,
  startSpinners,
} from '../measuring/quiet.ts'
import { table } from '../measuring/report.ts'
import { commit, type RunningServer, start } from '../measuring/servers.ts'
import { writeSite } from '../static/rows.ts'
import { sluice } from '../static/servers.ts'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    rounds: { type: 'string' },
  },
})

const port = 8300
const rounds = Number(options.rounds ?? (options.quick ? 2 : 5))
const seconds = options.quick ? 1 : 4
const connections = 16

interface CrowdKind {
  name: string
  kind: 'idle' | 'heads' | 'readers'
  count: number
  target: string
}

const crowds: CrowdKind[] = [
  { name: '10,000 idle connections', kind: 'idle', count: 10_000, target: '/1k.bin' },
  { name: '5,000 slow heads', kind: 'heads', count: 5_000, target: '/1k.bin' },
  { name: '5,000 readers of 1 byte/s', kind: 'readers', count: 5_000, target: '/100m.bin' },
]

interface CrowdCount {
  state: 'ready' | 'ended'
  open: number
  opened: number
  ended: number
}

interface Figure {
  crowd: string
  quiet: Latency
  crowded: Latency
  ratio: number
  count: CrowdCount
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`

interface Programs {
  paced: PacedClient
  crowd: string
}

async function measureLatency({ paced }: Programs, rate: number): Promise<Latency> {
  return paced.run(port, get('/1k.bin'), { connections, rate, seconds })
}

/** Resolves when every connection of the crowd is open; what it returns ends it. */
async function gather({ crowd }: Programs, { kind, count, target }: CrowdKind) {
  const args = [String(port), kind, String(count), target]
  const child: ChildProcess = startIdly(clientCore, crowd, args)
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const iterator = lines[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await iterator.next()
    if (done) throw new Error('the crowd ended early: is the limit of open files high enough?')
    return JSON.parse(String(value)) as CrowdCount
  }
  await next()
  return async () => {
    const last = next()
    await end(child)
    return last
  }
}

function medianOf(all: readonly Latency[]): Latency {
  const of = (key: keyof Latency) => median(all.map((one) => one[key]))
  return {
    answers: of('answers'),
    p50: of('p50'),
    p99: of('p99'),
    p999: of('p999'),
    most: of('most'),
  }
}

async function measureCrowd(programs: Programs, crowd: CrowdKind, rate: number): Promise<Figure> {
  const quiet: Latency[] = []
  const crowded: Latency[] = []
  let count: CrowdCount | undefined
  for (let round = 0; round < rounds; round += 1) {
    console.error(`measuring: ${crowd.name}, round ${round + 1} of ${rounds}`)
    quiet.push(await measureLatency(programs, rate))
    const disperse = await gather(programs, crowd)
    crowded.push(await measureLatency(programs, rate))
    count = await disperse()
  }
  if (count === undefined) throw new Error('no rounds')
  const figure = { crowd: crowd.name, quiet: medianOf(quiet), crowded: medianOf(crowded), count }
  return { ...figure, ratio: figure.crowded.p99 / figure.quiet.p99 }
}

async function halfLoad(client: Client, server: RunningServer): Promise<number> {
  const load = await client.run([get('/1k.bin')], connections, server, 2)
  return Math.round(load.answers / load.seconds / 2)
}

function report(rate: number, figures: Figure[]): string {
  const machine = describeMachine()
  const us = (value: number) => `${Math.round(value)} µs`
  const lines = figures.map(({ crowd, quiet, crowded, ratio, count }) => [
    crowd,
    us(quiet.p50),
    us(quiet.p99),
    us(crowded.p50),
    us(crowded.p99),
    ratio.toFixed(2),
    `${count.open.toLocaleString('en')} (${count.ended.toLocaleString('en')})`,
  ])
  const quietHead = ['quiet: median', '99th percentile']
  const crowdedHead = ['with the crowd: median', '99th percentile', 'ratio of the latter']
  const today = new Date().toISOString().slice(0, 10)
  return [
    `${today}, commit ${commit()}, Node ${process.version}.`,
    `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}; load: ${machine.load}.`,
    `${rate.toLocaleString('en')} requests/s of 1 KiB on ${connections} connections.`,
    '',
    table(['', ...quietHead, ...crowdedHead, 'open at the end (ended by the server)'], lines),
  ].join('\n')
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  try {
    chmodSync(folder, 0o755)
    const site = join(folder, 'site')
    writeSite(site)
    const client = new Client(folder)
    const programs = {
      paced: new PacedClient(folder),
      crowd: compile(new URL('crowd.cc', import.meta.url), folder),
    }
    const server = await start(sluice('sluice'), { site, folder, port })
    const stopSpinners = startSpinners()
    const figures: Figure[] = []
    try {
      const rate = await halfLoad(client, server)
      for (const crowd of crowds) figures.push(await measureCrowd(programs, crowd, rate))
      console.log(report(rate, figures))
      if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(figures, null, 2))
    } finally {
      stopSpinners()
      await server.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const code = await enterNamespace()
if (code === undefined) await main()
process.exit(code ?? 0)
