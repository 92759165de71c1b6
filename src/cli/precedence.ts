// Why one route comes before another, in words. The core decides (native/route/route_table.h); here
// its rules are only told: host, then path segment by segment, then method.

import type { ResolvedRoute } from '../config/resolved.ts'

type Pattern = Pick<ResolvedRoute, 'method' | 'host' | 'path'>

/** Ends the sentence "it comes first because …". */
export function whyBefore(winner: Pattern, other: Pattern): string {
  if (winner.host !== other.host) {
    if (other.host === '') return `it names the host ${winner.host}`
    return `${winner.host} is more specific than ${other.host}`
  }
  const theirs = other.path.split('/')
  for (const [index, segment] of winner.path.split('/').entries()) {
    const twin = theirs[index] ?? ''
    if (rank(segment) !== rank(twin))
      return `its path has '${segment}' where the other has '${twin}'`
  }
  if (winner.path.length < other.path.length) return "its path ends where the other has '*'"
  return `it names the method ${winner.method}`
}

function rank(segment: string): number {
  if (segment === '*') return 0
  return segment.startsWith(':') ? 1 : 2
}
