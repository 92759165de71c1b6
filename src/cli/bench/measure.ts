// The measuring itself: every way of moving a size in turn, round after round, so that whatever
// else the machine does meets all of them alike; the medians of the rounds count.

import { download } from './client.ts'
import { connectionsFor, type Source, type Variant, variantsOf } from './plan.ts'
import { ServerProcess } from './servers.ts'

/** One way of moving bodies of one size, medians over the rounds. */
export interface Measurement {
  source: Source
  variant: string
  bytes: number
  /** The engine that was meant to be measured. */
  engine: string
  /** The ones that did serve it; what came with a head is copied beside a splice. */
  engines: string
  /** Whether the one that was meant is among them. */
  isMeant: boolean
  transfers: number
  /** From the request to the last byte, milliseconds. */
  milliseconds: number
  bytesPerSecond: number
  /** Of the gateway's process, microseconds for each transfer. */
  cpuUs: number
  syscalls: number
  /** Resident memory of the process at the most. */
  peakBytes: number
  /** Bytes of a body that were in user space on their way. */
  copiedBytes: number
}

export interface Plan {
  sources: readonly Source[]
  sizes: readonly number[]
  rounds: number
  /** How long one way is measured in a round, milliseconds; longer transfers end. */
  milliseconds: number
  /** The directory that has a file for each size, named by it. */
  directory: string
}

/** Called before each measurement; `done` of `all` are over. */
export type OnProgress = (done: number, all: number, what: string) => void

type Sample = Omit<Measurement, 'source' | 'variant' | 'bytes' | 'engine' | 'isMeant'>

/** What leaves the engine's bytes in the kernel. */
const kernelEngines = new Set(['sendfile', 'splice'])

export async function measure(plan: Plan, onProgress: OnProgress): Promise<Measurement[]> {
  const origin = await ServerProcess.start([{ name: 'origin', root: plan.directory, transfer: {} }])
  try {
    const variants = plan.sources.flatMap(variantsOf)
    const target = `http://127.0.0.1:${origin.port('origin')}`
    const gateways = variants.map(({ name, source, transfer }) => {
      const own = { name: keyOf(source, name), root: plan.directory, transfer }
      return source === 'proxy' ? { ...own, target } : own
    })
    const server = await ServerProcess.start(gateways)
    try {
      return await measureAll(plan, variants, server, onProgress)
    } finally {
      server.stop()
    }
  } finally {
    origin.stop()
  }
}

async function measureAll(
  plan: Plan,
  variants: readonly Variant[],
  server: ServerProcess,
  onProgress: OnProgress,
): Promise<Measurement[]> {
  const pairs = plan.sizes.flatMap((bytes) =>
    variants.filter(({ longest }) => bytes <= longest).map((variant) => ({ variant, bytes })),
  )
  const all = pairs.length * plan.rounds
  let done = 0
  const measurements: Measurement[] = []
  for (const bytes of plan.sizes) {
    const ways = pairs.filter((pair) => pair.bytes === bytes)
    const samples = ways.map((): Sample[] => [])
    for (let round = 0; round < plan.rounds; round++) {
      for (const [index, { variant }] of ways.entries()) {
        onProgress(done++, all, `${variant.source}, ${variant.name}`)
        samples[index]?.push(await sample(plan, variant, bytes, server))
      }
    }
    for (const [index, { variant }] of ways.entries()) {
      measurements.push(summary(variant, bytes, samples[index] ?? []))
    }
  }
  onProgress(all, all, '')
  return measurements
}

async function sample(
  plan: Plan,
  { source, name }: Variant,
  bytes: number,
  server: ServerProcess,
): Promise<Sample> {
  const key = keyOf(source, name)
  const request = { port: server.port(key), path: `/${bytes}`, bytes }
  const connections = connectionsFor(bytes)
  // The file is opened, its pages are read, connections to the target are made.
  await download({ ...request, connections, milliseconds: 0 })
  const before = await server.figures(key)
  const startedAt = performance.now()
  const times = await download({ ...request, connections, milliseconds: plan.milliseconds })
  const elapsed = performance.now() - startedAt
  const after = await server.figures(key)
  const transfers = times.length
  const moved = Object.entries(after.engines).map(([engine, { bytes: total }]) => {
    return { engine, bytes: total - (before.engines[engine]?.bytes ?? 0) }
  })
  const served = moved.filter((one) => one.bytes > 0)
  const copied = served.filter(({ engine }) => !kernelEngines.has(engine))
  return {
    engines: served.map(({ engine }) => engine).join(' and '),
    transfers,
    milliseconds: median(times),
    bytesPerSecond: (transfers * bytes * 1000) / elapsed,
    cpuUs: (after.cpuUs - before.cpuUs) / transfers,
    syscalls: (after.syscalls - before.syscalls) / transfers,
    peakBytes: after.peakBytes,
    copiedBytes: copied.reduce((sum, one) => sum + one.bytes, 0) / transfers,
  }
}

function summary(variant: Variant, bytes: number, samples: readonly Sample[]): Measurement {
  const of = (key: Exclude<keyof Sample, 'engines'>) => median(samples.map((one) => one[key]))
  const engines = [...new Set(samples.map((one) => one.engines))].join(', ')
  return {
    source: variant.source,
    variant: variant.name,
    bytes,
    engine: variant.engine,
    engines,
    isMeant: samples.every((one) => one.engines.split(' and ').includes(variant.engine)),
    transfers: samples.reduce((sum, one) => sum + one.transfers, 0),
    milliseconds: of('milliseconds'),
    bytesPerSecond: of('bytesPerSecond'),
    cpuUs: of('cpuUs'),
    syscalls: of('syscalls'),
    peakBytes: of('peakBytes'),
    copiedBytes: of('copiedBytes'),
  }
}

function keyOf(source: Source, name: string): string {
  return `${source}: ${name}`
}

/** Of at least one value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
