// What the app is asked about requests, by the numbers that workers use: functions of the
// configuration, and the ready-made hooks that run here. Made once for each generation.

import { isTransformed } from '../config/compile-app.ts'
import { compileHooks, type HookGroup, hookAt } from '../config/compile-hooks.ts'
import type { HookFieldEdits, HookFunctions, HookVerdict, ResponseHead } from '../config/hooks.ts'
import type { ResolvedConfig } from '../config/resolved.ts'
import type { AppLog } from './call.ts'
import { type AppFunctions, hookKey } from './functions.ts'
import type { QuestionHead } from './hook-head.ts'
import { entriesOf, fieldIn, type Question } from './hook-messages.ts'
import type { AskedHook, ServedGroup } from './hook-server.ts'
import type { Exchange, Serve } from './host.ts'
import { paramsOf } from './params.ts'
import { readyMade } from './ready-made.ts'

/** In the order of their numbers; empty: nothing is asked. */
export function servedGroups(
  resolved: ResolvedConfig,
  functions: AppFunctions,
  log: AppLog,
  handlers: ReadonlyMap<number, Serve>,
): ServedGroup[] {
  const upstreams = new Map(resolved.upstreams.map(({ name }, index) => [name, index] as const))
  return compileHooks(resolved).groups.map((group) => {
    const route = resolved.routes[group.route]
    if (group.kind === 'handler') return { handle: handlers.get(group.route) ?? refuseAll }
    const routeKey = route?.key ?? ''
    const { decide, by } = decidingOf(group, resolved, functions)
    const params = paramsOf(route?.path ?? '/')
    // Whose bodies are read has its upstream behind the app.
    const isProxy = isProxied(route?.action) && !(route && isTransformed(route))
    return {
      decide,
      head: { routeKey, params, log, by },
      verdict: { upstreams, isProxy },
    }
  })
}

// A route without its function is none that got here.
function refuseAll(exchange: Exchange): void {
  exchange.answer(500, [], '')
}

function isProxied(action: ResolvedConfig['routes'][number]['action'] | undefined): boolean {
  if (action?.kind === 'files') return isProxied(action.otherwise)
  return action?.kind === 'proxy'
}

interface Deciding {
  decide: AskedHook
  by: readonly string[] | undefined
}

function decidingOf(group: HookGroup, resolved: ResolvedConfig, functions: AppFunctions): Deciding {
  const own = group.members.map((place) => functions.hooks.get(hookKey(place)))
  switch (group.kind) {
    case 'request':
      return aboutRequests(group, resolved, functions)
    case 'response':
      return { decide: (head, question) => aboutResponse(own, head, question), by: undefined }
    default:
      return { decide: (head, question) => aboutError(own, head, question), by: undefined }
  }
}

function aboutRequests(
  { members, claims }: HookGroup,
  resolved: ResolvedConfig,
  functions: AppFunctions,
): Deciding {
  const [place] = members
  const hook = place && hookAt(resolved, place)
  if (place === undefined || hook === undefined) throw new RangeError('a group without a hook')
  if (hook.kind !== 'hook') {
    const made = readyMade(hook, claims)
    return { decide: (head) => made(head.unbound()), by: undefined }
  }
  const own = functions.hooks.get(hookKey(place))
  // Called as a method, as it was written.
  return { decide: (head) => own?.onRequest?.(head) ?? undefined, by: hook.remember?.by }
}

type Functions = readonly (HookFunctions | undefined)[]

/** What every hook changes, those of later ones behind those of earlier ones. */
async function aboutResponse(
  hooks: Functions,
  request: QuestionHead,
  { status, more }: Question,
): Promise<HookVerdict | undefined> {
  const head: ResponseHead = {
    status,
    request,
    header: (name) => fieldIn(more, name.toLowerCase()),
    get headers() {
      return new Headers(entriesOf(more))
    },
  }
  let all: HookFieldEdits | undefined
  for (const hook of hooks) {
    const edits = await hook?.onResponse?.(head)
    if (edits) all = all === undefined ? edits : merged(all, edits)
  }
  return all && { response: all }
}

/** What the later ones set or remove of the earlier ones' is gone. */
function merged(before: HookFieldEdits, after: HookFieldEdits): HookFieldEdits {
  const gone = [...Object.keys(after.set ?? {}), ...(after.remove ?? [])].map((name) =>
    name.toLowerCase(),
  )
  const kept = <T>(fields: Readonly<Record<string, T>> = {}) =>
    Object.fromEntries(
      Object.entries(fields).filter(([name]) => !gone.includes(name.toLowerCase())),
    )
  const add: Record<string, readonly string[]> = {}
  for (const fields of [kept(before.add), after.add ?? {}]) {
    for (const [name, values] of Object.entries(fields)) {
      add[name] = [...(add[name] ?? []), ...(typeof values === 'string' ? [values] : values)]
    }
  }
  const remove = [...(before.remove ?? []), ...(after.remove ?? [])]
  return { set: { ...kept(before.set), ...after.set }, add, remove }
}

/** The first answer that a hook gives. */
async function aboutError(
  hooks: Functions,
  request: QuestionHead,
  { status, more: code }: Question,
): Promise<HookVerdict | undefined> {
  for (const hook of hooks) {
    const answer = await hook?.onError?.({ code, status, request })
    if (answer) return answer
  }
  return undefined
}
