// What the admin listener asks of the gateway that it belongs to, and tells it.

import type { NativeCapability } from '../native/interface.ts'
import type { Address } from '../native/listening.ts'
import type { GatewayUpstreams } from '../proxy/upstreams.ts'
import type { Logger } from '../telemetry/log.ts'
import type { GatewayStats } from '../telemetry/stats.ts'

/** 'leaving': everything is still served, but load balancers should look elsewhere. */
export type Phase = 'starting' | 'serving' | 'leaving' | 'draining'

/** Paths whose files and answers are to be forgotten. */
export interface Eviction {
  /** Of a request: percent-encoded, with its leading slash. */
  path: string
  /** As a request would name it; '' for routes without a host. */
  host: string
  /** Also everything beneath. */
  beneath: boolean
}

export interface AdminSubject {
  readonly logger: Logger
  readonly upstreams: GatewayUpstreams
  phase(): Phase
  /** Where clients are served. */
  addresses(): readonly Address[]
  stats(): GatewayStats
  capabilities(): NativeCapability[]
  /** For how long some worker has not given a sign of life, in milliseconds. */
  silenceMs(): number
  /** Rejects when the configuration is refused, or there is no file of it. */
  reload(): Promise<{ generation: number; changed: boolean; warnings: readonly string[] }>
  /** How many answers were forgotten. */
  evict(what: Eviction): number
  reopenLogs(): void
}

/** The phase that a gateway in `state` is in. */
export function phaseOf(state: string): Phase {
  const phases: Record<string, Phase> = {
    made: 'starting',
    starting: 'starting',
    listening: 'serving',
    leaving: 'leaving',
  }
  return phases[state] ?? 'draining'
}
