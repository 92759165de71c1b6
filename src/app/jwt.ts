// jwt() in the app: checks JSON Web Tokens with jose. Keys of a JWKS are fetched when the first
// token comes, and kept; jose asks again for one that it does not know, at most every half minute.

import { createRemoteJWKSet, errors, importSPKI, type JWTPayload, jwtVerify } from 'jose'
import type { HookVerdict } from '../config/hooks.ts'
import type { ResolvedJwt } from '../config/resolved-hooks.ts'
import type { QuestionHead } from './hook-head.ts'
import type { ReadyMade } from './ready-hook.ts'
import { asError } from './thrown.ts'

type Verify = (token: string) => Promise<JWTPayload>

export function jwt(hook: ResolvedJwt, claims: readonly string[]): ReadyMade {
  const verify = verifier(hook)
  return async (head) => {
    const token = tokenOf(head, hook.cookie)
    if (token === undefined) {
      return hook.optional ? withoutClaims(hook) : { answer: refusal('') }
    }
    try {
      return passed(hook, await verify(token), claims)
    } catch (error) {
      if (isOfToken(error)) return { answer: refusal('invalid_token') }
      head.report('error', { err: asError(error) }, 'the keys of jwt() could not be had')
      return { answer: unavailable(), remember: false }
    }
  }
}

function verifier({
  jwks,
  secret,
  publicKey,
  algorithms,
  issuer,
  audience,
  clockTolerance,
}: ResolvedJwt): Verify {
  const options = {
    algorithms,
    clockTolerance: clockTolerance / 1_000,
    ...(issuer.length > 0 ? { issuer } : {}),
    ...(audience.length > 0 ? { audience } : {}),
  }
  if (jwks !== '') {
    const keys = createRemoteJWKSet(new URL(jwks), { timeoutDuration: 10_000 })
    return async (token) => (await jwtVerify(token, keys, options)).payload
  }
  if (secret !== '') {
    const key = new TextEncoder().encode(secret)
    return async (token) => (await jwtVerify(token, key, options)).payload
  }
  const keys = new Map<string, ReturnType<typeof importSPKI>>()
  return async (token) => {
    const getKey = ({ alg = '' }: { alg?: string }) => {
      const key = keys.get(alg) ?? importSPKI(publicKey, alg)
      keys.set(alg, key)
      return key
    }
    return (await jwtVerify(token, getKey, options)).payload
  }
}

function tokenOf(head: QuestionHead, cookie: string): string | undefined {
  const bearer = /^bearer +([\w.~+/-]+=*)$/i.exec(head.header('authorization') ?? '')?.[1]
  if (bearer !== undefined || cookie === '') return bearer
  for (const pair of (head.header('cookie') ?? '').split(';')) {
    const equals = pair.indexOf('=')
    if (pair.slice(0, equals).trim() === cookie) return pair.slice(equals + 1).trim()
  }
  return undefined
}

/** The token's fault, not that of whoever has the keys. */
function isOfToken(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return false
  return (
    !(error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) &&
    error.code !== 'ERR_JOSE_GENERIC'
  )
}

function passed(
  { forward, remember }: ResolvedJwt,
  payload: JWTPayload,
  claims: readonly string[],
): HookVerdict {
  const set: Record<string, string> = {}
  for (const [field, claim] of Object.entries(forward)) {
    const text = textOf(payload[claim])
    if (text !== undefined) set[field] = text
  }
  const remove = Object.keys(forward).filter((field) => !(field in set))
  const counted: Record<string, string> = {}
  for (const claim of claims) {
    const text = textOf(payload[claim])
    if (text !== undefined) counted[claim] = text
  }
  const left = (payload.exp ?? Number.POSITIVE_INFINITY) - Date.now() / 1_000
  const seconds = Math.max(Math.min(remember / 1_000, left), 0)
  return { request: { set, remove }, claims: counted, remember: seconds }
}

/** What the client says of itself in those fields must not pass for a claim. */
function withoutClaims({ forward }: ResolvedJwt): HookVerdict {
  return { request: { remove: Object.keys(forward) } }
}

function textOf(claim: unknown): string | undefined {
  if (claim === undefined || claim === null) return undefined
  const text = typeof claim === 'string' ? claim : JSON.stringify(claim)
  return /^[!-~](?:[ -~]*[!-~])?$/.test(text) ? text : encodeURIComponent(text)
}

/** RFC 6750 §3. */
function refusal(error: string): Response {
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    'www-authenticate': error === '' ? 'Bearer' : `Bearer error="${error}"`,
  }
  return new Response('401 Unauthorized\n', { status: 401, headers })
}

function unavailable(): Response {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '5' }
  return new Response('503 Service Unavailable\n', { status: 503, headers })
}
