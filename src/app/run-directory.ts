// The directory of a running gateway: fresh, ours alone (0700), gone when the gateway has ended. In
// it are the sockets between the gateway and its app, and one on which the gateway itself listens:
// who finds nobody there has found what a killed gateway left. Works with a read-only root. Must
// never remove the directory of a gateway that lives, whatever container it lives in.

import { lstatSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The longest name that a socket gets in it. */
const longestName = 'app-4294967295-mount-65535.sock'
/** Of a unix socket (sun_path, without its NUL). */
const longestPath = 107
const prefix = 'sluice-run-'
/** mkdtemp adds so many characters. */
const suffixLength = 6
const controlName = 'control.sock'
/** One that was just made may have no socket yet. */
const youngMs = 60_000

function parents(): string[] {
  const candidates = [process.env.XDG_RUNTIME_DIR || '/tmp', tmpdir(), '/tmp', '/dev/shm']
  return [...new Set(candidates)]
}

/** Throws when there is nowhere to make it. */
export function makeRunDirectory(): string {
  let refusal: unknown
  for (const parent of parents()) {
    const begin = join(parent, prefix)
    if (begin.length + suffixLength + 1 + longestName.length > longestPath) continue
    try {
      return mkdtempSync(begin)
    } catch (error) {
      refusal ??= error
    }
  }
  const message =
    'no directory for the sockets of the gateway: set TMPDIR to one that can be written'
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

/** Where a gateway listens for those who have something to ask of it. */
export function controlSocket(directory: string): string {
  return join(directory, controlName)
}

/** Those of this user, of gateways that live or do not. */
export function runDirectories(): string[] {
  return parents().flatMap((parent) => {
    try {
      const names = readdirSync(parent).filter(
        (name) => name.startsWith(prefix) && name.length === prefix.length + suffixLength,
      )
      return names.map((name) => join(parent, name)).filter(isOurs)
    } catch {
      return []
    }
  })
}

function isOurs(path: string): boolean {
  try {
    const { uid, mode } = lstatSync(path)
    return lstatSync(path).isDirectory() && uid === process.getuid?.() && (mode & 0o077) === 0
  } catch {
    return false
  }
}

/** Removes what gateways left that were killed. Never throws. */
export async function sweepRunDirectories(own: string): Promise<void> {
  const others = runDirectories().filter((path) => path !== own)
  await Promise.all(
    others.map(async (path) => {
      if (await isLeft(path)) removeRunDirectory(path)
    }),
  )
}

async function isLeft(path: string): Promise<boolean> {
  try {
    const sockets = readdirSync(path)
    // Nothing else was ever put there.
    if (!sockets.every((name) => name.endsWith('.sock'))) return false
    if (!sockets.includes(controlName) && Date.now() - statSync(path).mtimeMs < youngMs)
      return false
    const answers = await Promise.all(sockets.map((name) => isDead(join(path, name))))
    return answers.every(Boolean)
  } catch {
    return false
  }
}

/** Nobody listens there, for certain: that is told across containers, too. */
function isDead(socket: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const client = connect(socket)
  client.on('connect', () => resolve(false))
  client.on('error', ({ code }: NodeJS.ErrnoException) => {
    resolve(code === 'ECONNREFUSED' || code === 'ENOENT')
  })
  return promise.finally(() => client.destroy())
}
