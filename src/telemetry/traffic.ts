// What the core has counted by the names of routes. A route that changes gets another number and
// begins anew there; to whoever looks at its key it is one series. Pure; main thread.

import type { ResolvedAction, ResolvedRoute } from '../config/resolved.ts'
import type { NativeTraffic } from '../native/interface.ts'
import { addHistograms } from './quantiles.ts'

/** What figures call a route. */
export interface RouteName {
  key: string
  /** Name of the upstream that its requests may go to; '': they do not. */
  upstream: string
}

/** As NativeTraffic, by the names of its route; '' is what had no route, or was ours to answer. */
export interface NamedTraffic extends Omit<NativeTraffic, 'route' | 'isForwarded'>, RouteName {}

export const noRoute: RouteName = { key: '', upstream: '' }

export function routeNames(routes: readonly ResolvedRoute[]): RouteName[] {
  return routes.map(({ key, action }) => ({ key, upstream: upstreamOf(action) }))
}

/** The name of the upstream that requests of a route may go to; '': to none. */
function upstreamOf(action: ResolvedAction): string {
  switch (action.kind) {
    case 'proxy':
      return action.upstream
    case 'handler':
    case 'mount':
      return 'app'
    case 'files':
      return action.otherwise ? upstreamOf(action.otherwise) : ''
    default:
      return ''
  }
}

/** One for each name and kind. `nameOf`: undefined for routes that are of no interest. */
export function byName(
  traffic: readonly NativeTraffic[],
  nameOf: (route: number) => RouteName | undefined,
  carried: readonly NamedTraffic[] = [],
): NamedTraffic[] {
  const merged = new Map<string, NamedTraffic>()
  const add = (one: NamedTraffic) => {
    const name = [one.engine, one.statusClass, one.upstream, one.key].join('\0')
    const known = merged.get(name)
    merged.set(name, known === undefined ? one : sum(known, one))
  }
  for (const one of carried) add(one)
  for (const { route, isForwarded, ...rest } of traffic) {
    const name = nameOf(route)
    if (name !== undefined) add({ ...rest, ...name, upstream: isForwarded ? name.upstream : '' })
  }
  return [...merged.values()]
}

function sum(one: NamedTraffic, other: NamedTraffic): NamedTraffic {
  return { ...one, ...addHistograms(one, other), bytes: one.bytes + other.bytes }
}
