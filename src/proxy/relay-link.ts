// Between a gateway's control plane and the process of its relays: which targets need one, that
// process, and where the core finds them. Main thread. The process is started when the first such
// target is there and replaced when it ends; until it is back its targets are not there either.

import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { childCommand, childEnvironment } from '../app/child.ts'
import { makeRunDirectory, removeRunDirectory } from '../app/run-directory.ts'
import { extensionOf } from '../config/own-files.ts'
import type { NativeTarget } from '../native/upstreams.ts'
import type { Logger } from '../telemetry/log.ts'
import { endpointName } from './known-target.ts'
import { type FromRelays, relaySocket, type ToRelays } from './relay-messages.ts'
import type { PublishedTarget } from './upstream.ts'

export interface RelayLinkOptions {
  logger: Logger
  /** Other targets can be reached than before. */
  onPlaced: () => void
}

const firstDelayMs = 100
const longestDelayMs = 10_000
/** A process that lived this long did not end because of its start. */
const settledMs = 10_000

export class RelayLink {
  readonly #options: RelayLinkOptions
  /** Targets that are to have relays, and of those, the ids that have one. */
  readonly #wanted = new Map<number, PublishedTarget>()
  readonly #placed = new Set<number>()
  #onSettled: (() => void)[] = []
  #directory: string | undefined
  #child: ChildProcess | undefined
  #startedAt = 0
  #attempts = 0
  #restart: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(options: RelayLinkOptions) {
    this.#options = options
  }

  /** Where the core finds these targets; those without a relay yet get one, and are left out. */
  reach(targets: readonly PublishedTarget[]): NativeTarget[] {
    return targets.flatMap((target) => {
      if (!isRelayed(target)) return [target]
      this.#want(target)
      return this.#placed.has(target.id) ? [this.#relayOf(target)] : []
    })
  }

  /** Resolves when every target that was asked for has its relay, or none will come now. */
  async settled(): Promise<void> {
    if (this.#isComplete()) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onSettled.push(resolve)
    return promise
  }

  /** Relays of all other targets end when nobody uses them any more. */
  keep(targets: readonly PublishedTarget[]): void {
    const ids = new Set(targets.map(({ id }) => id))
    const gone = [...this.#wanted.keys()].filter((id) => !ids.has(id))
    if (gone.length === 0) return
    for (const id of gone) {
      this.#wanted.delete(id)
      this.#placed.delete(id)
    }
    this.#tell({ type: 'remove', ids: gone })
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#restart)
    this.#child?.kill('SIGKILL')
    if (this.#directory !== undefined) removeRunDirectory(this.#directory)
    this.#settle()
  }

  #want(target: PublishedTarget): void {
    if (this.#wanted.has(target.id) || this.#isStopped) return
    this.#wanted.set(target.id, target)
    if (this.#child === undefined && this.#restart === undefined) this.#start()
    else this.#place([target])
  }

  #isComplete(): boolean {
    return this.#isStopped || [...this.#wanted.keys()].every((id) => this.#placed.has(id))
  }

  #settle(): void {
    const waiting = this.#onSettled
    this.#onSettled = []
    for (const done of waiting) done()
  }

  #start(): void {
    this.#restart = undefined
    this.#directory ??= makeRunDirectory()
    const program = new URL(`./relay-main${extensionOf(import.meta.url)}`, import.meta.url)
    const [command = '', ...args] = childCommand(fileURLToPath(program))
    const child = spawn(command, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
      env: childEnvironment(),
    })
    this.#child = child
    this.#startedAt = performance.now()
    child.on('message', (message: FromRelays) => this.#take(message))
    child.on('error', (error) => this.#gone(child, error.message))
    child.on('exit', (code, signal) => this.#gone(child, signal ?? `exit code ${code}`))
    this.#tell({ type: 'start', directory: this.#directory })
    this.#place([...this.#wanted.values()])
  }

  #tell(message: ToRelays): void {
    if (this.#child?.connected) this.#child.send(message, () => {})
  }

  #place(targets: readonly PublishedTarget[]): void {
    for (const { id, address, authority, secure, manner } of targets) {
      this.#tell({ type: 'place', target: { id, endpoint: address, authority, secure }, manner })
    }
  }

  #take(message: FromRelays): void {
    const { logger, onPlaced } = this.#options
    switch (message.type) {
      case 'placed':
        // It may not be wanted any more.
        if (!this.#wanted.has(message.id)) break
        this.#placed.add(message.id)
        onPlaced()
        if (this.#isComplete()) this.#settle()
        break
      case 'failed':
        logger.error({ code: 'internal-error' }, `a relay failed: ${message.message}`)
        this.#settle()
        break
      case 'trouble': {
        const { upstream, target, message: reason } = message
        const text = `no connection to ${target} of upstream '${upstream}': ${reason}`
        logger.warn({ code: 'upstream-refused', upstream, target }, text)
        break
      }
    }
  }

  #relayOf(target: PublishedTarget): NativeTarget {
    const path = join(this.#directory ?? '', relaySocket(target.id))
    const relayed = endpointName(target.address)
    return { ...target, address: { kind: 'unix', path }, relayed }
  }

  #gone(child: ChildProcess, how: string): void {
    if (this.#child !== child) return
    this.#child = undefined
    if (this.#isStopped) return
    this.#placed.clear()
    this.#options.logger.error({ how }, `the process of the relays has ended (${how})`)
    this.#options.onPlaced()
    this.#settle()
    if (performance.now() - this.#startedAt >= settledMs) this.#attempts = 0
    const attempt = this.#attempts++
    const delay = attempt === 0 ? 0 : Math.min(firstDelayMs * 2 ** (attempt - 1), longestDelayMs)
    this.#restart = setTimeout(() => this.#start(), delay)
  }
}

/** Whether the core cannot speak to it itself. */
export function isRelayed({ secure, manner }: PublishedTarget): boolean {
  return secure || manner.speaks === 'undici'
}
