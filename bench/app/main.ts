// What passes through the app: `npm run bench:app`. See ../README.md.
//
//   --handlers      handlers beside Fastify behind nginx and others, instead of hooks
//   --transports    targets that speak TLS, beside @fastify/http-proxy, instead of hooks
//   --isolation     who waits while the app, or the main thread, is blocked
//   --quick         fewer and shorter rounds
//   --json FILE     the figures, for programs
//   --only TEXT     only rows whose name contains TEXT
//   --servers TEXT  only servers whose name contains TEXT

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client } from '../measuring/client.ts'
import { type Drive, type Figure, measureRow } from '../measuring/measure.ts'
import {
  clientCore,
  describeMachine,
  enterNamespace,
  raiseTree,
  startSpinners,
} from '../measuring/quiet.ts'
import { markdown, type Report, table } from '../measuring/report.ts'
import { commit, installed, start, versionsOf } from '../measuring/servers.ts'
import { handlerReference, handlerRows, handlerServers } from './handlers.ts'
import { measureIsolation } from './isolation.ts'
import { rows as hookRows, type Row, requestOf } from './rows.ts'
import { reference as hookReference, servers as hookServers } from './servers.ts'
import {
  transportOrigin,
  transportPlace,
  transportReference,
  transportRows,
  transportServers,
} from './transports.ts'

const { values: options } = parseArgs({
  options: {
    handlers: { type: 'boolean', default: false },
    isolation: { type: 'boolean', default: false },
    transports: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string', default: '' },
    servers: { type: 'string', default: '' },
  },
})

const handlers = { rows: handlerRows, servers: handlerServers, reference: handlerReference }
const transports = {
  rows: transportRows,
  servers: transportServers,
  reference: transportReference,
}
const hooks = { rows: hookRows, servers: hookServers, reference: hookReference }
const { rows, servers, reference } =
  (options.handlers && handlers) || (options.transports && transports) || hooks

const firstPort = 8300
const effort = options.quick ? { rounds: 3, seconds: 0.4 } : { rounds: 7, seconds: 0.5 }

async function measureFigures(folder: string): Promise<Figure[]> {
  const client = new Client(folder)
  const drive: Drive<Row> = (row, server, seconds) =>
    client.run([requestOf(row, server.port)], row.connections, server, seconds)
  const kinds = installed(servers).filter(({ name }) => name.includes(options.servers))
  const running = await Promise.all(
    kinds.map((kind, index) => start(kind, { folder, port: firstPort + index })),
  )
  const origin = options.transports
    ? await start(transportOrigin, { folder, ...transportPlace }, clientCore)
    : undefined
  const figures: Figure[] = []
  const base = running.some(({ name }) => name === reference) ? reference : running[0]?.name
  try {
    for (const server of running) raiseTree(server.pid)
    const stopSpinners = startSpinners()
    for (const row of rows.filter(({ name }) => name.includes(options.only))) {
      console.error(`measuring: ${row.name}`)
      figures.push(...(await measureRow(drive, row, running, effort, base)))
    }
    stopSpinners()
  } finally {
    await Promise.all([...running, ...(origin ? [origin] : [])].map((server) => server.stop()))
  }
  return figures
}

/** What each server costs more than the reference: the price of what stands before the answer. */
function extraTable(figures: readonly Figure[]): string {
  const lines = figures.flatMap((figure) => {
    const base = figures.find(({ row, server }) => row === figure.row && server === reference)
    if (base === undefined || figure === base) return []
    const each = figure.rounds.map((cpu, round) => cpu - (base.rounds[round] ?? base.cpu))
    const middle = each.toSorted((a, b) => a - b)[Math.floor(each.length / 2)] ?? 0
    return [[figure.row, figure.server, `${middle.toFixed(2)} µs`]]
  })
  return table(['', 'server', `more CPU per request than ${reference}`], lines)
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  chmodSync(folder, 0o755)
  try {
    const machine = describeMachine()
    const figures = await measureFigures(folder)
    const report: Report = {
      commit: commit(),
      node: process.version,
      date: new Date().toISOString().slice(0, 10),
      servers: versionsOf(servers),
      reference,
      figures,
      idle: [],
      machine,
    }
    console.log(`${markdown(report)}\n\n${extraTable(figures)}`)
    if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(report, null, 2))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const code = await enterNamespace()
if (code === undefined) {
  await (options.isolation ? measureIsolation(options.quick ? 3 : 7) : main())
}
// Whatever a server has left behind may hold its pipes.
process.exit(code ?? 0)
