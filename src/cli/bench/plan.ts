// What `sluice bench` compares: ways of moving the same bytes, as settings of a gateway each, and
// the sizes that they move. Pure data.

import type { TransferOptions } from '../../config/options.ts'

/** Where the bytes come from: a file of the gateway, or a target that it forwards to. */
export type Source = 'files' | 'proxy'

/** One way of moving bytes. */
export interface Variant {
  /** As tables name it. */
  name: string
  source: Source
  /** The engine that has to serve it: another one means that the kernel refused. */
  engine: string
  transfer: TransferOptions
  /** Longer bodies are not sent this way, in bytes. */
  longest: number
}

const kb = 1024
const mb = 1024 * kb
const gb = 1024 * mb

/** What pieces and pipes are compared, in bytes. */
const roomSizes = [64 * kb, 256 * kb, 1 * mb]

export const defaultSizes: readonly number[] = [
  1 * kb,
  4 * kb,
  16 * kb,
  32 * kb,
  64 * kb,
  128 * kb,
  256 * kb,
  1 * mb,
  16 * mb,
  256 * mb,
  1 * gb,
]

/** Of the default sizes those that a short run takes. */
export const quickLongest = 16 * mb

export function variantsOf(source: Source): Variant[] {
  return source === 'files' ? fileVariants() : proxyVariants()
}

function fileVariants(): Variant[] {
  const base = { source: 'files', longest: Number.POSITIVE_INFINITY } as const
  return [
    { ...base, name: 'memory', engine: 'memory', transfer: { memoryBytes: mb }, longest: mb },
    { ...base, name: 'sendfile', engine: 'sendfile', transfer: { memoryBytes: 0 } },
    ...roomSizes.map((copyBytes) => ({
      ...base,
      name: `copy by ${copyBytes / kb} KiB`,
      engine: 'copy',
      transfer: { mode: 'copy' as const, memoryBytes: 0, copyBytes },
    })),
  ]
}

function proxyVariants(): Variant[] {
  const base = { source: 'proxy', longest: Number.POSITIVE_INFINITY } as const
  return [
    ...roomSizes.map((pipeBytes) => ({
      ...base,
      name: `splice by ${pipeBytes / kb} KiB`,
      engine: 'splice',
      transfer: { spliceBytes: 0, pipeBytes },
    })),
    { ...base, name: 'copy', engine: 'copy', transfer: { mode: 'copy' as const } },
  ]
}

/** Requests under way at once: many small ones keep the gateway busy, and one large one. */
export function connectionsFor(bytes: number): number {
  return bytes < mb ? 8 : 1
}

/** 'KiB', 'MiB', 'GiB'. */
export function showBytes(bytes: number): string {
  if (bytes >= gb) return `${round(bytes / gb)} GiB`
  if (bytes >= mb) return `${round(bytes / mb)} MiB`
  if (bytes >= kb) return `${round(bytes / kb)} KiB`
  return `${bytes} B`
}

function round(value: number): number {
  return value < 10 ? Math.round(value * 10) / 10 : Math.round(value)
}
