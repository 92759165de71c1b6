// Listening sockets that somebody else has bound: a service manager, or the process before this
// one. Says which of them a listener takes over. Pure; any thread.

import { addressOf } from './listening.ts'
import type { NativeAddress } from './values.ts'

export interface InheritedSocket {
  fd: number
  address: NativeAddress
}

export function isSameAddress(one: NativeAddress, other: NativeAddress): boolean {
  if (one.kind === 'unix') return other.kind === 'unix' && one.path === other.path
  return other.kind === 'tcp' && one.host === other.host && one.port === other.port
}

/**
 * Takes out of `sockets` those that are for `wanted`: of the same address; else, since a service
 * manager may listen on other interfaces than the configuration says, those of the same port.
 */
export function takeFor(sockets: InheritedSocket[], wanted: NativeAddress): number[] {
  const exact = takeOut(sockets, ({ address }) => isSameAddress(address, wanted))
  if (exact.length > 0 || wanted.kind === 'unix' || wanted.port === 0) return exact
  return takeOut(sockets, ({ address }) => address.kind === 'tcp' && address.port === wanted.port)
}

function takeOut(sockets: InheritedSocket[], isWanted: (one: InheritedSocket) => boolean) {
  const taken = sockets.filter(isWanted)
  for (const one of taken) sockets.splice(sockets.indexOf(one), 1)
  return taken.map(({ fd }) => fd)
}

/**
 * The sockets of each listener, taken out of `sockets`. Throws when one is left over: whoever
 * connects to it would wait for ever.
 */
export function distribute(
  sockets: InheritedSocket[],
  listeners: readonly { host?: string; port?: number; path?: string }[],
): number[][] {
  const taken = listeners.map(({ host = '127.0.0.1', port = 0, path }) =>
    takeFor(sockets, path === undefined ? { kind: 'tcp', host, port } : { kind: 'unix', path }),
  )
  const [stranger] = sockets
  if (stranger === undefined) return taken
  const { url } = addressOf(stranger.address)
  throw new Error(`a listening socket was handed over that no listener is for: ${url}`)
}
