// The text format of Prometheus (version 0.0.4): families of samples, names and values escaped and
// bounded. Pure; any thread. Must never write a sample twice: what has the same labels is summed.

import type { Bucket } from './quantiles.ts'

export type Labels = Readonly<Record<string, string | number>>

/** Observations in microseconds, cumulative. */
export interface Observations {
  count: number
  sumUs: number
  buckets: readonly Bucket[]
}

/** Longer values are cut: a route or a host of a configuration can be of any length. */
const longestValue = 200

/** Powers of two are bounds of the core's buckets, so that nothing has to be interpolated. */
function powersOfTwo(first: number, last: number, step: number): number[] {
  const exponents = Array.from({ length: (last - first) / step + 1 }, (_, i) => first + i * step)
  return exponents.map((exponent) => 2 ** exponent)
}

/** 64 µs to 34 s. */
export const responseBoundsUs = powersOfTwo(6, 25, 1)
/** 16 µs to 4 s. */
export const loopBoundsUs = powersOfTwo(4, 22, 2)

function escaped(value: string | number): string {
  const text = String(value)
  const cut = text.length > longestValue ? `${text.slice(0, longestValue - 1)}…` : text
  return cut.toWellFormed().replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"')
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** Observations that took less than `boundUs`, which is a bound of the core's buckets. */
function countBelow(buckets: readonly Bucket[], boundUs: number): number {
  return buckets.findLast(({ leUs }) => leUs < boundUs)?.count ?? 0
}

/** A page of metrics. */
export class Exposition {
  readonly #families: string[] = []

  counter(name: string, help: string, samples: Iterable<[Labels, number]>): void {
    this.#family(`${name}_total`, 'counter', help, samples)
  }

  gauge(name: string, help: string, samples: Iterable<[Labels, number]>): void {
    this.#family(name, 'gauge', help, samples)
  }

  /** In seconds; `boundsUs` are powers of two. */
  histogram(
    name: string,
    help: string,
    boundsUs: readonly number[],
    samples: Iterable<[Labels, Observations]>,
  ): void {
    const lines = new Map<string, number>()
    for (const [labels, { count, sumUs, buckets }] of samples) {
      for (const boundUs of boundsUs) {
        const text = labelText({ ...labels, le: boundUs / 1e6 })
        add(lines, `${name}_bucket${text}`, countBelow(buckets, boundUs))
      }
      add(lines, `${name}_bucket${labelText({ ...labels, le: '+Inf' })}`, count)
      add(lines, `${name}_sum${labelText(labels)}`, sumUs / 1e6)
      add(lines, `${name}_count${labelText(labels)}`, count)
    }
    this.#write(name, 'histogram', help, lines)
  }

  toString(): string {
    return this.#families.join('')
  }

  #family(name: string, type: string, help: string, samples: Iterable<[Labels, number]>): void {
    const lines = new Map<string, number>()
    for (const [labels, value] of samples) add(lines, `${name}${labelText(labels)}`, value)
    this.#write(name, type, help, lines)
  }

  #write(name: string, type: string, help: string, lines: Map<string, number>): void {
    if (lines.size === 0) return
    const rows = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]
    for (const [series, value] of lines) rows.push(`${series} ${value}`)
    this.#families.push(`${rows.join('\n')}\n`)
  }
}

function add(lines: Map<string, number>, series: string, value: number): void {
  lines.set(series, (lines.get(series) ?? 0) + value)
}
