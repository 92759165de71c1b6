// A directory of files for one test, removed after it. Files are as old as a strong ETag wants, and
// their bytes differ at every offset, so that a shifted answer is a wrong one.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ExecutionContext } from 'ava'

/** Content of a file, or what else stands there. */
export type SiteEntry =
  | string
  | Uint8Array
  | { symlink: string }
  | { fifo: true }
  | { directory: true }

export interface Site {
  root: string
  /** Absolute path of a name in the site. */
  path(name: string): string
  add(name: string, entry: SiteEntry): void
}

// Old enough for a strong ETag.
const longAgo = new Date('2020-02-02T02:02:02Z')

/** Makes a site in a fresh folder. Files get a modification time of long ago. */
export function makeSite(t: ExecutionContext, entries: Record<string, SiteEntry> = {}): Site {
  const root = makeFolder(t)
  const path = (name: string) => join(root, name)
  const add = (name: string, entry: SiteEntry) => {
    mkdirSync(dirname(path(name)), { recursive: true })
    if (typeof entry === 'string' || entry instanceof Uint8Array) {
      writeFileSync(path(name), entry)
      utimesSync(path(name), longAgo, longAgo)
    } else if ('symlink' in entry) symlinkSync(entry.symlink, path(name))
    else if ('fifo' in entry) execFileSync('mkfifo', [path(name)])
    else mkdirSync(path(name), { recursive: true })
  }
  for (const [name, entry] of Object.entries(entries)) add(name, entry)
  return { root, path, add }
}

/** A fresh folder that is removed after the test. */
export function makeFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Bytes that look random and differ at every offset, the same at each call. */
export function patternBytes(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  let state = 0x2545f491
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    bytes[at] = state >>> 24
  }
  return bytes
}
