// One search for what answers a path: it looks at names beneath the root of the route, one after
// the other, and keeps a list of what it looked at, on which the answer rests. Main thread.
// Must never look at a name that the route hides.

import { fitsAlong } from '../config/globs.ts'
import type { ResolvedFiles } from '../config/resolved.ts'
import type { Look, LookAt, LookedEvent } from '../native/interface.ts'

/** What one look found: the part of a LookedEvent that decisions rest on. */
export type Finding = Pick<
  LookedEvent,
  'outcome' | 'file' | 'identity' | 'size' | 'mtimeMs' | 'error'
> &
  Partial<Pick<LookedEvent, 'entries' | 'hasMore'>>

/** Looks at the disk. */
export type LookAtDisk = (where: LookAt) => Promise<Finding>

/** The system could not tell what is there; `error` is an errno name. */
export class DiskFailure extends Error {
  override name = 'DiskFailure'
  readonly error: string
  constructor(error: string) {
    super(`cannot look: ${error}`)
    this.error = error
  }
}

/** What is found at a name that is not served. */
const nothing: Finding = {
  outcome: 'absent',
  file: 0,
  identity: 0n,
  size: 0,
  mtimeMs: 0,
  error: '',
}

export class Search {
  readonly route: ResolvedFiles
  /** What was looked at so far. */
  readonly looks: Look[] = []
  readonly #look: LookAtDisk

  constructor(route: ResolvedFiles, look: LookAtDisk) {
    this.route = route
    this.#look = look
  }

  /** Whether the route serves no such name, whatever is there. */
  hides(path: string): boolean {
    if (path.includes(incomplete)) return true
    if (!this.route.dotfiles && hasDotName(path)) return true
    return fitsAlong(this.route.hide, path.endsWith('/') ? path.slice(0, -1) : path)
  }

  /** Looks at `path`; `list`: its entries are wanted. Throws DiskFailure. */
  async look(path: string, { list = false } = {}): Promise<Finding> {
    if (this.hides(path)) return nothing
    const where = this.whereIs(path, list)
    const found = await this.#look(where)
    if (found.outcome === 'failed') throw new DiskFailure(found.error)
    this.looks.push({ ...where, identity: found.identity })
    return found
  }

  /** Looks at several paths at once; what the system could not tell comes out as 'failed'. */
  async lookBeside(paths: string[]): Promise<Finding[]> {
    const findings = await Promise.all(
      paths.map((path) => (this.hides(path) ? nothing : this.#look(this.whereIs(path)))),
    )
    for (const [index, found] of findings.entries()) {
      if (found === nothing || found.outcome === 'failed') continue
      this.looks.push({ ...this.whereIs(paths[index] ?? ''), identity: found.identity })
    }
    return findings
  }

  /** The regular file at `path`, if there is one. */
  async file(path: string): Promise<Finding | undefined> {
    const found = await this.look(path)
    return found.outcome === 'file' ? found : undefined
  }

  /** How to look at `path`. */
  whereIs(path: string, list = false): LookAt {
    const { root, symlinks } = this.route
    return { root, path, follow: symlinks === 'follow', list }
  }
}

/** What the core begins the names of files with that are not complete (files/upload_root.h). */
const incomplete = '.sluice-upload-'

/** Whether a segment begins with a dot; a leading '.well-known' does not count (RFC 8615). */
function hasDotName(path: string): boolean {
  const rest = /^\.well-known(\/|$)/.test(path) ? path.slice('.well-known'.length) : `/${path}`
  return rest.includes('/.')
}
