// Watches the files that a configuration was made of, and says when they may have changed. Looks at
// each file under its name every second, which sees everything (renames by editors, links that lead
// elsewhere, bind mounts, network file systems); inotify only makes it look sooner. Main thread.
// Must never keep the process alive, nor call anybody while a file is still being written.

import { type FSWatcher, watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'

const lookMs = 1_000
/** Packages are looked at less often: there are many, and they change rarely. */
const packageTurns = 10
/** What has just changed is looked at again after this, until it is the same twice. */
const settleMs = 60
const mostSettling = 50
/** Directories that inotify is asked for. */
const mostFolders = 256

export class FileWatch {
  readonly #onChange: () => void
  readonly #seen = new Map<string, string>()
  readonly #folders = new Map<string, FSWatcher | undefined>()
  #timer: NodeJS.Timeout | undefined
  #soon: NodeJS.Timeout | undefined
  #turn = 0
  #isLooking = false
  #isWoken = false
  #isClosed = false

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  /**
   * Watches these paths from now on, as they are now. Those that are not there are watched for
   * their coming.
   */
  async watch(paths: readonly string[]): Promise<void> {
    const wanted = new Set(paths)
    for (const path of [...this.#seen.keys()]) if (!wanted.has(path)) this.#seen.delete(path)
    const states = await Promise.all([...wanted].map(stateOf))
    for (const [index, path] of [...wanted].entries()) this.#seen.set(path, states[index] ?? '')
    this.#watchFolders(new Set([...wanted].filter(isOwn).map(dirname)))
    if (!this.#isClosed) this.#timer ??= setInterval(() => void this.#look(), lookMs).unref()
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#timer)
    clearTimeout(this.#soon)
    this.#watchFolders(new Set())
  }

  #watchFolders(wanted: Set<string>): void {
    for (const [folder, watcher] of this.#folders) {
      if (wanted.has(folder)) continue
      watcher?.close()
      this.#folders.delete(folder)
    }
    for (const folder of [...wanted].slice(0, mostFolders)) {
      if (!this.#folders.has(folder)) this.#folders.set(folder, this.#watchFolder(folder))
    }
  }

  #watchFolder(folder: string): FSWatcher | undefined {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#lookSoon())
      // Looking every second goes on.
      watcher.on('error', () => watcher.close())
      return watcher
    } catch {
      return undefined
    }
  }

  // Somebody may write a log into the same folder all the time.
  #lookSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined
      void this.#look()
    }, settleMs).unref()
  }

  async #look(): Promise<void> {
    this.#isWoken = true
    if (this.#isLooking) return
    this.#isLooking = true
    let isChanged = false
    while (this.#isWoken && !this.#isClosed) {
      this.#isWoken = false
      isChanged = (await this.#differs()) || isChanged
    }
    if (isChanged) await this.#settle()
    this.#isLooking = false
    if (isChanged && !this.#isClosed) this.#onChange()
  }

  /** Takes in how things are now; whether that is another way than before. */
  async #differs(): Promise<boolean> {
    this.#turn++
    const all = this.#turn % packageTurns === 0
    const paths = [...this.#seen.keys()].filter((path) => all || isOwn(path))
    const states = await Promise.all(paths.map(stateOf))
    let differs = false
    for (const [index, path] of paths.entries()) {
      const state = states[index] ?? ''
      if (!this.#seen.has(path) || this.#seen.get(path) === state) continue
      this.#seen.set(path, state)
      differs = true
    }
    return differs
  }

  /** Editors write in several steps. */
  async #settle(): Promise<void> {
    for (let round = 0; round < mostSettling && !this.#isClosed; round++) {
      const { promise, resolve } = Promise.withResolvers<void>()
      setTimeout(resolve, settleMs)
      await promise
      if (!(await this.#differs())) return
    }
  }
}

function isOwn(path: string): boolean {
  return !path.includes('/node_modules/')
}

/** Of whatever the name leads to now; '' when there is nothing. */
async function stateOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
  } catch {
    return ''
  }
}
