// What must hold for listeners beyond the kinds of their options: a port or a path, a path that
// fits, no address twice, certificates that can be used. And the listeners that follow from others.

import { resolve } from 'node:path'
import { loadAddon } from '../native/addon.ts'
import { compileTls } from './compile-tls.ts'
import type { Place } from './place.ts'
import type { ResolvedListener } from './resolved.ts'

// The longest path that fits into sockaddr_un.
const longestSocketPath = 107

/** The listeners with their addresses completed. Reports; what it returns is then not used. */
export function completeListeners(listeners: ResolvedListener[], place: Place): ResolvedListener[] {
  const seen = new Set<string>()
  const note = (listener: ResolvedListener, at: Place) => {
    const name = JSON.stringify([listener.host, listener.port, listener.path])
    if (seen.has(name) && listener.port !== 0) at.report('the same address as one before it')
    seen.add(name)
  }
  const placeOf = (index: number) => (listeners.length === 1 ? place : place.at(index))
  const complete = listeners.map((listener, index) => {
    const read = completeListener(listener, placeOf(index))
    note(read, placeOf(index))
    return read
  })
  const twins = complete.flatMap((listener, index) => {
    const twin = plainTwin(listener, index, placeOf(index).at('tls').at('httpsOnly'))
    if (twin !== undefined) note(twin, placeOf(index).at('tls').at('httpsOnly').at('from'))
    return twin ?? []
  })
  return [...complete, ...twins]
}

function completeListener(listener: ResolvedListener, place: Place): ResolvedListener {
  const { host = 'localhost', port, path, proxyProtocol, tcp, tls } = listener
  const rules = {
    proxyProtocol,
    ...(tcp !== undefined && { tcp }),
    ...(tls !== undefined && { tls }),
  }
  if (tcp !== undefined) place.scope?.upstreamNamed(tcp, place.at('tcp'))
  if (tls !== undefined) checkFiles(tls, place.at('tls'))
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

/** What is wrong with the files, in the words of OpenSSL, at the option that names each. */
function checkFiles(tls: NonNullable<ResolvedListener['tls']>, place: Place): void {
  for (const { option, file, reason } of loadAddon().checkTls(compileTls(tls))) {
    const keys = option.split(/[.[\]]+/).filter((key) => key !== '')
    const at = keys.reduce((where, key) => where.at(/^\d+$/.test(key) ? Number(key) : key), place)
    at.report(file === '' ? reason : `${file}: ${reason}`)
  }
}

/** The listener that `httpsOnly` opens beside the one at `index`. */
function plainTwin(listener: ResolvedListener, index: number, place: Place) {
  const httpsOnly = listener.tls?.httpsOnly ?? false
  if (httpsOnly === false) return undefined
  if (listener.tcp !== undefined) return place.report('what is passed on as it is has no HTTP')
  if (listener.host === undefined) return place.report('a unix socket has no port beside it')
  const { host, proxyProtocol } = listener
  return { host, port: httpsOnly.from, proxyProtocol, redirectsTo: index }
}
