// Quantiles from cumulative histogram buckets, by straight lines within a bucket. Pure; any thread.
// Only as exact as the buckets: the core has four for each power of two. Must never answer with
// more than the largest bound, also when the last bucket is open.

/** A cumulative bucket: `count` observations took at most `leUs` microseconds. */
export interface Bucket {
  leUs: number
  count: number
}

/**
 * The value below which the fraction `q` (0 to 1) of all observations lies, in microseconds; 0 when
 * there are none. Exact to the width of a bucket. An open last bucket answers with its lower bound.
 */
export function quantileUs(buckets: readonly Bucket[], q: number): number {
  const total = buckets.at(-1)?.count ?? 0
  const rank = q * total
  let below: Bucket = { leUs: 0, count: 0 }
  for (const bucket of buckets) {
    if (bucket.count >= rank && bucket.count > below.count) {
      if (!Number.isFinite(bucket.leUs)) return below.leUs
      const share = (rank - below.count) / (bucket.count - below.count)
      return below.leUs + share * (bucket.leUs - below.leUs)
    }
    below = bucket
  }
  return below.leUs
}
