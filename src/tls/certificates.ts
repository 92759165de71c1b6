// Watches the files of certificates: when they change, the core reads them again, and new
// connections get the new ones; those that are open keep theirs. A pair that does not fit together
// keeps the old one and is logged, once: it is often half written. Also gives session tickets a new
// key from time to time. Main thread.
//
// Directories are watched, since files are replaced by renaming, and in containers by a symlink
// that moves. Watching may be impossible (network mounts, no watches left), so the files are also
// looked at every minute.

import { type FSWatcher, type Stats, statSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import type { ResolvedListener, ResolvedTls } from '../config/resolved.ts'
import type { NativeGateway } from '../native/interface.ts'
import type { Logger } from '../telemetry/log.ts'

// A tool that replaces two files does so within this.
const settleMs = 200
const lookAgainMs = 60_000
const ticketKeyMs = 8 * 3_600_000

type Core = Pick<NativeGateway, 'reloadCertificates' | 'rotateTickets'>

export class Certificates {
  readonly #native: Core
  readonly #logger: Logger
  readonly #listeners: { index: number; files: string[]; seen: string }[]
  readonly #watchers: FSWatcher[] = []
  #timers: NodeJS.Timeout[] = []
  #settling: NodeJS.Timeout | undefined

  constructor(listen: readonly ResolvedListener[], native: Core, logger: Logger) {
    this.#native = native
    this.#logger = logger
    this.#listeners = listen.flatMap(({ tls }, index) => {
      return tls === undefined ? [] : [{ index, files: filesOf(tls), seen: '' }]
    })
  }

  /** From what is there now. */
  start(): void {
    if (this.#listeners.length === 0) return
    for (const listener of this.#listeners) listener.seen = identityOf(listener.files)
    const folders = new Set(this.#listeners.flatMap(({ files }) => files.map((f) => dirname(f))))
    for (const folder of folders) this.#watch(folder)
    this.#timers = [
      setInterval(() => this.look(), lookAgainMs),
      setInterval(() => this.#native.rotateTickets(), ticketKeyMs),
    ]
    for (const timer of this.#timers) timer.unref()
  }

  stop(): void {
    clearTimeout(this.#settling)
    for (const timer of this.#timers) clearInterval(timer)
    for (const watcher of this.#watchers) watcher.close()
    this.#watchers.length = 0
  }

  /** Takes up what has changed. */
  look(): void {
    for (const listener of this.#listeners) {
      const now = identityOf(listener.files)
      if (now === listener.seen) continue
      listener.seen = now
      this.#reload(listener.index)
    }
  }

  #reload(index: number): void {
    const problems = this.#native.reloadCertificates(index)
    const where = `listen[${index}].tls`
    if (problems.length === 0) {
      this.#logger.info({ code: 'certificates-replaced' }, `${where}: new certificates are in use`)
      return
    }
    const reasons = problems.map(({ file, reason }) => `${file}: ${reason}`).join('; ')
    this.#logger.error(
      { code: 'certificates-unusable' },
      `${where}: the certificates before stay in use: ${reasons}`,
    )
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#settle())
      watcher.on('error', () => watcher.close())
      this.#watchers.push(watcher)
    } catch {
      // The files are looked at every minute all the same.
    }
  }

  #settle(): void {
    clearTimeout(this.#settling)
    this.#settling = setTimeout(() => this.look(), settleMs).unref()
  }
}

function filesOf({ certificates, mtls }: ResolvedTls): string[] {
  const pairs = certificates.flatMap(({ cert, key }) => [cert, key])
  return mtls === false ? pairs : [...pairs, mtls.ca]
}

function identityOf(files: readonly string[]): string {
  return files.map((file) => identity(statOf(file))).join(' ')
}

function identity(found: Stats | undefined): string {
  return found === undefined ? 'none' : `${found.dev}.${found.ino}.${found.size}.${found.mtimeMs}`
}

function statOf(file: string): Stats | undefined {
  try {
    return statSync(file)
  } catch {
    return undefined
  }
}
