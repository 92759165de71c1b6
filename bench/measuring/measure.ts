// The measurement itself: rounds in which every server has its turn, figures as medians over them,
// ratios within a round, since a shared machine drifts more between rounds than within one.

import { has, type Load } from './client.ts'
import { cpuTime } from './process-tree.ts'
import type { RunningServer } from './servers.ts'
import { type CallsPerRequest, countCalls } from './syscalls.ts'

export interface Effort {
  rounds: number
  /** Of one server's turn. */
  seconds: number
}

/** A line of the table. */
export interface Row {
  name: string
  /** CPU time is told for each gigabyte, not for each request. */
  perGigabyte?: true
}

/** Has a client ask a server for what a row says. */
export type Drive<R extends Row> = (row: R, server: RunningServer, seconds: number) => Promise<Load>

export interface Figure {
  row: string
  server: string
  /** CPU time of the whole process tree: µs per request, or seconds per gigabyte. */
  cpu: number
  unit: 'µs' | 's/GB'
  /** `cpu` of every round. */
  rounds: number[]
  /** Of the reference's CPU time in the same round. */
  ratio: number
  requestsPerSecond: number
  /** Share of the time that the server ran or wanted to: near 1 says that it was the bottleneck. */
  busy: number
  /** Share of its core that the client used, with what else works there. */
  clientBusy: number
  calls?: CallsPerRequest
}

interface Turn {
  cpu: number
  requestsPerSecond: number
  busy: number
  clientBusy: number
}

async function takeTurn<R extends Row>(
  drive: Drive<R>,
  row: R,
  server: RunningServer,
  seconds: number,
): Promise<Turn> {
  const before = cpuTime(server.pid)
  const load = await drive(row, server, seconds).catch((error: unknown) => {
    throw new Error(`${row.name}, ${server.name}`, { cause: error })
  })
  const after = cpuTime(server.pid)
  const used = after.usedNs - before.usedNs
  const waited = after.waitedNs - before.waitedNs
  return {
    cpu: row.perGigabyte ? used / load.bytes : used / 1e3 / load.answers,
    requestsPerSecond: load.answers / load.seconds,
    busy: Math.min(1, (used + waited) / 1e9 / load.seconds),
    clientBusy: Math.min(1, load.cpu / load.seconds),
  }
}

/** Every server of `servers` answers `row`; ratios are to the one that is called `reference`. */
export async function measureRow<R extends Row>(
  drive: Drive<R>,
  row: R,
  servers: readonly RunningServer[],
  effort: Effort,
  reference: string | undefined,
): Promise<Figure[]> {
  const turns = new Map<RunningServer, Turn[]>(servers.map((server) => [server, []]))
  for (let round = 0; round < effort.rounds; round += 1) {
    for (let index = 0; index < servers.length; index += 1) {
      const server = servers[(index + round) % servers.length] // nobody always follows the same
      if (server === undefined) continue
      turns.get(server)?.push(await takeTurn(drive, row, server, effort.seconds))
    }
  }
  const base = [...turns].find(([{ name }]) => name === reference)?.[1] ?? []
  return [...turns].map(([server, own]) => summarise(row, server, own, base))
}

function summarise(row: Row, server: RunningServer, own: Turn[], base: Turn[]): Figure {
  return {
    row: row.name,
    server: server.name,
    cpu: median(own.map(({ cpu }) => cpu)),
    unit: row.perGigabyte ? 's/GB' : 'µs',
    rounds: own.map(({ cpu }) => cpu),
    ratio: ratioOf(
      own.map(({ cpu }) => cpu),
      base.map(({ cpu }) => cpu),
    ),
    requestsPerSecond: median(own.map(({ requestsPerSecond }) => requestsPerSecond)),
    busy: median(own.map(({ busy }) => busy)),
    clientBusy: median(own.map(({ clientBusy }) => clientBusy)),
  }
}

/** The median of the ratios within a round. */
export function ratioOf(own: readonly number[], base: readonly number[]): number {
  return median(own.map((cpu, round) => cpu / (base[round] ?? cpu)))
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}

/** Adds the system calls per request to figures that have been measured. */
export async function addCalls<R extends Row>(
  drive: Drive<R>,
  rows: readonly R[],
  servers: readonly RunningServer[],
  figures: Figure[],
  folder: string,
): Promise<void> {
  if (!has('strace')) {
    console.error('system calls are not counted: apt-get install strace')
    return
  }
  for (const figure of figures) {
    const row = rows.find(({ name }) => name === figure.row)
    const server = servers.find(({ name }) => name === figure.server)
    if (row && server) figure.calls = await countCalls(drive, row, server, folder)
  }
}
