// What must hold for listeners beyond the kinds of their options: a port or a path, a path that
// fits, and no address twice.

import { resolve } from 'node:path'
import type { Place } from './place.ts'
import type { ResolvedListener } from './resolved.ts'

// The longest path that fits into sockaddr_un.
const longestSocketPath = 107

/** The listeners with their addresses completed. Reports; what it returns is then not used. */
export function completeListeners(listeners: ResolvedListener[], place: Place): ResolvedListener[] {
  const seen = new Set<string>()
  return listeners.map((listener, index) => {
    const at = listeners.length === 1 ? place : place.at(index)
    const complete = completeListener(listener, at)
    const name = JSON.stringify([complete.host, complete.port, complete.path])
    if (seen.has(name) && complete.port !== 0) at.report('the same address as one before it')
    seen.add(name)
    return complete
  })
}

function completeListener(listener: ResolvedListener, place: Place): ResolvedListener {
  const { host = 'localhost', port, path, proxyProtocol, tcp } = listener
  const rules = { proxyProtocol, ...(tcp !== undefined && { tcp }) }
  if (tcp !== undefined) place.scope?.upstreamNamed(tcp, place.at('tcp'))
  if (path === undefined) {
    if (port === undefined) place.report('expected a port or a path')
    return { host: host === 'localhost' ? '127.0.0.1' : host, port: port ?? 0, ...rules }
  }
  if (port !== undefined || listener.host !== undefined) {
    place.report('a unix socket (path) has neither port nor host')
  }
  const absolute = resolve(place.directory, path)
  const bytes = Buffer.byteLength(absolute)
  if (bytes > longestSocketPath) {
    place
      .at('path')
      .report(`${absolute} has ${bytes} bytes; the system takes at most ${longestSocketPath}`)
  }
  return { path: absolute, ...rules }
}
