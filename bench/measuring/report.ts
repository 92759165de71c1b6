// The figures as tables of Markdown: what a person reads, and what RESULTS.md of a benchmark keeps.
// Columns: CPU time, its ratio to the reference's, and how far server and client used their cores.

import type { IdleFigure } from './idle.ts'
import type { Figure } from './measure.ts'
import type { Machine } from './quiet.ts'

export interface Report {
  commit: string
  node: string
  date: string
  machine: Machine
  /** name → version */
  servers: Record<string, string>
  /** Of ratios: the name of a server. */
  reference: string | undefined
  figures: Figure[]
  idle: IdleFigure[]
}

export function table(head: string[], lines: string[][]): string {
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'))
  return [head, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function unique(values: string[]): string[] {
  return [...new Set(values)]
}

/** One line a row, one column a server: CPU time, of the reference's. */
export function ratioTable(figures: Figure[], reference = ''): string {
  const servers = unique(figures.map(({ server }) => server))
  const lines = unique(figures.map(({ row }) => row)).map((row) => [
    row,
    ...servers.map((server) => {
      const figure = figures.find((one) => one.row === row && one.server === server)
      return figure === undefined ? '' : figure.ratio.toFixed(2)
    }),
  ])
  return table([`CPU time, ${reference} = 1`, ...servers], lines)
}

function showCpu({ cpu, unit, rounds }: Figure): string {
  const digits = unit === 'µs' ? 2 : 3
  const [low, high] = [Math.min(...rounds), Math.max(...rounds)]
  return `${cpu.toFixed(digits)} ${unit} (${low.toFixed(digits)}–${high.toFixed(digits)})`
}

function showCalls({ calls }: Figure): string {
  if (calls === undefined) return ''
  const sum = Object.values(calls).reduce((total, count) => total + count, 0)
  const byName = Object.entries(calls)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count.toFixed(2)}`)
  return `${sum.toFixed(2)} (${byName.join(', ')})`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

export function figureTable(figures: Figure[]): string {
  const head = ['', 'server', 'CPU (lowest–highest round)', 'ratio', 'requests/s', 'busy', 'client']
  const lines = figures.map((figure) => [
    figure.row,
    figure.server,
    showCpu(figure),
    figure.ratio.toFixed(2),
    Math.round(figure.requestsPerSecond).toLocaleString('en'),
    percent(figure.busy),
    percent(figure.clientBusy),
    showCalls(figure),
  ])
  return table([...head, 'system calls per request (of streams: per MB)'], lines)
}

export function idleTable(figures: IdleFigure[]): string {
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`
  const lines = figures.map((figure) => [
    figure.server,
    mib(figure.resident),
    mib(figure.own),
    `${Math.round(figure.perConnection)} B`,
    figure.wakeUpsPerSecond.toFixed(1),
    figure.cpuMsPerSecond.toFixed(2),
  ])
  const count = figures[0]?.connections.toLocaleString('en') ?? '0'
  const perConnection = `for each of ${count} idle connections`
  const head = ['', 'resident', 'of its own', perConnection, 'wake-ups/s', 'CPU ms/s']
  return table(head, lines)
}

export function markdown(report: Report): string {
  const { machine, servers } = report
  const versions = Object.entries(servers).map(([name, version]) => `${name} ${version}`)
  const facts = [
    `${report.date}, commit ${report.commit}, Node ${report.node}.`,
    `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}; ` +
      `load before: ${machine.load}.`,
    versions.length > 0 ? `Debian packages: ${versions.join(', ')}.` : '',
  ].filter(Boolean)
  const parts = [facts.join('\n')]
  if (report.figures.length > 0) {
    parts.push(ratioTable(report.figures, report.reference), figureTable(report.figures))
  }
  if (report.idle.length > 0) parts.push(idleTable(report.idle))
  return parts.join('\n\n')
}
