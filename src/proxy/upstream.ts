// The targets of one upstream and their life: which addresses there are (names resolve anew), which
// of them are well (checks), which are to get no more requests (an operator drains them). Main
// thread. Says when what the core should know has changed; never gives it no targets because
// nobody knows better.

import { isIP } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import type { ResolvedAddress, ResolvedTarget, ResolvedUpstream } from '../config/resolved.ts'
import type { NativeTarget } from '../native/upstreams.ts'
import type { NativeEndpoint } from '../native/values.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Clock } from './clock.ts'
import type { Gate } from './gate.ts'
import { type Health, HealthCheck, type Probe } from './health-check.ts'
import type { Lookup } from './lookup.ts'
import { NameWatch } from './name-watch.ts'
import { type Probed, prepareProbes } from './probes.ts'

/** What the upstreams of one gateway share. */
export interface Surroundings {
  lookup: Lookup
  clock: Clock
  gate: Gate
  logger: Logger
  probeOf: (probed: Probed) => Probe
  /** Ids are unique within the gateway and never used again. */
  nextId: () => number
}

/** One address now, with everything that is known of it on this side. */
export interface Member {
  id: number
  /** As the configuration has it: 'http://app:3000'. */
  url: string
  /** '10.0.0.1:3000', '[::1]:3000' or the path of a socket. */
  address: string
  weight: number
  backup: boolean
  draining: boolean
  health: Health | 'unwatched'
  /** Why the last check failed; '' when it did not. */
  reason: string
}

interface KnownAddress {
  id: number
  target: ResolvedTarget
  endpoint: NativeEndpoint
  name: string
  check: HealthCheck | undefined
}

interface KnownTarget {
  target: ResolvedTarget
  /** undefined: its address needs no resolution. */
  watch: NameWatch | undefined
  addresses: KnownAddress[]
}

export class Upstream {
  #config: ResolvedUpstream
  readonly #around: Surroundings
  readonly #onChange: () => void
  #targets: KnownTarget[] = []
  /** URLs and names of addresses that get no new requests. */
  readonly #draining = new Set<string>()
  #running = false

  constructor(config: ResolvedUpstream, around: Surroundings, onChange: () => void) {
    this.#config = config
    this.#around = around
    this.#onChange = onChange
    this.#targets = config.targets.map((target) => this.#known(target))
  }

  get name(): string {
    return this.#config.name
  }

  /** For the core. */
  get targets(): NativeTarget[] {
    return this.#addresses().map(({ id, target, endpoint, name, check }) => {
      const { authority, weight, maxConnections, backup } = target
      const isDraining = this.#isDraining(target.url, name)
      const state = isDraining ? 'draining' : check?.health === 'down' ? 'down' : 'up'
      return { id, address: endpoint, authority, weight, maxConnections, backup, state }
    })
  }

  /** For people. */
  get members(): Member[] {
    return this.#addresses().map(({ id, target, name, check }) => ({
      id,
      url: target.url,
      address: name,
      weight: target.weight,
      backup: target.backup,
      draining: this.#isDraining(target.url, name),
      health: check?.health ?? 'unwatched',
      reason: check?.lastReason ?? '',
    }))
  }

  /** URLs whose names have no address now, with the reason. */
  get unresolved(): { url: string; reason: string }[] {
    return this.#targets
      .filter(({ addresses }) => addresses.length === 0)
      .map(({ target, watch }) => ({ url: target.url, reason: watch?.trouble ?? 'not asked yet' }))
  }

  /** Begins to resolve and to check. Resolves when every name has been asked for once. */
  async start(): Promise<void> {
    this.#running = true
    for (const { check } of this.#addresses()) check?.start()
    await Promise.all(this.#targets.map(({ watch }) => watch?.start()))
  }

  stop(): void {
    this.#running = false
    for (const known of this.#targets) stopTarget(known)
  }

  /**
   * What changed in the configuration changes here: whatever it does not speak of stays as it is,
   * what operators added, removed and drain included.
   */
  configure(config: ResolvedUpstream): void {
    const before = this.#config
    if (isDeepStrictEqual(before, config)) return
    this.#config = config
    const wanted = new Map(config.targets.map((target) => [target.url, target]))
    const had = new Map(before.targets.map((target) => [target.url, target]))
    for (const url of had.keys()) if (!wanted.has(url)) this.#take(url)
    for (const known of this.#targets) {
      const { url } = known.target
      const target = wanted.get(url)
      if (target !== undefined && !isDeepStrictEqual(had.get(url), target)) adjust(known, target)
    }
    const asBefore = isDeepStrictEqual(
      [before.health, before.proxyProtocol],
      [config.health, config.proxyProtocol],
    )
    if (!asBefore) for (const address of this.#addresses()) this.#checkAnew(address)
    for (const [url, target] of wanted) {
      if (!had.has(url) && !this.has(url)) this.#bring(target)
    }
    this.#onChange()
  }

  has(url: string): boolean {
    return this.#targets.some(({ target }) => target.url === url)
  }

  add(target: ResolvedTarget): void {
    this.#bring(target)
    this.#onChange()
  }

  /** false: there is no such target. */
  remove(url: string): boolean {
    if (!this.#take(url)) return false
    this.#onChange()
    return true
  }

  #bring(target: ResolvedTarget): void {
    const known = this.#known(target)
    this.#targets.push(known)
    if (!this.#running) return
    for (const { check } of known.addresses) check?.start()
    void known.watch?.start()
  }

  #take(url: string): boolean {
    const index = this.#targets.findIndex(({ target }) => target.url === url)
    const [known] = index < 0 ? [] : this.#targets.splice(index, 1)
    if (known === undefined) return false
    stopTarget(known)
    for (const name of [url, ...known.addresses.map((one) => one.name)]) this.#draining.delete(name)
    return true
  }

  #checkAnew(address: KnownAddress): void {
    address.check?.stop()
    address.check = this.#check(address.target, address.endpoint)
    if (this.#running) address.check?.start()
  }

  /** A URL, or one of its addresses; false: there is none. */
  setDraining(which: string, isDraining: boolean): boolean {
    const exists = this.has(which) || this.#addresses().some(({ name }) => name === which)
    if (!exists && !this.#draining.has(which)) return false
    if (isDraining) this.#draining.add(which)
    else this.#draining.delete(which)
    this.#onChange()
    return true
  }

  #addresses(): KnownAddress[] {
    return this.#targets.flatMap(({ addresses }) => addresses)
  }

  #isDraining(url: string, name: string): boolean {
    return this.#draining.has(url) || this.#draining.has(name)
  }

  #known(target: ResolvedTarget): KnownTarget {
    const { address } = target
    if ('path' in address || isIP(address.host) !== 0) {
      return { target, watch: undefined, addresses: [this.#address(target, endpointOf(address))] }
    }
    const { port, host } = address
    const { lookup, clock } = this.#around
    const known: KnownTarget = { target, watch: undefined, addresses: [] }
    const onChange = (hosts: readonly string[]) => this.#resolved(known, hosts, port)
    const onTrouble = (reason: string | undefined) => this.#reportTrouble(known, reason)
    known.watch = new NameWatch({ name: host, lookup, clock, onChange, onTrouble })
    return known
  }

  #address(target: ResolvedTarget, endpoint: NativeEndpoint): KnownAddress {
    const name = endpointName(endpoint)
    return {
      id: this.#around.nextId(),
      target,
      endpoint,
      name,
      check: this.#check(target, endpoint),
    }
  }

  #check(target: ResolvedTarget, endpoint: NativeEndpoint): HealthCheck | undefined {
    const { health, proxyProtocol } = this.#config
    if (health === false) return undefined
    const { clock, gate, probeOf } = this.#around
    const { interval, timeout, rise, fall } = health
    const probe = probeOf({ endpoint, authority: target.authority, proxyProtocol, health })
    const onChange = (now: Health, reason: string) => {
      this.#reportHealth(target, endpoint, now, reason)
      this.#onChange()
    }
    const ready = () => prepareProbes(health)
    return new HealthCheck({ probe, ready, interval, timeout, rise, fall, clock, gate, onChange })
  }

  // Addresses that stay keep their id, and with it what is counted and known of them.
  #resolved(known: KnownTarget, hosts: readonly string[], port: number): void {
    const before = known.addresses
    known.addresses = hosts.map((host) => {
      const endpoint: NativeEndpoint = { kind: 'tcp', host, port }
      const name = endpointName(endpoint)
      return before.find((one) => one.name === name) ?? this.#address(known.target, endpoint)
    })
    for (const { check } of before.filter((one) => !known.addresses.includes(one))) check?.stop()
    for (const { check } of known.addresses.filter((one) => !before.includes(one))) check?.start()
    const fields = { upstream: this.name, target: known.target.url, addresses: hosts }
    this.#around.logger.info(fields, `${known.target.url} is at ${hosts.join(', ')}`)
    this.#onChange()
  }

  #reportTrouble(known: KnownTarget, reason: string | undefined): void {
    const { url } = known.target
    const fields = { upstream: this.name, target: url }
    if (reason === undefined) return
    const consequence =
      known.addresses.length === 0
        ? 'it gets no requests until it does'
        : 'its last addresses stay in use'
    const code = 'name-unresolved'
    const message = `the name of ${url} does not resolve (${reason}): ${consequence}`
    this.#around.logger.warn({ code, ...fields }, message)
  }

  #reportHealth(target: ResolvedTarget, endpoint: NativeEndpoint, now: Health, why: string): void {
    const address = endpointName(endpoint)
    const fields = { upstream: this.name, target: target.url, address }
    const { logger } = this.#around
    if (now === 'down') {
      const message = `${address} of upstream '${this.name}' is down: ${why}`
      logger.warn({ code: 'target-down', ...fields }, message)
    } else
      logger.info({ code: 'target-up', ...fields }, `${address} of upstream '${this.name}' is up`)
  }
}

/** The same place with another weight or so. */
function adjust(known: KnownTarget, target: ResolvedTarget): void {
  known.target = target
  for (const address of known.addresses) address.target = target
}

function stopTarget({ watch, addresses }: KnownTarget): void {
  watch?.stop()
  for (const { check } of addresses) check?.stop()
}

function endpointOf(address: ResolvedAddress): NativeEndpoint {
  if ('path' in address) return { kind: 'unix', path: address.path }
  return { kind: 'tcp', ...address }
}

/** '10.0.0.1:3000', '[::1]:3000', or the path of a socket. */
export function endpointName(endpoint: NativeEndpoint): string {
  if (endpoint.kind === 'unix') return endpoint.path
  const { host, port } = endpoint
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
