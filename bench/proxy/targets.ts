// What we want to be: at most so much of a peer's CPU time, of those of its configurations that is
// cheapest in that row. The report says what came of it.

import { type Figure, ratioOf } from '../measuring/measure.ts'
import type { Report } from '../measuring/report.ts'
import { table } from '../measuring/report.ts'

interface Target {
  row: string
  peer: string
  most: number
}

const targets: Target[] = [
  { row: '1 KiB', peer: 'HAProxy', most: 0.85 },
  { row: '1 KiB', peer: 'nginx', most: 0.82 },
  { row: '128 KiB', peer: 'HAProxy', most: 0.95 },
  { row: '100 MiB', peer: 'HAProxy', most: 1 },
  { row: 'upload of 10 MiB', peer: 'HAProxy', most: 1 },
  { row: 'tunnels, both ways at once', peer: 'HAProxy', most: 1 },
  { row: 'tunnels, messages of 128 bytes', peer: 'HAProxy', most: 1 },
]

/** Bytes of user memory for an idle client. */
const mostIdleBytes = 512

/** A hundredth is finer than the measurement. */
function verdict(is: number, most: number): string {
  return Number(is.toFixed(2)) <= most ? 'met' : 'missed'
}

/** The peer's configuration that needs least for a row. */
function cheapest(figures: readonly Figure[], row: string, peer: string): Figure | undefined {
  const own = figures.filter((figure) => figure.row === row && figure.server.startsWith(peer))
  return own.toSorted((a, b) => a.cpu - b.cpu)[0]
}

export function targetTable({ figures, idle }: Report): string {
  const lines = targets.flatMap(({ row, peer, most }) => {
    const own = figures.find((figure) => figure.row === row && figure.server === 'sluice')
    const other = cheapest(figures, row, peer)
    if (own === undefined || other === undefined) return []
    const ratio = ratioOf(own.rounds, other.rounds)
    return [[`${row}, of ${other.server}`, most.toFixed(2), ratio.toFixed(2), verdict(ratio, most)]]
  })
  const own = idle.find(({ server }) => server === 'sluice')
  if (own !== undefined) {
    const bytes = own.perConnection
    const [is, most] = [`${Math.round(bytes)} B`, `${mostIdleBytes} B`]
    lines.push(['user memory of an idle client', most, is, verdict(bytes, mostIdleBytes)])
  }
  return table(['CPU time', 'at most', 'is', ''], lines)
}
