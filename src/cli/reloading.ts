// What the command line says and does around reloads: SIGHUP, --watch, and where it listens by
// then. Errors are those of `sluice check`; a gateway whose configuration is wrong goes on with the
// one before.

import { createHash } from 'node:crypto'
import { readFile, realpath } from 'node:fs/promises'
import { type Source, sourceOf } from '../config/load.ts'
import type { Gateway } from '../gateway/gateway-types.ts'
import type { ReloadResult } from '../gateway/generations.ts'
import { FileWatch } from '../gateway/watch.ts'
import type { Address } from '../native/listening.ts'
import type { ServiceLife } from './systemd.ts'

/** What a reload came to, in a line. */
export function reloadLine({ changed, generation }: { changed: boolean; generation: number }) {
  const what = changed ? 'reloaded' : 'nothing has changed'
  return `${what}: configuration ${generation} is served`
}

export class Reloading {
  readonly #gateway: Gateway
  readonly #hasFile: boolean
  readonly #life: ServiceLife
  #addresses: string[] = []
  #watch: FileWatch | undefined
  #paths: readonly string[] = []
  #isReloading = false
  #isWanted = false

  constructor(gateway: Gateway, hasFile: boolean, life: ServiceLife) {
    this.#gateway = gateway
    this.#hasFile = hasFile
    this.#life = life
  }

  /** One line for each listener that was not there before. */
  announce(addresses: readonly Address[]): void {
    const shown = addresses.map(shownAddress)
    for (const one of shown) if (!this.#addresses.includes(one)) console.log(`listening on ${one}`)
    for (const one of this.#addresses) {
      if (!shown.includes(one)) console.error(`sluice: no longer listening on ${one}`)
    }
    this.#addresses = shown
  }

  /** Says what came of it, on standard error. Never rejects. */
  async reload(why: 'SIGHUP' | 'watch'): Promise<Source | undefined> {
    this.#life.reloading()
    try {
      return await this.#reload(why)
    } finally {
      this.#life.ready()
    }
  }

  async #reload(why: 'SIGHUP' | 'watch'): Promise<Source | undefined> {
    if (!this.#hasFile) {
      console.error('sluice: SIGHUP: there is no configuration file to read again')
      return undefined
    }
    try {
      const result = await this.#gateway.reload()
      if (result.changed || why === 'SIGHUP') this.#report(result)
      return sourceOf(this.#gateway.resolved)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      console.error(`sluice: not reloaded: ${message}`)
      return error instanceof Error ? sourceOf(error) : undefined
    }
  }

  /** Reloads when a file of the configuration changes. */
  async watch(): Promise<void> {
    this.#watch = new FileWatch(() => void this.#changed())
    this.#paths = sourceOf(this.#gateway.resolved)?.names ?? []
    await this.#watch.watch(this.#paths)
    // It may have changed while everything started.
    if (await isOutdated(sourceOf(this.#gateway.resolved))) void this.#changed()
  }

  close(): void {
    this.#watch?.close()
    this.#watch = undefined
  }

  async #changed(): Promise<void> {
    this.#isWanted = true
    if (this.#isReloading) return
    this.#isReloading = true
    while (this.#isWanted && this.#watch !== undefined) {
      this.#isWanted = false
      const source = await this.reload('watch')
      // What is served, and what may become so once it is repaired.
      const served = sourceOf(this.#gateway.resolved)?.names ?? []
      this.#paths = [...new Set([...served, ...(source?.names ?? this.#paths)])]
      await this.#watch?.watch(this.#paths)
      if (await isOutdated(source)) this.#isWanted = true
    }
    this.#isReloading = false
  }

  #report(result: ReloadResult): void {
    for (const warning of result.warnings) console.error(`sluice: ${warning}`)
    console.error(`sluice: ${reloadLine(result)}`)
    this.announce(result.addresses)
  }
}

/** Whether a file has changed since it was read, before it was watched. */
async function isOutdated(source: Source | undefined): Promise<boolean> {
  if (source === undefined) return false
  return (await leadsElsewhere(source)) || (await hasOtherContent(source))
}

/** Whether the configuration's name, a link perhaps, is that of another file by now. */
async function leadsElsewhere({ names, modules }: Source): Promise<boolean> {
  const real = await realpath(names[0] ?? '').catch(() => '')
  return modules.length > 0 && !modules.some(({ path }) => path === real)
}

async function hasOtherContent({ modules }: Source): Promise<boolean> {
  const changed = await Promise.all(
    modules.map(async ({ path, hash }) => {
      try {
        return (
          createHash('sha1')
            .update(await readFile(path))
            .digest('base64') !== hash
        )
      } catch {
        return hash !== ''
      }
    }),
  )
  return changed.includes(true)
}

/** The URL that this machine reaches it by, and who else does. */
function shownAddress(address: Address): string {
  if (address.kind === 'unix') return address.url
  const everybody: Record<string, string> = {
    '0.0.0.0': ' (every IPv4 address)',
    '::': ' (every address)',
  }
  return `${address.url}${everybody[address.host] ?? ''}`
}
