// The directory of the sockets between the gateway and its app: fresh, ours alone (0700), and gone
// when the gateway has ended. Works with a read-only root.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The longest name that a socket gets in it. */
const longestName = 'app-4294967295-mount-65535.sock'
/** Of a unix socket (sun_path, without its NUL). */
const longestPath = 107

/** Throws when there is nowhere to make it. */
export function makeRunDirectory(): string {
  const candidates = [process.env.XDG_RUNTIME_DIR, tmpdir(), '/tmp', '/dev/shm']
  let refusal: unknown
  for (const parent of candidates) {
    const prefix = join(parent || '/tmp', 'sluice-')
    // mkdtemp adds six characters.
    if (prefix.length + 6 + 1 + longestName.length > longestPath) continue
    try {
      return mkdtempSync(prefix)
    } catch (error) {
      refusal ??= error
    }
  }
  const message = 'no directory for the sockets of the app: set TMPDIR to one that can be written'
  throw new Error(message, { cause: refusal })
}

/** Never throws: what cannot be removed is left. */
export function removeRunDirectory(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch {
    // Somebody else's mount or permissions; nothing in it is of use.
  }
}
