// Proxying, side by side with nginx and HAProxy: `npm run bench:proxy`. See ../README.md.
//
//   --quick         fewer and shorter rounds, fewer idle connections
//   --json FILE     the figures, for programs
//   --with FILE     figures of an earlier run that are to stand in the same report
//   --only TEXT     only rows whose name contains TEXT ('idle': only those figures; 'mirror':
//                   what mirrors cost, which only this asks for)
//   --servers TEXT  only proxies whose name contains TEXT
//   --thresholds    copying and splicing against each other, by size

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { ask, Client, compile, runClient } from '../measuring/client.ts'
import { type IdleFigure, measureIdle } from '../measuring/idle.ts'
import { addCalls, type Drive, type Figure, measureRow } from '../measuring/measure.ts'
import { cpuTime } from '../measuring/process-tree.ts'
import { clientCore, describeMachine, enterNamespace, startSpinners } from '../measuring/quiet.ts'
import { markdown, type Report } from '../measuring/report.ts'
import { commit, installed, type RunningServer, start, versionsOf } from '../measuring/servers.ts'
import { mirrorReport } from './mirrors.ts'
import { messageBytes, type Row, requestOf, rows, thresholdRows } from './rows.ts'
import { engines, originKind, type ProxyKind, proxies, reference } from './servers.ts'
import { targetTable } from './targets.ts'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    with: { type: 'string', multiple: true, default: [] },
    only: { type: 'string', default: '' },
    servers: { type: 'string', default: '' },
    thresholds: { type: 'boolean', default: false },
  },
})

const firstPort = 8200
const originPort = 8199
const effort = options.quick ? { rounds: 3, seconds: 0.4 } : { rounds: 7, seconds: 0.5 }
const idleEffort = options.quick
  ? { connections: 2_000, seconds: 1 }
  : { connections: 10_000, seconds: 5 }

interface Workplace {
  folder: string
  client: Client
  /** The program tunnels.cc. */
  tunnels: string
  origin: RunningServer
}

/** The origin works on the client's core: its CPU time is told together with the client's. */
function driver({ client, tunnels, origin }: Workplace): Drive<Row> {
  return async (row, server, seconds) => {
    const before = cpuTime(origin.pid).usedNs
    const { work, connections } = row
    const load =
      work.kind === 'tunnel'
        ? await runClient(tunnels, [
            ...[server.port, connections, seconds, work.protocol, messageBytes].map(String),
          ])
        : await client.run([requestOf(row, server.port)], connections, server, seconds)
    return { ...load, cpu: load.cpu + (cpuTime(origin.pid).usedNs - before) / 1e9 }
  }
}

/** Throws unless what comes through the proxy is what the origin sends. */
async function verify(server: RunningServer): Promise<void> {
  for (const bytes of [0, 1024, 128 * 1024, 5_000_000]) {
    const path = `/bytes/${bytes}`
    const [direct, proxied] = await Promise.all(
      [originPort, server.port].map(async (port) => buffer(await ask(port, path))),
    )
    if (direct?.length === bytes && proxied?.equals(direct)) continue
    throw new Error(`${server.name} answers ${path} with other bytes than the origin`)
  }
}

async function measureLoad(
  workplace: Workplace,
  kinds: readonly ProxyKind[],
  wanted: readonly Row[],
): Promise<Figure[]> {
  const { folder } = workplace
  const drive = driver(workplace)
  const starting = kinds.map((kind, index) =>
    start(kind, { origin: originPort, folder, port: firstPort + index }),
  )
  const servers = await Promise.all(starting)
  const figures: Figure[] = []
  const base = servers.some(({ name }) => name === reference) ? reference : servers[0]?.name
  try {
    for (const server of servers) await verify(server)
    const stopSpinners = startSpinners()
    for (const row of wanted) {
      console.error(`measuring: ${row.name}`)
      figures.push(...(await measureRow(drive, row, servers, effort, base)))
    }
    stopSpinners()
    if (!options.thresholds) await addCalls(drive, wanted, servers, figures, folder)
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
  return figures
}

async function measureIdleness(
  workplace: Workplace,
  kinds: readonly ProxyKind[],
): Promise<IdleFigure[]> {
  const [row] = rows
  if (row === undefined) return []
  const drive = driver(workplace)
  const figures: IdleFigure[] = []
  for (const [index, kind] of kinds.entries()) {
    console.error(`measuring: ${kind.name}, idle`)
    const place = { origin: originPort, folder: workplace.folder, port: firstPort + 50 + index }
    const warmUp = (server: RunningServer) => drive(row, server, 0.3)
    figures.push(await measureIdle(kind, place, idleEffort, requestOf(row, place.port), warmUp))
  }
  return figures
}

/** Earlier figures come first, in the order in which their files are named. */
function joinedWith(earlier: readonly Report[], report: Report): Report {
  return {
    ...report,
    figures: [...earlier.flatMap(({ figures }) => figures), ...report.figures],
    idle: [...earlier.flatMap(({ idle }) => idle), ...report.idle],
  }
}

async function measure(workplace: Workplace): Promise<Report> {
  const machine = describeMachine()
  const all = options.thresholds ? engines : installed(proxies)
  const kinds = all.filter(({ name }) => name.includes(options.servers))
  const wanted = (options.thresholds ? thresholdRows : rows).filter(({ name }) =>
    name.includes(options.only),
  )
  const figures = wanted.length > 0 ? await measureLoad(workplace, kinds, wanted) : []
  const isIdleWanted = !options.thresholds && 'idle'.includes(options.only)
  return {
    commit: commit(),
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
    servers: versionsOf(kinds),
    reference: options.thresholds ? kinds[0]?.name : reference,
    figures,
    idle: isIdleWanted ? await measureIdleness(workplace, kinds) : [],
    machine,
  }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  chmodSync(folder, 0o755)
  const program = (name: string) => compile(new URL(`${name}.cc`, import.meta.url), folder)
  const kind = originKind(program('origin'))
  const origin = await start(kind, { folder, port: originPort }, clientCore)
  const workplace = { folder, client: new Client(folder), tunnels: program('tunnels'), origin }
  const earlier = options.with.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Report)
  try {
    if (options.only === 'mirror') {
      const place = { folder, origin: originPort, firstPort: firstPort + 100 }
      console.log(await mirrorReport(place, driver(workplace)))
      return
    }
    const report = joinedWith(earlier, await measure(workplace))
    if (!options.thresholds) console.log(`${targetTable(report)}\n`)
    console.log(markdown(report))
    if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(report, null, 2))
  } finally {
    await origin.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

process.exitCode = await enterNamespace()
if (process.exitCode === undefined) await main()
