// From what a hook has returned to the bytes of a verdict. Whatever it returned that is none is a
// TypeError, which the caller answers with a 500. Runs in the app.

import type { HookVerdict } from '../config/hooks.ts'
import { isOfHop } from './handler-request.ts'
import { fieldLine, noEdits, type WireVerdict, wireEdits } from './hook-messages.ts'
import { plainAnswerOf } from './light-response.ts'

export interface VerdictSettings {
  /** Indices of upstreams, by name. */
  upstreams: ReadonlyMap<string, number>
  /** Whether the route forwards to an upstream of the configuration. */
  isProxy: boolean
}

const mostBodyBytes = 1024 * 1024
const redirects = [301, 302, 303, 307, 308]

const nothing: WireVerdict = {
  kind: 'change',
  status: 0,
  remember: undefined,
  upstream: undefined,
  request: noEdits,
  response: noEdits,
  target: '',
  claims: '',
  body: '',
}

/** A promise only where a body has to be read first. */
export function wireVerdict(
  verdict: HookVerdict,
  settings: VerdictSettings,
): WireVerdict | Promise<WireVerdict> {
  if (verdict instanceof Response) return answerOf(verdict, undefined)
  if (typeof verdict !== 'object' || verdict === null) {
    throw new TypeError(`a hook returned a ${typeof verdict} instead of a verdict`)
  }
  const remember = rememberOf(verdict.remember)
  if (verdict.answer !== undefined) return answerOf(verdict.answer, remember)
  if (verdict.redirect !== undefined) return redirectTo(verdict.redirect, verdict.status, remember)
  const { rewrite = '', upstream, request, response, claims = {} } = verdict
  if (rewrite !== '' && !/^\/[!$-;=?-~]*$/.test(rewrite)) {
    throw new TypeError("a rewrite is a path that begins with '/', percent-encoded")
  }
  return {
    ...nothing,
    remember,
    upstream: upstream === undefined ? undefined : indexOf(upstream, settings),
    request: wireEdits(request, ['host', 'expect']),
    response: wireEdits(response, ['date']),
    target: rewrite,
    claims: claimLines(claims),
  }
}

function rememberOf(seconds: number | false | undefined): number | undefined {
  if (seconds === undefined) return undefined
  if (seconds === false) return 0
  if (!(seconds >= 0 && seconds <= 86_400)) {
    throw new TypeError("'remember' is a number of seconds, at most a day, or false")
  }
  return Math.round(seconds * 1_000)
}

function indexOf(name: string, { upstreams, isProxy }: VerdictSettings): number {
  if (!isProxy) throw new TypeError('only a proxy() route can go to another upstream')
  const index = upstreams.get(name)
  if (index === undefined) throw new TypeError(`no upstream is called '${name}'`)
  return index
}

function claimLines(claims: Readonly<Record<string, string | number>>): string {
  return Object.entries(claims)
    .map(([name, value]) => {
      const text = Buffer.from(String(value)).toString('latin1').replaceAll('\n', ' ')
      if (!/^[^\s=]+$/.test(name)) throw new TypeError(`'${name}' is not the name of a claim`)
      return `${name}=${text}\n`
    })
    .join('')
}

function redirectTo(
  location: string,
  status: number = 302,
  remember: number | undefined,
): WireVerdict {
  if (!redirects.includes(status)) throw new TypeError('a redirect is 301, 302, 303, 307 or 308')
  const response = { removed: '', added: fieldLine('Location', location) }
  return { ...nothing, kind: 'answer', status, remember, response }
}

function answerOf(
  response: Response,
  remember: number | undefined,
): WireVerdict | Promise<WireVerdict> {
  const plain = plainAnswerOf(response)
  if (plain !== undefined) {
    const { status, fields, body } = plain
    return { ...nothing, kind: 'answer', status, remember, body, response: linesOf(fields) }
  }
  if (response.bodyUsed) throw new TypeError('a hook returned a Response that was read')
  const fields = [...response.headers].flat()
  const head = { ...nothing, kind: 'answer', status: response.status, remember } as const
  const lines = linesOf(fields)
  if (response.body === null) return { ...head, response: lines }
  return bodyOf(response.body).then((body) => ({ ...head, response: lines, body }))
}

/** Names and values in turn. */
function linesOf(fields: readonly string[]) {
  let added = ''
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at] ?? ''
    if (isOfHop(name) || name.toLowerCase() === 'content-length') continue
    added += fieldLine(name, fields[at + 1] ?? '')
  }
  return { removed: '', added }
}

async function bodyOf(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    size += chunk.byteLength
    if (size > mostBodyBytes) throw new TypeError('the answer of a hook has at most 1 MiB')
  }
  return Buffer.concat(chunks)
}
