// What `sluice bench` and its processes say to each other. Pure data.

import type { TransferOptions } from '../../config/options.ts'

/** A gateway that serves a directory, or forwards to a target when there is one. */
export interface GatewaySettings {
  name: string
  root: string
  target?: string
  transfer: TransferOptions
}

export type ToServer =
  | { type: 'start'; gateways: GatewaySettings[] }
  /** The figures of one gateway; CPU time and memory are those of the whole process. */
  | { type: 'figures'; name: string }

/** Counters since the start, but for the peak. */
export interface Figures {
  /** Microseconds on a core, of every thread. */
  cpuUs: number
  syscalls: number
  engines: Record<string, { responses: number; bytes: number }>
  /** Resident memory at the most since the last figures. */
  peakBytes: number
}

export type FromServer =
  | { type: 'ready'; ports: Record<string, number> }
  | { type: 'failed'; message: string }
  | { type: 'figures'; figures: Figures }
