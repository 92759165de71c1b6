// What stands at a path, for messages: never throws, whatever the file system says.

import { statSync } from 'node:fs'

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
