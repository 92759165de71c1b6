// Watches the files of certificates, and of what authorities say of them: when they change, the
// core reads them again, and new connections get the new ones; those that are open keep theirs. A
// pair that does not fit together keeps the old one and is logged, once: it is often half written.
// Also gives session tickets a new key from time to time. Main thread.
//
// Directories are watched, since files are replaced by renaming, and in containers by a symlink
// that moves. Watching may be impossible (network mounts, no watches left), so the files are also
// looked at every minute.

import { type FSWatcher, type Stats, statSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import type { ResolvedListener, ResolvedTls } from '../config/resolved.ts'
import type { CertificateFacts, NativeCertificates } from '../native/tls.ts'
import type { Logger } from '../telemetry/log.ts'
import type { CertificateStats } from '../telemetry/stats.ts'

// A tool that replaces two files does so within this.
const settleMs = 200
const lookAgainMs = 60_000
const ticketKeyMs = 8 * 3_600_000

/** A listener that speaks TLS. */
export interface SecureListener {
  /** By which the core knows it. */
  number: number
  /** How the configuration names it: 'listen[0].tls'. */
  where: string
  tls: ResolvedTls
}

/** What the files of certificates were at some time. */
export type FilesSeen = ReadonlyMap<string, string>

/** What the files of these listeners are now. */
export function filesSeen(listen: readonly ResolvedListener[]): FilesSeen {
  const files = listen.flatMap(({ tls }) => (tls === undefined ? [] : filesOf(tls)))
  return new Map(files.map((file) => [file, identityOf(file)]))
}

export class Certificates {
  readonly #native: NativeCertificates
  readonly #logger: Logger
  #listeners: { listener: SecureListener; files: string[]; seen: string }[] = []
  #watchers: FSWatcher[] = []
  #timers: NodeJS.Timeout[] = []
  #settling: NodeJS.Timeout | undefined
  #isStopped = false
  #facts = new Map<SecureListener, CertificateFacts[]>()

  constructor(native: NativeCertificates, logger: Logger) {
    this.#native = native
    this.#logger = logger
  }

  /**
   * From now on these are the listeners. `seen` is from before the core read their files: what has
   * changed since is taken up at once.
   */
  follow(listeners: readonly SecureListener[], seen: FilesSeen): void {
    if (this.#isStopped) return
    this.#listeners = listeners.map((listener) => {
      const files = filesOf(listener.tls)
      return { listener, files, seen: files.map((file) => seen.get(file)).join(' ') }
    })
    this.#unwatch()
    const folders = new Set(this.#listeners.flatMap(({ files }) => files.map((f) => dirname(f))))
    for (const folder of folders) this.#watch(folder)
    if (listeners.length > 0 && this.#timers.length === 0) this.#startTimers()
    this.#facts.clear()
    for (const listener of listeners) this.#note(listener)
    this.look()
  }

  stats(): CertificateStats[] {
    return [...this.#facts].flatMap(([{ where }, facts]) =>
      facts.map(({ name, expires, ocspExpires }, index) => {
        return { certificate: certificateAt(where, index), name, expires, ocspExpires }
      }),
    )
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#settling)
    for (const timer of this.#timers) clearInterval(timer)
    this.#unwatch()
  }

  /** Takes up what has changed. */
  look(): void {
    for (const each of this.#listeners) {
      const now = each.files.map(identityOf).join(' ')
      if (now === each.seen) continue
      each.seen = now
      this.#reload(each.listener)
    }
  }

  // Reloads of the configuration do not put off the next key.
  #startTimers(): void {
    this.#timers = [
      setInterval(() => this.look(), lookAgainMs),
      setInterval(() => this.#native.rotateTickets(), ticketKeyMs),
    ]
    for (const timer of this.#timers) timer.unref()
  }

  /** What cannot be told of certificates is no reason not to use them. */
  #note(listener: SecureListener): void {
    const facts = this.#native.certificates(listener.number)
    this.#facts.set(listener, facts)
    for (const [index, { ocspProblem }] of facts.entries()) {
      if (ocspProblem === '') continue
      const { ocsp } = listener.tls.certificates[index] ?? {}
      const where = certificateAt(listener.where, index)
      this.#logger.warn(
        { code: 'ocsp-unusable' },
        `${where}.ocsp: clients are told nothing: ${ocsp}: ${ocspProblem}`,
      )
    }
  }

  #reload(listener: SecureListener): void {
    const { number, where } = listener
    const problems = this.#native.reloadCertificates(number)
    if (problems.length === 0) {
      this.#logger.info({ code: 'certificates-replaced' }, `${where}: new certificates are in use`)
      this.#note(listener)
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

  #unwatch(): void {
    for (const watcher of this.#watchers) watcher.close()
    this.#watchers = []
  }

  #settle(): void {
    clearTimeout(this.#settling)
    this.#settling = setTimeout(() => this.look(), settleMs).unref()
  }
}

function certificateAt(where: string, index: number): string {
  return `${where}.certificates[${index}]`
}

function filesOf({ certificates, mtls }: ResolvedTls): string[] {
  const pairs = certificates.flatMap(({ cert, key, ocsp }) => {
    return ocsp === undefined ? [cert, key] : [cert, key, ocsp]
  })
  return mtls === false ? pairs : [...pairs, mtls.ca]
}

function identityOf(file: string): string {
  const found = statOf(file)
  return found === undefined ? 'none' : `${found.dev}.${found.ino}.${found.size}.${found.mtimeMs}`
}

function statOf(file: string): Stats | undefined {
  try {
    return statSync(file)
  } catch {
    return undefined
  }
}
