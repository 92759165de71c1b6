// What is counted of mirrors: the sum over workers, and the metrics. Main thread.

import type { MirrorStats } from '../native/interface.ts'
import type { Exposition } from './exposition.ts'

export function noMirrors(): MirrorStats {
  return {
    sent: 0,
    refused: 0,
    failed: 0,
    timedOut: 0,
    behind: 0,
    limited: 0,
    unavailable: 0,
    aborted: 0,
    inFlight: 0,
    waitingBytes: 0,
    bytes: 0,
    teedBytes: 0,
  }
}

export function addMirrorStats(sum: MirrorStats, one: MirrorStats): MirrorStats {
  const added = { ...sum }
  for (const key of Object.keys(one) as (keyof MirrorStats)[]) added[key] += one[key]
  return added
}

export function addMirrors(page: Exposition, stats: MirrorStats): void {
  const { inFlight, waitingBytes, bytes, teedBytes, timedOut, ...others } = stats
  const outcomes = { ...others, 'timed-out': timedOut }
  page.counter(
    'sluice_mirror_requests',
    'Copies of requests to mirrors, by how they ended.',
    Object.entries(outcomes).map(([outcome, count]) => [{ outcome }, count]),
  )
  page.counter('sluice_mirror_bytes', 'Bytes that mirrors took, with heads and framing.', [
    [{}, bytes],
  ])
  page.counter('sluice_mirror_teed_bytes', 'Bytes of bodies that tee duplicated.', [
    [{}, teedBytes],
  ])
  page.gauge('sluice_mirror_in_flight', 'Copies that are under way.', [[{}, inFlight]])
  page.gauge('sluice_mirror_waiting_bytes', 'Bytes that mirrors have not taken yet.', [
    [{}, waitingBytes],
  ])
}
