// From measurements to the `transfer` settings that cost this machine the least CPU time. Pure.
// What was not measured, or served by another engine than was meant, leads to no setting.

import type { TransferOptions } from '../../config/options.ts'
import type { Measurement } from './measure.ts'
import type { Source } from './plan.ts'

/** Differences below this share are noise. */
const noise = 0.03
const mb = 1024 * 1024
/** What of a body comes with its head is received, whatever is done with the rest. */
const receivedWithHead = 16 * 1024
const leastSpliced = 4 * 1024

/** Settings that differ from the defaults in nothing that was not measured. */
export function adviceFrom(measurements: readonly Measurement[]): TransferOptions {
  const files = costs(measurements, 'files')
  const proxy = costs(measurements, 'proxy')
  const zeroCopy = files.best('sendfile')
  const isRefused = zeroCopy.size === 0 && files.best('copy').size > 0
  return {
    ...(isRefused && { mode: 'copy' as const }),
    ...memoryAdvice(files.best('memory'), isRefused ? files.best('copy') : zeroCopy),
    ...spliceAdvice(proxy.best('splice'), proxy.best('copy')),
    ...roomAdvice('pipeBytes', proxy.byRoom('splice')),
    ...roomAdvice('copyBytes', files.byRoom('copy')),
  }
}

/** CPU time by size. */
type Costs = Map<number, number>

function costs(measurements: readonly Measurement[], source: Source) {
  const own = measurements.filter((one) => one.source === source && one.isMeant)
  const of = (engine: string) => own.filter((one) => one.engine === engine)
  return {
    /** The cheapest way of an engine for each size. */
    best(engine: string): Costs {
      const cheapest: Costs = new Map()
      for (const { bytes, cpuUs } of of(engine)) {
        cheapest.set(bytes, Math.min(cpuUs, cheapest.get(bytes) ?? Number.POSITIVE_INFINITY))
      }
      return cheapest
    },
    /** Ways of an engine that differ in their room, in bytes: costs of sizes from a megabyte on. */
    byRoom(engine: string): Map<number, Costs> {
      const rooms = new Map<number, Costs>()
      for (const { variant, bytes, cpuUs } of of(engine)) {
        const [, kilobytes] = / by (\d+) KiB$/.exec(variant) ?? []
        if (kilobytes === undefined || bytes < mb) continue
        const room = Number(kilobytes) * 1024
        rooms.set(room, (rooms.get(room) ?? new Map()).set(bytes, cpuUs))
      }
      return rooms
    },
  }
}

/** Sizes that both have been measured with, the smallest first. */
function shared(a: Costs, b: Costs): number[] {
  return [...a.keys()].filter((bytes) => b.has(bytes)).sort((one, other) => one - other)
}

/** The largest size up to which memory is never dearer. */
function memoryAdvice(memory: Costs, other: Costs): TransferOptions {
  const sizes = shared(memory, other)
  if (sizes.length === 0) return {}
  const isDearer = (bytes: number) =>
    (memory.get(bytes) ?? 0) > (other.get(bytes) ?? 0) * (1 + noise)
  const end = sizes.findIndex(isDearer)
  const memoryBytes = end < 0 ? sizes.at(-1) : end === 0 ? 0 : sizes[end - 1]
  return { memoryBytes: memoryBytes ?? 0 }
}

/** The smallest size from which on splicing is always cheaper. */
function spliceAdvice(splice: Costs, copy: Costs): TransferOptions {
  const sizes = shared(splice, copy)
  const isCheaper = (bytes: number) =>
    (splice.get(bytes) ?? 0) < (copy.get(bytes) ?? 0) * (1 - noise)
  const from = sizes.slice(sizes.findLastIndex((bytes) => !isCheaper(bytes)) + 1)[0]
  if (from === undefined) return {}
  return { spliceBytes: Math.max(leastSpliced, from - receivedWithHead) }
}

/** The smallest room that costs no more than the cheapest one. */
function roomAdvice(key: 'pipeBytes' | 'copyBytes', rooms: Map<number, Costs>): TransferOptions {
  const totals = [...rooms].map(([room, byBytes]) => {
    // Each size counts alike: their logarithms are added.
    const total = [...byBytes.values()].reduce((sum, cpuUs) => sum + Math.log(cpuUs), 0)
    return { room, mean: Math.exp(total / byBytes.size) }
  })
  const least = Math.min(...totals.map(({ mean }) => mean))
  const chosen = totals
    .filter(({ mean }) => mean <= least * (1 + noise))
    .sort((one, other) => one.room - other.room)[0]
  return chosen === undefined ? {} : { [key]: chosen.room }
}

/** As it is written in a configuration. */
export function snippetOf(advice: TransferOptions): string {
  const lines = Object.entries(advice).map(([key, value]) => `  ${key}: ${literal(value)},`)
  return ['transfer: {', ...lines, '},'].join('\n')
}

function literal(value: unknown): string {
  if (typeof value !== 'number') return `'${value}'`
  if (value === 0) return '0'
  return value % mb === 0 ? `'${value / mb}mb'` : `'${value / 1024}kb'`
}
