// Measurements as text for a terminal. Pure.

import type { Measurement } from './measure.ts'
import { type Source, showBytes } from './plan.ts'

/** Headings, and the cells of each measurement in their order. */
export const headings = [
  'body',
  'moved by',
  'CPU',
  'CPU per GB',
  'time',
  'bytes/s',
  'calls',
  'copied',
  'peak memory',
]

export const titles: Record<Source, string> = {
  files: 'Files of this machine',
  proxy: 'Answers of a target, forwarded',
}

export function cellsOf(one: Measurement): string[] {
  const note = one.isMeant ? '' : ` (served by ${one.engines || 'nobody'})`
  return [
    showBytes(one.bytes),
    one.variant + note,
    showTime(one.cpuUs / 1000),
    `${digits((one.cpuUs / one.bytes) * 1000)} s`,
    showTime(one.milliseconds),
    `${showBytes(one.bytesPerSecond)}`,
    digits(one.syscalls),
    showBytes(Math.round(one.copiedBytes)),
    one.peakBytes === 0 ? '?' : showBytes(one.peakBytes),
  ]
}

/** One table for each source, columns aligned, the cheapest way of a size marked. */
export function tablesOf(measurements: readonly Measurement[]): string {
  const sources = [...new Set(measurements.map((one) => one.source))]
  return sources
    .map((source) => {
      const own = measurements.filter((one) => one.source === source)
      const rows = own.map((one) => [isCheapest(one, own) ? '*' : '', ...cellsOf(one)])
      return `${titles[source]}\n${aligned([['', ...headings], ...rows])}`
    })
    .join('\n\n')
}

/** Whether nothing that moves as much costs less CPU time. */
export function isCheapest(one: Measurement, among: readonly Measurement[]): boolean {
  return among.every((other) => other.bytes !== one.bytes || other.cpuUs >= one.cpuUs)
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = headings.map((_, index) =>
    Math.max(...rows.map((row) => row[index + 1]?.length ?? 0)),
  )
  return rows
    .map(([mark = '', ...cells]) => {
      const padded = cells.map((cell, index) => {
        const width = widths[index] ?? 0
        return index === 1 ? cell.padEnd(width) : cell.padStart(width)
      })
      return `${mark.padEnd(1)} ${padded.join('  ')}`.trimEnd()
    })
    .join('\n')
}

function showTime(milliseconds: number): string {
  if (milliseconds < 1) return `${digits(milliseconds * 1000)} µs`
  return milliseconds < 1000 ? `${digits(milliseconds)} ms` : `${digits(milliseconds / 1000)} s`
}

/** Three digits that say something. */
function digits(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)))
}
