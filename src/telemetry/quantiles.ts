// Quantiles from cumulative histogram buckets, by straight lines within a bucket, and sums of such
// buckets. Pure; any thread.
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

interface Summed {
  count: number
  sumUs: number
  buckets: Bucket[]
}

/** Both together; buckets that only one of them has are kept. */
export function addHistograms(left: Summed, right: Summed): Summed {
  const inBucket = new Map<number, number>()
  for (const { buckets } of [left, right]) {
    let below = 0
    for (const { leUs, count } of buckets) {
      inBucket.set(leUs, (inBucket.get(leUs) ?? 0) + count - below)
      below = count
    }
  }
  let count = 0
  const buckets = [...inBucket]
    .sort(([one], [other]) => one - other)
    .map(([leUs, own]) => {
      count += own
      return { leUs, count }
    })
  return { count: left.count + right.count, sumUs: left.sumUs + right.sumUs, buckets }
}
