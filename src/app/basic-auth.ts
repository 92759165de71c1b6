// basicAuth() in the app (RFC 7617): checks a password by its scrypt hash. Hashing costs some tens
// of milliseconds of a thread by design: what was found out is kept for a while, under a digest and
// not the password, and only so many are hashed at once, so that guessing cannot fill the pool.

import { createHash, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { HookVerdict } from '../config/hooks.ts'
import type { ResolvedBasicAuth } from '../config/resolved-hooks.ts'
import { hashPassword, isPassword } from './password.ts'
import type { ReadyMade } from './ready-hook.ts'

const keptMs = 60_000
const mostKept = 4_096
const mostAtOnce = 2
const mostWaiting = 256

export function basicAuth(hook: ResolvedBasicAuth, claims: readonly string[]): ReadyMade {
  const salt = randomBytes(16)
  const known = new LRUCache<string, boolean>({ max: mostKept, ttl: keptMs })
  const gate = new Gate()
  // Whether there is such a user must not be told by the time that it takes.
  let decoy: Promise<string> | undefined
  const check = async (user: string, password: string) => {
    decoy ??= hashPassword(randomBytes(16).toString('hex'))
    const hash = Object.hasOwn(hook.users, user) ? hook.users[user] : undefined
    const fits = await isPassword(password, hash ?? (await decoy))
    return fits && hash !== undefined
  }
  const verdictOf = (isRight: boolean, user: string) =>
    isRight ? passed(hook, user, claims) : asked(hook)
  return (head) => {
    const given = credentialsOf(head.header('authorization'))
    if (given === undefined) return asked(hook)
    const { user, password } = given
    const digest = createHash('sha256').update(salt).update(`${user}:${password}`).digest('base64')
    const before = known.get(digest)
    if (before !== undefined) return verdictOf(before, user)
    if (gate.isFull) return { answer: tooMany(), remember: false }
    return gate.pass(async () => {
      const isRight = known.get(digest) ?? (await check(user, password))
      known.set(digest, isRight)
      return verdictOf(isRight, user)
    })
  }
}

/** Lets so many run at once; others wait in line. */
class Gate {
  #running = 0
  readonly #waiting: (() => void)[] = []

  get isFull(): boolean {
    return this.#waiting.length >= mostWaiting
  }

  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= mostAtOnce) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.push(resolve)
      await promise
    }
    this.#running++
    try {
      return await work()
    } finally {
      this.#running--
      this.#waiting.shift()?.()
    }
  }
}

function credentialsOf(field: string | undefined) {
  const encoded = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(field ?? '')?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) }
}

function passed(
  { forwardUser }: ResolvedBasicAuth,
  user: string,
  claims: readonly string[],
): HookVerdict | undefined {
  const counted = claims.includes('user') ? { claims: { user } } : {}
  if (forwardUser === '') return claims.includes('user') ? counted : undefined
  const safe = /^[!-~ ]*$/.test(user) ? user : encodeURIComponent(user)
  return { ...counted, request: { set: { [forwardUser]: safe } } }
}

function asked({ realm }: ResolvedBasicAuth): Response {
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    'www-authenticate': `Basic realm="${realm}", charset="UTF-8"`,
  }
  return new Response('401 Unauthorized\n', { status: 401, headers })
}

function tooMany(): Response {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '1' }
  return new Response('503 Service Unavailable\n', { status: 503, headers })
}
