// Static files, side by side with other servers: `npm run bench:static`. See ../README.md.
//
//   --quick         fewer and shorter rounds, fewer idle connections
//   --json FILE     the figures, for programs
//   --only TEXT     only rows whose name contains TEXT ('idle': only those figures)
//   --thresholds    the transfer engines against each other, by size
//   --workers       two workers beside one, client and all on both cores, small and larger files
//   --access-log    without and with an access log in a file, small files

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client, compile } from '../measuring/client.ts'
import { type IdleFigure, measureIdle } from '../measuring/idle.ts'
import { addCalls, type Drive, type Figure, measureRow } from '../measuring/measure.ts'
import { describeMachine, enterNamespace, startSpinners, touchMemory } from '../measuring/quiet.ts'
import { markdown, type Report } from '../measuring/report.ts'
import {
  commit,
  installed,
  type RunningServer,
  type ServerKind,
  start,
  versionsOf,
} from '../measuring/servers.ts'
import { type Row, requestsOf, rows, serversOf, thresholdRows, writeSite } from './rows.ts'
import { floor, peers, referenceOf, type StaticPlace, sluice } from './servers.ts'
import { etagOf, verifyAll } from './verify.ts'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string', default: '' },
    thresholds: { type: 'boolean', default: false },
    workers: { type: 'boolean', default: false },
    'access-log': { type: 'boolean', default: false },
  },
})

const firstPort = 8100
const effort = options.quick ? { rounds: 3, seconds: 0.5 } : { rounds: 7, seconds: 1 }
const idleEffort = options.quick
  ? { connections: 2_000, seconds: 3 }
  : { connections: 10_000, seconds: 10 }

/** The engines as servers: files held in memory, sent by sendfile, read and sent. */
const engines: ServerKind<StaticPlace>[] = [
  sluice('memory', { transfer: { memoryBytes: 2 ** 20 } }),
  sluice('sendfile', { transfer: { memoryBytes: 0 } }),
  sluice('copy', { transfer: { mode: 'copy', memoryBytes: 0 } }),
]

/** The log lies beside each server's configuration. */
const logged: ServerKind<StaticPlace>[] = [
  sluice('no log'),
  sluice('JSON', { accessLog: { to: { file: 'access.log' } } }),
  sluice('combined', { accessLog: { to: { file: 'access.log' }, format: 'combined' } }),
]

/** On both cores: what a second worker costs the first (caches, locks) is CPU time per request. */
const shared: ServerKind<StaticPlace>[] = [1, 2].map((workers) => ({
  ...sluice(`${workers} worker${workers > 1 ? 's' : ''}`, { workers }),
  cores: '0,1',
}))

/** What is compared, on which rows. */
function comparison(folder: string): { kinds: ServerKind<StaticPlace>[]; rows: Row[] } {
  if (options.thresholds) return { kinds: engines, rows: thresholdRows }
  if (options.workers) {
    return { kinds: shared, rows: rows.filter(({ name }) => ['1 KiB', '128 KiB'].includes(name)) }
  }
  if (options['access-log']) {
    return { kinds: logged, rows: rows.filter(({ name }) => name.startsWith('1 KiB')) }
  }
  const program = compile(new URL('floor.cc', import.meta.url), folder)
  return { kinds: [...installed(peers), floor(program)], rows }
}

interface Workplace {
  folder: string
  site: string
  client: Client
}

function driver(client: Client): Drive<Row> {
  return async (row, server, seconds) => {
    const etag = row.conditional ? await etagOf(server.port, row.targets[0] ?? '/') : ''
    return client.run(requestsOf(row, server.port, etag), row.connections, server, seconds)
  }
}

async function measureLoad(
  { folder, site, client }: Workplace,
  kinds: readonly ServerKind<StaticPlace>[],
  wanted: readonly Row[],
): Promise<Figure[]> {
  const starting = kinds.map((kind, index) =>
    start(kind, { site, folder, port: firstPort + index }),
  )
  const servers = await Promise.all(starting)
  const drive = driver(client)
  const figures: Figure[] = []
  try {
    await verifyAll(wanted, servers, site)
    if (options['access-log']) touchMemory()
    for (const row of wanted) {
      console.error(`measuring: ${row.name}`)
      const able = serversOf(row, servers)
      const stopSpinners = row.serverSleeps ? () => {} : startSpinners()
      figures.push(...(await measureRow(drive, row, able, effort, referenceOf(able))))
      stopSpinners()
    }
    await addCalls(drive, wanted, servers, figures, folder)
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
  return figures
}

async function measureIdleness(
  { folder, site, client }: Workplace,
  kinds: readonly ServerKind<StaticPlace>[],
): Promise<IdleFigure[]> {
  const [row] = rows
  if (row === undefined) return []
  const figures: IdleFigure[] = []
  for (const [index, kind] of kinds.entries()) {
    console.error(`measuring: ${kind.name}, idle`)
    const place = { site, folder, port: firstPort + 50 + index }
    const [request = ''] = requestsOf(row, place.port, '')
    const warmUp = (server: RunningServer) => driver(client)(row, server, 0.3)
    figures.push(await measureIdle(kind, place, idleEffort, request, warmUp))
  }
  return figures
}

async function main(): Promise<void> {
  const machine = describeMachine()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  chmodSync(folder, 0o755)
  const site = join(folder, 'site')
  writeSite(site)
  const workplace = { folder, site, client: new Client(folder) }
  try {
    const { kinds, rows: all } = comparison(folder)
    const wanted = all.filter(({ name }) => name.includes(options.only))
    const figures = wanted.length > 0 ? await measureLoad(workplace, kinds, wanted) : []
    const isVariant = options.thresholds || options.workers || options['access-log']
    const isIdleWanted = !isVariant && 'idle'.includes(options.only)
    const report: Report = {
      commit: commit(),
      node: process.version,
      date: new Date().toISOString().slice(0, 10),
      servers: versionsOf(kinds),
      reference: referenceOf(kinds),
      figures,
      idle: isIdleWanted ? await measureIdleness(workplace, kinds) : [],
      machine,
    }
    console.log(markdown(report))
    if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(report, null, 2))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

process.exitCode = await enterNamespace()
if (process.exitCode === undefined) await main()
