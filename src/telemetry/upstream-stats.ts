// What stats() says of upstreams: what the core counts of each target, joined by id with what the
// control plane knows of it. Pure; main thread.

import type { NativeStats, NativeTargetStats } from '../native/interface.ts'
import type { Member, UpstreamState } from '../proxy/upstreams.ts'

/** One address that requests can go to. */
export interface TargetStats extends Omit<NativeTargetStats, 'id'> {
  /** As the configuration has it. */
  url: string
  /** '10.0.0.1:3000', or the path of a socket. */
  address: string
  weight: number
  backup: boolean
  /** Gets no new requests: somebody drains it. */
  draining: boolean
  /** By active checks: 'unwatched' without them, 'unchecked' before the first has ended. */
  health: Member['health']
  /** Why its last check failed; '' when it did not. */
  reason: string
}

export interface UpstreamStats {
  name: string
  /** Gauge: requests that wait for a target. */
  queued: number
  targets: TargetStats[]
  /** Targets whose names have no address now, and why. */
  unresolved: { url: string; reason: string }[]
}

const nothingYet: Omit<NativeTargetStats, 'id'> = {
  active: 0,
  connections: 0,
  requests: 0,
  connects: 0,
  failures: 0,
  retries: 0,
  ejected: false,
  circuit: 'closed',
}

/** In the order of the configuration. */
export function upstreamStats(
  states: readonly UpstreamState[],
  native: NativeStats['upstreams'],
): UpstreamStats[] {
  return states.map(({ name, members, unresolved }, index) => {
    const { targets = [], queued = 0 } = native[index] ?? {}
    const counts = new Map(targets.map(({ id, ...counted }) => [id, counted]))
    return {
      name,
      queued,
      targets: members.map(({ id, ...known }) => ({ ...known, ...(counts.get(id) ?? nothingYet) })),
      unresolved,
    }
  })
}
