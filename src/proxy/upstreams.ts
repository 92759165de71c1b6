// The targets of all upstreams of one gateway: which addresses requests can go to. Main thread.
// An id belongs to one address of one upstream for ever. Names are not resolved yet: only numeric
// addresses and unix sockets are targets.

import { isIP } from 'node:net'
import type { ResolvedAddress, ResolvedTarget, ResolvedUpstream } from '../config/resolved.ts'
import type { NativeTarget } from '../native/upstreams.ts'
import type { NativeEndpoint } from '../native/values.ts'

export class Upstreams {
  readonly #targets: NativeTarget[][]
  #lastId = 0

  constructor(upstreams: readonly ResolvedUpstream[]) {
    this.#targets = upstreams.map(({ targets }) => targets.flatMap((target) => this.#from(target)))
  }

  /** The targets of an upstream now. */
  targets(upstream: number): NativeTarget[] {
    return this.#targets[upstream] ?? []
  }

  #from({ address, authority, weight, maxConnections, backup }: ResolvedTarget): NativeTarget[] {
    const endpoint = endpointOf(address)
    if (endpoint === undefined) return []
    const settings = { authority, weight, maxConnections, backup }
    return [{ id: ++this.#lastId, address: endpoint, ...settings, state: 'up' }]
  }
}

function endpointOf(address: ResolvedAddress): NativeEndpoint | undefined {
  if ('path' in address) return { kind: 'unix', path: address.path }
  if (isIP(address.host) === 0) return undefined
  return { kind: 'tcp', host: address.host, port: address.port }
}
