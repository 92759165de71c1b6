// Where a gateway listens, as people read it, and why it could not. Pure; any thread.
// The core says addresses and errno names; everything for the eye is made here, so that the command
// line, the log and programs say the same.

import type { NativeAddress } from './interface.ts'
import type { TlsProblem } from './tls.ts'

/** Where a listener really is; `url` is how a client on this machine reaches it. */
export type Address = NativeAddress & { url: string }

/** Adds the URL; a wildcard address is reached at its loopback. */
export function addressOf(address: NativeAddress, isSecure = false): Address {
  if (address.kind === 'unix') return { ...address, url: `unix:${address.path}` }
  const loopbacks: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
  const host = loopbacks[address.host] ?? address.host
  const scheme = isSecure ? 'https' : 'http'
  return { ...address, url: `${scheme}://${hostPort(host, address.port)}` }
}

function hostPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

const reasons: Record<string, string> = {
  EADDRINUSE: 'the address is in use',
  EACCES: 'permission denied',
  EADDRNOTAVAIL: 'this machine does not have that address',
  EAGAIN: 'no more threads can be started (raise ulimit -u, or set fewer workers)',
}

function placeOf({ host = '', port = 0, path }: { host?: string; port?: number; path?: string }) {
  return path ?? hostPort(host, port)
}

interface ListenFault {
  address?: NativeAddress
  /** Files that became unusable after the configuration was checked. */
  tls?: TlsProblem[]
}

/** A listener could not be had; the message names the one that failed, if the core said which. */
export class ListenError extends Error {
  readonly code = 'ERR_SLUICE_LISTEN'
  override name = 'ListenError'
  /** errno name such as EADDRINUSE; '' when the system gave none. */
  readonly errno: string

  /** `cause` is what the core threw: its `address`, when it has one, is the one that failed. */
  constructor(
    listeners: readonly { host?: string; port?: number; path?: string }[],
    cause: unknown,
  ) {
    const thrown = cause as NodeJS.ErrnoException & ListenFault
    const { code = '', message = String(cause), address } = thrown
    const places = (address ? [address] : listeners).map(placeOf)
    const files = (thrown.tls ?? []).map(({ file, reason }) => `${file}: ${reason}`)
    const why = files.length > 0 ? files.join('; ') : (reasons[code] ?? message)
    super(`cannot listen on ${places.join(', ')}: ${why}`, { cause })
    this.errno = code
  }
}
