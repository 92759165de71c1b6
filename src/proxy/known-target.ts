// One target as an upstream knows it: where it is now and what watches it, be it an address, a name
// or a service that several offer. Main thread. Decides nothing; the upstream that owns it does.

import type { ResolvedTarget } from '../config/resolved.ts'
import type { NativeEndpoint } from '../native/values.ts'
import type { HealthCheck } from './health-check.ts'
import type { NameWatch } from './name-watch.ts'
import type { Offer, ServiceWatch } from './service-watch.ts'

export interface KnownAddress {
  id: number
  target: ResolvedTarget
  endpoint: NativeEndpoint
  name: string
  check: HealthCheck | undefined
}

export interface KnownTarget {
  target: ResolvedTarget
  /** Of a name or a service; undefined: its address needs no resolution. */
  watch: NameWatch | ServiceWatch | undefined
  addresses: KnownAddress[]
  /** Who offers it, if it is a service: each a target of its own. */
  offers: KnownTarget[]
  stopped: boolean
}

/** The same place with another weight or so. */
export function adjust(known: KnownTarget, target: ResolvedTarget): void {
  known.target = target
  for (const address of known.addresses) address.target = target
  for (const offer of known.offers) {
    const { address, authority, weight, backup } = offer.target
    adjust(offer, { ...target, address, authority, weight, backup })
  }
}

export async function startTarget({ watch, addresses }: KnownTarget): Promise<void> {
  for (const { check } of addresses) check?.start()
  await watch?.start()
}

export function stopTarget(known: KnownTarget): void {
  known.stopped = true
  known.watch?.stop()
  for (const { check } of addressesOf(known)) check?.stop()
  for (const offer of known.offers) offer.watch?.stop()
}

export function addressesOf({ addresses, offers }: KnownTarget): KnownAddress[] {
  return [...addresses, ...offers.flatMap((offer) => offer.addresses)]
}

/** Why there is no address; of a service that is found, why its hosts have none. */
export function troubleOf({ watch, offers }: KnownTarget): string | undefined {
  return watch?.trouble ?? offers.map((offer) => offer.watch?.trouble).find(Boolean)
}

/** What an offer of the service `target` is as a target. */
export function offeredTarget(target: ResolvedTarget, offer: Offer): ResolvedTarget {
  const { host, port, weight, backup } = offer
  const authority = port === 80 ? host : `${host}:${port}`
  return { ...target, address: { host, port }, authority, weight, backup }
}

export function endpointOf(
  address: { host: string; port: number } | { path: string },
): NativeEndpoint {
  if ('path' in address) return { kind: 'unix', path: address.path }
  return { kind: 'tcp', ...address }
}

/** '10.0.0.1:3000', '[::1]:3000', or the path of a socket. */
export function endpointName(endpoint: NativeEndpoint): string {
  if (endpoint.kind === 'unix') return endpoint.path
  const { host, port } = endpoint
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
