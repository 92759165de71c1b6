// What the system knows of a name: /etc/hosts first, then DNS with its times to live, then the
// system's own resolver for what only that knows (search domains of a cluster, mDNS). Main thread.
// Must never wait for ever: DNS gives up after a few seconds.

import { ADDRCONFIG, promises as dns } from 'node:dns'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

/** The addresses of one family. */
export type Family =
  | { kind: 'found'; addresses: string[]; ttlMs: number }
  /** There is no such name, or it has no such address. */
  | { kind: 'none'; reason: string }
  /** Nobody could tell: what was known before still holds. */
  | { kind: 'failed'; reason: string }

export interface Found {
  v4: Family
  v6: Family
}

/** One SRV record (RFC 2782): a host that offers a service. */
export interface ServiceRecord {
  host: string
  port: number
  /** The lowest number is to be used first. */
  priority: number
  /** Its share among those of the same priority. */
  weight: number
}

export type Service =
  | { kind: 'found'; records: ServiceRecord[] }
  | { kind: 'none'; reason: string }
  | { kind: 'failed'; reason: string }

/** Asks what a name means; tests bring their own. */
export interface Lookup {
  find(name: string): Promise<Found>
  /** Who offers a service; only DNS knows. */
  findService(name: string): Promise<Service>
  /** Calls off what is under way. */
  close(): void
}

/** Answers that say nothing about their age are asked for again after this. */
const unsaidTtlMs = 10_000
const hostsPath = '/etc/hosts'
const dnsTimeoutMs = 2_000
const dnsTries = 2

export interface LookupOptions {
  /** Name servers, 'address:port'; those of the system unless named. */
  servers?: string[]
  /** Whether this machine could reach IPv6 addresses. */
  hasIpv6?: () => boolean
}

/** The lookup of this machine. */
export function systemLookup({ servers, hasIpv6 = canIpv6 }: LookupOptions = {}): Lookup {
  let resolver: dns.Resolver | undefined
  return {
    async find(name) {
      const inHosts = addressesInHosts(await hostsText(), name)
      if (inHosts.length > 0) return reachable(byFamily(inHosts), hasIpv6)
      resolver ??= newResolver(servers)
      const server = resolver
      const [v4, v6] = await Promise.all([
        ask(() => server.resolve4(name, { ttl: true })),
        ask(() => server.resolve6(name, { ttl: true })),
      ])
      if (v4.kind === 'found' || v6.kind === 'found') return reachable({ v4, v6 }, hasIpv6)
      return (await askSystem(name)) ?? { v4, v6 }
    },
    async findService(name) {
      resolver ??= newResolver(servers)
      return askForService(resolver, name)
    },
    close: () => resolver?.cancel(),
  }
}

/** Without IPv6 addresses where this machine could reach none of them, as long as IPv4 can. */
function reachable({ v4, v6 }: Found, hasIpv6: () => boolean): Found {
  if (v4.kind !== 'found' || v6.kind !== 'found' || hasIpv6()) return { v4, v6 }
  const addresses = v6.addresses.filter((address) => address === '::1')
  return {
    v4,
    v6: addresses.length > 0 ? { ...v6, addresses } : { kind: 'none', reason: 'no IPv6' },
  }
}

function newResolver(servers: string[] | undefined): dns.Resolver {
  const resolver = new dns.Resolver({ timeout: dnsTimeoutMs, tries: dnsTries })
  if (servers !== undefined) resolver.setServers(servers)
  return resolver
}

function canIpv6(): boolean {
  const all = Object.values(networkInterfaces()).flat()
  return all.some(
    (one) => one?.family === 'IPv6' && !one.internal && !/^fe[89ab]/.test(one.address),
  )
}

async function hostsText(): Promise<string> {
  try {
    return await readFile(hostsPath, 'utf8')
  } catch {
    return ''
  }
}

/** What a file like /etc/hosts says of a name. */
export function addressesInHosts(text: string, name: string): string[] {
  const wanted = name.toLowerCase().replace(/\.$/, '')
  const found = text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    const isMeant = names.some((each) => each.toLowerCase() === wanted)
    // A zone ('%eth0') means something to this machine alone, and nothing to the core.
    return isMeant && isIP(address) !== 0 && !address.includes('%') ? [address] : []
  })
  return [...new Set(found)]
}

function byFamily(addresses: string[]): Found {
  const family = (version: number): Family => {
    const own = addresses.filter((address) => isIP(address) === version)
    if (own.length === 0) return { kind: 'none', reason: 'ENODATA' }
    return { kind: 'found', addresses: own, ttlMs: unsaidTtlMs }
  }
  return { v4: family(4), v6: family(6) }
}

async function ask(records: () => Promise<{ address: string; ttl: number }[]>): Promise<Family> {
  try {
    const found = await records()
    if (found.length === 0) return { kind: 'none', reason: 'ENODATA' }
    const ttlMs = 1_000 * Math.min(...found.map(({ ttl }) => ttl))
    return { kind: 'found', addresses: found.map(({ address }) => address), ttlMs }
  } catch (error) {
    return whyNot(error)
  }
}

function whyNot(error: unknown): { kind: 'none' | 'failed'; reason: string } {
  const reason = (error as NodeJS.ErrnoException).code ?? 'EUNKNOWN'
  return { kind: reason === 'ENOTFOUND' || reason === 'ENODATA' ? 'none' : 'failed', reason }
}

async function askForService(resolver: dns.Resolver, name: string): Promise<Service> {
  try {
    const found = await resolver.resolveSrv(name)
    // '.' says that the service is not offered here (RFC 2782); nobody listens on port 0.
    const offers = found.filter((each) => /[^.]/.test(each.name) && each.port !== 0)
    if (offers.length === 0) return { kind: 'none', reason: 'ENODATA' }
    const records = offers.map(({ name: host, port, priority, weight }) => {
      return { host: host.toLowerCase().replace(/\.$/, ''), port, priority, weight }
    })
    return { kind: 'found', records }
  } catch (error) {
    return whyNot(error)
  }
}

// undefined: it knows nothing either, and DNS has said more precisely why.
async function askSystem(name: string): Promise<Found | undefined> {
  try {
    const found = await dns.lookup(name, { all: true, hints: ADDRCONFIG })
    if (found.length === 0) return undefined
    const addresses = found.map(({ address }) => address).filter((one) => !one.includes('%'))
    return byFamily([...new Set(addresses)])
  } catch {
    return undefined
  }
}
