// The targets of one upstream and their life: which addresses there are (names resolve anew), which
// of them are well (checks), which are to get no more requests (an operator drains them). Main
// thread. Says when what the core should know has changed; never gives it no targets because
// nobody knows better.

import { isIP } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import type { ResolvedTarget, ResolvedUpstream } from '../config/resolved.ts'
import type { NativeTarget } from '../native/upstreams.ts'
import type { NativeEndpoint } from '../native/values.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Clock } from './clock.ts'
import type { Gate } from './gate.ts'
import { type Health, HealthCheck, type Probe } from './health-check.ts'
import {
  addressesOf,
  adjust,
  endpointName,
  endpointOf,
  type KnownAddress,
  type KnownTarget,
  offeredTarget,
  startTarget,
  stopTarget,
  troubleOf,
} from './known-target.ts'
import type { Lookup } from './lookup.ts'
import { NameWatch } from './name-watch.ts'
import { type Probed, prepareProbes } from './probes.ts'
import { mannerOf, type RelayedUpstream } from './relay-messages.ts'
import { type Offer, ServiceWatch } from './service-watch.ts'

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

/** A target for the core, and whether TLS is spoken with it. */
export interface PublishedTarget extends NativeTarget {
  secure: boolean
  /** How it is spoken to where the core cannot. */
  manner: RelayedUpstream
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

  /** Whether what is known of the targets holds with this configuration: they are reached alike. */
  isReachedAsBy(config: ResolvedUpstream): boolean {
    const before = { manner: mannerOf(this.#config), targets: this.#config.targets }
    const now = { manner: mannerOf(config), targets: config.targets }
    const needNone = ![before, now].some(needsRelays)
    return needNone || isDeepStrictEqual(before.manner, now.manner)
  }

  /** Takes over what operators have done to one of the same name, before start(). */
  succeed(before: Upstream): void {
    for (const which of before.#draining) this.#draining.add(which)
    const configured = before.#config.targets.map(({ url }) => url)
    for (const url of configured) if (!before.has(url)) this.#take(url)
    for (const { target } of before.#targets) {
      if (!configured.includes(target.url) && !this.has(target.url)) this.#bring(target)
    }
  }

  get name(): string {
    return this.#config.name
  }

  /** For the core. */
  get targets(): PublishedTarget[] {
    return this.#addresses().map(({ id, target, endpoint, name, check }) => {
      const { authority, secure, weight, maxConnections, backup } = target
      const isDraining = this.#isDraining(target.url, name)
      const state = isDraining ? 'draining' : check?.health === 'down' ? 'down' : 'up'
      const settings = { authority, secure, weight, maxConnections, backup }
      const manner = mannerOf(this.#config)
      return { id, address: endpoint, relayed: '', ...settings, state, manner }
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
      .filter((known) => addressesOf(known).length === 0)
      .map((known) => ({ url: known.target.url, reason: troubleOf(known) ?? 'not asked yet' }))
  }

  /** Begins to resolve and to check. Resolves when every name has been asked for once. */
  async start(): Promise<void> {
    this.#running = true
    await Promise.all(this.#targets.map(startTarget))
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
    if (this.#running) void startTarget(known)
  }

  #take(url: string): boolean {
    const index = this.#targets.findIndex(({ target }) => target.url === url)
    const [known] = index < 0 ? [] : this.#targets.splice(index, 1)
    if (known === undefined) return false
    stopTarget(known)
    const names = addressesOf(known).map(({ name }) => name)
    for (const name of [url, ...names]) this.#draining.delete(name)
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
    return this.#targets.flatMap(addressesOf)
  }

  #isDraining(url: string, name: string): boolean {
    return this.#draining.has(url) || this.#draining.has(name)
  }

  #known(target: ResolvedTarget): KnownTarget {
    const { address } = target
    const { lookup, clock } = this.#around
    const known: KnownTarget = {
      target,
      watch: undefined,
      addresses: [],
      offers: [],
      stopped: false,
    }
    if ('service' in address) {
      const onChange = (offers: Offer[]) => this.#offered(known, offers)
      const onTrouble = (reason: string | undefined) => this.#reportTrouble(known, reason)
      const { service: name } = address
      known.watch = new ServiceWatch({ name, lookup, clock, onChange, onTrouble })
      return known
    }
    if ('path' in address || isIP(address.host) !== 0) {
      known.addresses = [this.#address(target, endpointOf(address))]
      return known
    }
    const { port, host } = address
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
    const { health, proxyProtocol, tls } = this.#config
    if (health === false) return undefined
    const { clock, gate, probeOf } = this.#around
    const { interval, timeout, rise, fall } = health
    const { authority, secure } = target
    const probe = probeOf({ endpoint, authority, secure, tls, proxyProtocol, health })
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

  // Who goes on offering the service keeps its addresses. The others go only when somebody who has
  // come has one: there is no moment without targets. false: nobody has, and nothing changes.
  async #offered(known: KnownTarget, offers: readonly Offer[]): Promise<boolean> {
    const before = known.offers
    const added: KnownTarget[] = []
    const now = offers.map((offer) => {
      const target = offeredTarget(known.target, offer)
      const same = before.find((one) => one.target.authority === target.authority)
      if (same !== undefined) {
        adjust(same, target)
        return same
      }
      const fresh = this.#known(target)
      added.push(fresh)
      return fresh
    })
    if (this.#running) await Promise.all(added.map((one) => startTarget(one)))
    const isUsable = now.some(({ addresses }) => addresses.length > 0)
    if (known.stopped || (!isUsable && before.length > 0)) {
      for (const one of added) stopTarget(one)
      return false
    }
    known.offers = now
    for (const one of before.filter((each) => !now.includes(each))) stopTarget(one)
    const who = now.map(({ target }) => target.authority)
    const fields = { upstream: this.name, target: known.target.url, offers: who }
    this.#around.logger.info(fields, `${known.target.url} is offered by ${who.join(', ')}`)
    this.#onChange()
    return true
  }

  #reportTrouble(known: KnownTarget, reason: string | undefined): void {
    const { url } = known.target
    const fields = { upstream: this.name, target: url }
    if (reason === undefined) return
    const consequence =
      addressesOf(known).length === 0
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

function needsRelays({ manner, targets }: { manner: RelayedUpstream; targets: ResolvedTarget[] }) {
  return manner.speaks === 'undici' || targets.some(({ secure }) => secure)
}
