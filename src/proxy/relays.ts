// The relays of all targets: one unix socket for each, opened and closed as targets come and go.
// Runs in the process of the relays (relay-main.ts).

import { unlinkSync } from 'node:fs'
import type { Server } from 'node:net'
import { join } from 'node:path'
import { byteRelay } from './byte-relay.ts'
import { type Relay, wayTo } from './relay-connect.ts'
import { type RelayedTarget, type RelayedUpstream, relaySocket } from './relay-messages.ts'
import { undiciRelay } from './undici-relay.ts'

export interface RelaysOptions {
  directory: string
  onTrouble: (upstream: string, target: string, error: Error) => void
}

export class Relays {
  readonly #options: RelaysOptions
  /** By id of the target. */
  readonly #open = new Map<number, Relay>()

  constructor(options: RelaysOptions) {
    this.#options = options
  }

  /** Resolves when the target has its socket. */
  async place(target: RelayedTarget, manner: RelayedUpstream): Promise<void> {
    const relay = this.#relayFor(target, manner)
    this.#open.set(target.id, relay)
    await listen(relay.server, join(this.#options.directory, relaySocket(target.id)))
  }

  remove(ids: readonly number[]): void {
    for (const id of ids) {
      this.#open.get(id)?.close()
      this.#open.delete(id)
    }
  }

  #relayFor(target: RelayedTarget, manner: RelayedUpstream): Relay {
    const trouble = (error: Error) => this.#options.onTrouble(manner.name, target.authority, error)
    if (manner.speaks === 'undici') return undiciRelay(target, manner, trouble)
    const server = byteRelay(wayTo(target, manner), trouble)
    return { server, close: () => void server.close() }
  }
}

function listen(server: Server, path: string): Promise<void> {
  try {
    unlinkSync(path)
  } catch {
    // It was not there.
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ path, backlog: 4_096 }, resolve)
  return promise
}
