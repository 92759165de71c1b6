// Histograms of the core by the keys of routes. A route that changes gets another number and begins
// anew there; to whoever looks at its key it is one series. Pure; main thread.

import type { NativeHistogram } from '../native/interface.ts'

/** As NativeHistogram, by the key of its route; '' is what had no route. */
export interface KeyedHistogram extends Omit<NativeHistogram, 'route'> {
  key: string
}

/** One for each key and engine. `keyOf`: undefined for routes that are of no interest. */
export function byKey(
  histograms: readonly NativeHistogram[],
  keyOf: (route: number) => string | undefined,
  carried: readonly KeyedHistogram[] = [],
): KeyedHistogram[] {
  const merged = new Map<string, KeyedHistogram>()
  const add = (one: KeyedHistogram) => {
    const name = `${one.engine}\0${one.key}`
    const known = merged.get(name)
    merged.set(name, known === undefined ? one : sum(known, one))
  }
  for (const one of carried) add(one)
  for (const { route, ...rest } of histograms) {
    const key = keyOf(route)
    if (key !== undefined) add({ key, ...rest })
  }
  return [...merged.values()]
}

function sum(one: KeyedHistogram, other: KeyedHistogram): KeyedHistogram {
  const own = new Map<number, number>()
  for (const { buckets } of [one, other]) {
    let before = 0
    for (const { leUs, count } of buckets) {
      own.set(leUs, (own.get(leUs) ?? 0) + count - before)
      before = count
    }
  }
  let total = 0
  const buckets = [...own]
    .sort(([left], [right]) => left - right)
    .map(([leUs, count]) => {
      total += count
      return { leUs, count: total }
    })
  return { ...one, count: one.count + other.count, sumUs: one.sumUs + other.sumUs, buckets }
}
