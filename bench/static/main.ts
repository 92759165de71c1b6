// Static files, side by side with other servers: `npm run bench:static`. See ../README.md.
//
//   --quick         fewer and shorter rounds, fewer idle connections
//   --json FILE     the figures, for programs
//   --only TEXT     only rows whose name contains TEXT ('idle': only those figures)
//   --thresholds    the transfer engines against each other, by size

import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client, compile } from './client.ts'
import { type IdleFigure, measureIdle } from './idle.ts'
import { addCalls, type Figure, measureRow, serversOf, verifyAll } from './measure.ts'
import { describeMachine, enterNamespace, startSpinners } from './quiet.ts'
import { markdown, type Report } from './report.ts'
import { type Row, rows, thresholdRows, writeSite } from './rows.ts'
import { floor, installed, peers, type ServerKind, sluice, start } from './servers.ts'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string', default: '' },
    thresholds: { type: 'boolean', default: false },
  },
})

const firstPort = 8100
const effort = options.quick ? { rounds: 3, seconds: 0.5 } : { rounds: 7, seconds: 1 }
const idleEffort = options.quick
  ? { connections: 2_000, seconds: 3 }
  : { connections: 10_000, seconds: 10 }

/** The engines as servers: files held in memory, sent by sendfile, read and sent. */
const engines: ServerKind[] = [
  sluice('memory', { transfer: { memoryBytes: 2 ** 20 } }),
  sluice('sendfile', { transfer: { memoryBytes: 0 } }),
  sluice('copy', { transfer: { mode: 'copy', memoryBytes: 0 } }),
]

interface Workplace {
  folder: string
  site: string
  client: Client
}

async function measureLoad(
  { folder, site, client }: Workplace,
  kinds: readonly ServerKind[],
  wanted: readonly Row[],
): Promise<Figure[]> {
  const starting = kinds.map((kind, index) =>
    start(kind, { site, folder, port: firstPort + index }),
  )
  const servers = await Promise.all(starting)
  const figures: Figure[] = []
  try {
    await verifyAll(wanted, servers, site)
    const stopSpinners = startSpinners()
    for (const row of wanted) {
      console.error(`measuring: ${row.name}`)
      figures.push(...(await measureRow(client, row, serversOf(row, servers), effort)))
    }
    stopSpinners()
    await addCalls(client, wanted, servers, figures, folder)
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
  return figures
}

async function measureIdleness(
  { folder, site, client }: Workplace,
  kinds: readonly ServerKind[],
): Promise<IdleFigure[]> {
  const [row] = rows
  if (row === undefined) return []
  const figures: IdleFigure[] = []
  for (const [index, kind] of kinds.entries()) {
    console.error(`measuring: ${kind.name}, idle`)
    const place = { site, folder, port: firstPort + 50 + index }
    figures.push(await measureIdle(client, row, kind, place, idleEffort))
  }
  return figures
}

/** Debian's version of each server that comes from a package. */
function versionsOf(kinds: readonly ServerKind[]): Record<string, string> {
  const names = new Set(kinds.flatMap((kind) => kind.package ?? []))
  if (names.size === 0) return {}
  const listing = spawnSync('dpkg-query', ['-W', ...names], { encoding: 'utf8' }).stdout
  return Object.fromEntries(
    listing
      .trim()
      .split('\n')
      .map((line) => line.split('\t')),
  )
}

function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim()
  const changed = git('status', '--porcelain', '--', 'native', 'src') !== ''
  return git('rev-parse', '--short', 'HEAD') + (changed ? ' with changes' : '')
}

async function main(): Promise<void> {
  const machine = describeMachine()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  chmodSync(folder, 0o755)
  const site = join(folder, 'site')
  writeSite(site)
  const workplace = { folder, site, client: new Client(folder) }
  try {
    const kinds = options.thresholds
      ? engines
      : [...installed(peers), floor(compile('floor', folder))]
    const all = options.thresholds ? thresholdRows : rows
    const wanted = all.filter(({ name }) => name.includes(options.only))
    const figures = wanted.length > 0 ? await measureLoad(workplace, kinds, wanted) : []
    const isIdleWanted = !options.thresholds && 'idle'.includes(options.only)
    const report: Report = {
      commit: commit(),
      node: process.version,
      date: new Date().toISOString().slice(0, 10),
      servers: versionsOf(kinds),
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
