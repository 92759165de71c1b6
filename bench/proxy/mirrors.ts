// What a mirror does to the requests that it gets copies of: CPU time at full load, median time and
// CPU time at half load, of gateways that differ only in their mirror, in one run.
// `npm run bench:proxy -- --only mirror`

import { fileURLToPath } from 'node:url'
import { type Drive, measureRow, median } from '../measuring/measure.ts'
import { PacedClient } from '../measuring/paced.ts'
import { cpuTime } from '../measuring/process-tree.ts'
import { clientCore, end, startOn, startSpinners } from '../measuring/quiet.ts'
import { table } from '../measuring/report.ts'
import { type RunningServer, start } from '../measuring/servers.ts'
import { type Row, requestOf, rows } from './rows.ts'
import { sluice } from './servers.ts'

export interface MirrorPlace {
  folder: string
  /** Where origin.cc listens, and from which port on gateways and mirrors may. */
  origin: number
  firstPort: number
}

const none = 'no mirror'
const deadPort = 8390
const badPorts = { silent: 8391, resetting: 8392, 'a byte a second': 8393 }
const effort = { rounds: 5, seconds: 0.4 }
const pace = { connections: 32, seconds: 1 }
/** Until bad mirrors have failed often enough to be ejected. */
const settleSeconds = 2.5

const wanted = rows.filter(({ name }) => name === '1 KiB' || name.startsWith('upload'))

interface Paced {
  p50: number
  /** Microseconds of CPU time for an answer. */
  cpu: number
}

/** `base`: of the same round, without a mirror. */
interface HalfLoad {
  p50: number[]
  cpu: number[]
}

async function runPaced(client: PacedClient, server: RunningServer, rate: number): Promise<Paced> {
  const [row] = wanted
  const request = row ? requestOf(row, server.port) : ''
  const before = cpuTime(server.pid).usedNs
  const { p50, answers } = await client.run(server.port, request, { ...pace, rate })
  return { p50, cpu: (cpuTime(server.pid).usedNs - before) / 1e3 / answers }
}

/** Requests of 1 KiB at a fixed rate; every gateway has its turn in every round. */
async function measureHalfLoad(
  { folder }: MirrorPlace,
  servers: readonly RunningServer[],
  rate: number,
): Promise<Map<string, HalfLoad>> {
  const client = new PacedClient(folder)
  const found = new Map(servers.map(({ name }) => [name, { p50: [], cpu: [] } as HalfLoad]))
  for (let round = 0; round < effort.rounds; round += 1) {
    for (let index = 0; index < servers.length; index += 1) {
      const server = servers[(index + round) % servers.length]
      if (server === undefined) continue
      const { p50, cpu } = await runPaced(client, server, rate)
      found.get(server.name)?.p50.push(p50)
      found.get(server.name)?.cpu.push(cpu)
    }
  }
  return found
}

/** Median of the ratios within a round. */
function shown(own: number[], base: number[], digits: number): string {
  const ratio = median(own.map((value, round) => value / (base[round] ?? value)))
  return `${median(own).toFixed(digits)} µs (${ratio.toFixed(2)})`
}

function pacedTable(found: Map<string, HalfLoad>, rate: number): string {
  const base = found.get(none) ?? { p50: [], cpu: [] }
  const lines = [...found].map(([name, { p50, cpu }]) => [
    name,
    shown(p50, base.p50, 0),
    shown(cpu, base.cpu, 1),
  ])
  const title = `At half load, ${Math.round(rate).toLocaleString('en')} requests/s of 1 KiB`
  return `${title}:\n\n${table(['mirror', 'median time', 'CPU time'], lines)}`
}

async function startGateways({ folder, origin, firstPort }: MirrorPlace): Promise<RunningServer[]> {
  const urls: Record<string, number | undefined> = {
    [none]: undefined,
    dead: deadPort,
    ...badPorts,
    'as it should be': origin,
  }
  const kinds = Object.entries(urls).map(([name, port]) => {
    const mirror = port && { target: `http://127.0.0.1:${port}`, timeout: '500ms' }
    return sluice(name, {}, mirror ? { mirror } : {})
  })
  const starting = kinds.map((kind, at) => start(kind, { origin, folder, port: firstPort + at }))
  return Promise.all(starting)
}

/** The tables, as text. */
export async function mirrorReport(place: MirrorPlace, drive: Drive<Row>): Promise<string> {
  const script = fileURLToPath(new URL('bad-mirrors.ts', import.meta.url))
  const ports = Object.values(badPorts).map(String)
  const mirrors = startOn(clientCore, process.execPath, [script, ...ports])
  const servers = await startGateways(place)
  const parts: string[] = []
  const stopSpinners = startSpinners()
  try {
    let rate = 0
    for (const row of wanted) {
      for (const server of servers) await drive(row, server, settleSeconds / 2)
      const figures = await measureRow(drive, row, servers, effort, none)
      const lines = figures.map(({ server, cpu, unit, ratio, requestsPerSecond }) => [
        server,
        `${cpu.toFixed(unit === 'µs' ? 2 : 3)} ${unit}`,
        ratio.toFixed(2),
        Math.round(requestsPerSecond).toLocaleString('en'),
      ])
      parts.push(`${row.name}:\n\n${table(['mirror', 'CPU time', 'ratio', 'requests/s'], lines)}`)
      if (rate === 0) rate = (figures[0]?.requestsPerSecond ?? 0) / 2
    }
    parts.push(pacedTable(await measureHalfLoad(place, servers, rate), rate))
  } finally {
    stopSpinners()
    await Promise.all(servers.map((server) => server.stop()))
    await end(mirrors)
  }
  return parts.join('\n\n')
}
