// Who may steer: whoever knows the token, from a file that is read anew for each such request (so
// that it can be replaced) or from the environment. Main thread.
// Must never tell by its time how much of a guess was right.

import { createHash, timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'

/** Shorter ones can be guessed. */
const shortest = 16
const longest = 4_096

export type Verdict = { allowed: true } | { allowed: false; status: 401 | 403; reason: string }

const hints = {
  none: 'no token is configured: set admin.tokenFile, or SLUICE_ADMIN_TOKEN in the environment',
  short: `the configured token is shorter than ${shortest} characters: it is not accepted`,
  unreadable: 'the file that admin.tokenFile names cannot be read',
  wrong: 'this needs the token: Authorization: Bearer …',
}

/** Judges the Authorization field of a request. */
export async function judge(given: string | undefined, tokenFile?: string): Promise<Verdict> {
  let token: string
  try {
    token = tokenFile === undefined ? fromEnvironment() : (await readFile(tokenFile, 'utf8')).trim()
  } catch {
    return { allowed: false, status: 403, reason: hints.unreadable }
  }
  if (token === '') return { allowed: false, status: 403, reason: hints.none }
  if (token.length < shortest) return { allowed: false, status: 403, reason: hints.short }
  const [, guess] = /^Bearer +(\S+) *$/i.exec(given ?? '') ?? []
  if (guess !== undefined && guess.length <= longest && isSame(guess, token)) {
    return { allowed: true }
  }
  return { allowed: false, status: 401, reason: hints.wrong }
}

function fromEnvironment(): string {
  return (process.env.SLUICE_ADMIN_TOKEN ?? '').trim()
}

// Digests have one length, whatever was guessed.
function isSame(left: string, right: string): boolean {
  const digest = (value: string) => createHash('sha256').update(value).digest()
  return timingSafeEqual(digest(left), digest(right))
}
