// What stands at a path, for messages: never throws, whatever the file system says. And the paths
// of directories that must be there.

import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Place } from './place.ts'

/** 'nothing' when there is none, 'other' for sockets and the like, else an errno name. */
export type PathStatus = 'file' | 'directory' | 'nothing' | 'other' | `E${string}`

export function pathStatus(path: string): PathStatus {
  try {
    const found = statSync(path, { throwIfNoEntry: false })
    if (found === undefined) return 'nothing'
    if (found.isDirectory()) return 'directory'
    return found.isFile() ? 'file' : 'other'
  } catch (error) {
    return ((error as NodeJS.ErrnoException).code ?? 'EIO') as PathStatus
  }
}

/** Says that something else than `wanted` stands at `path`. */
export function wrongStatus(wanted: 'file' | 'directory', status: PathStatus): string {
  if (status === 'nothing') return `no such ${wanted}`
  return status.startsWith('E') ? `cannot be looked at (${status})` : `not a ${wanted}`
}

/** The absolute path of a directory that is there, or undefined after reporting. */
export function readDirectory(value: unknown, place: Place): string | undefined {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) {
    return place.mismatch('the path of a directory', value)
  }
  const path = resolve(place.directory, value)
  const status = pathStatus(path)
  if (status === 'directory') return path
  return place.report(`${wrongStatus('directory', status)}: ${path}`)
}
