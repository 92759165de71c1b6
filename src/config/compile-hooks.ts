// The part of config/compile.ts that is about hooks: those of the gateway, then those of the route,
// as one list of steps for the core. What asks user code gets a number, which the app counts in the
// same way from the same configuration. Pure.

import { createHash } from 'node:crypto'
import type { NativeHookStep, NativeHooks } from '../native/hooks.ts'
import { functionOf } from './compile-app.ts'
import { fieldLines } from './fields.ts'
import type { ResolvedConfig, ResolvedRoute } from './resolved.ts'
import type {
  ResolvedAsking,
  ResolvedCors,
  ResolvedHook,
  ResolvedMaintenance,
  ResolvedRateLimit,
} from './resolved-hooks.ts'

/** Where a hook is written: with a route, by its index, or with the gateway (-1). */
export interface HookPlace {
  route: number
  at: number
}

/** What is asked by one number. */
export interface HookGroup {
  kind: 'request' | 'response' | 'error' | 'handler'
  /** Of the requests that it is asked about. */
  route: number
  members: HookPlace[]
  /** Names of claims that rate limits of the route count by. */
  claims: string[]
}

export interface CompiledHooks {
  groups: HookGroup[]
  /** Of all that is said of hooks and routes: the numbers of groups are only good with it. */
  version: number
  /** By route; null: none. */
  routes: (CompiledPlan | null)[]
}

/** What stands before an action; `handler` is the group of the function that answers. */
export type CompiledPlan = Omit<NativeHooks, 'version' | 'upstreams' | 'handler'> & {
  handler: number | null
}

interface Placed {
  hook: ResolvedHook
  place: HookPlace
}

type HooksConfig = Pick<ResolvedConfig, 'hooks' | 'routes'>

export function compileHooks(config: HooksConfig): CompiledHooks {
  const groups: HookGroup[] = []
  const routes = config.routes.map((route, index) => {
    const hooks = hooksOf(config, route, index)
    const isHandled = functionOf(route)?.kind === 'handler'
    if (hooks.length === 0 && !isHandled) return null
    return compileRoute(hooks, index, groups, isHandled)
  })
  return { groups, version: versionOf(config, groups), routes }
}

function versionOf({ hooks, routes }: HooksConfig, groups: HookGroup[]): number {
  const named = routes.map(({ key, hooks: own }) => [key, own])
  const digest = createHash('sha256')
    .update(JSON.stringify([hooks, named, groups]))
    .digest()
  return digest.readUInt32LE(0)
}

/** Whether user code has to be asked about requests. */
export function asksApp(config: HooksConfig): boolean {
  return compileHooks(config).groups.length > 0
}

export function hookAt(config: HooksConfig, { route, at }: HookPlace): ResolvedHook | undefined {
  const hooks = route === -1 ? config.hooks : config.routes[route]?.hooks
  return hooks?.[at]
}

function hooksOf(config: HooksConfig, route: ResolvedRoute, index: number): Placed[] {
  const placed = (hooks: readonly ResolvedHook[] = [], of: number) =>
    hooks.map((hook, at) => ({ hook, place: { route: of, at } }))
  return [...placed(config.hooks, -1), ...placed(route.hooks, index)]
}

/** Whether it decides about requests by code of the app. */
function asks(hook: ResolvedHook): hook is ResolvedAsking {
  if (hook.kind === 'hook') return hook.onRequest
  return hook.kind === 'basic-auth' || hook.kind === 'jwt' || hook.kind === 'forward-auth'
}

function compileRoute(
  hooks: Placed[],
  route: number,
  groups: HookGroup[],
  isHandled: boolean,
): CompiledPlan {
  const claims = hooks.flatMap(({ hook }) =>
    hook.kind === 'rate-limit' && hook.by.kind === 'claim' ? [hook.by.name] : [],
  )
  const group = (kind: HookGroup['kind'], members: HookPlace[]) => {
    if (members.length === 0) return null
    groups.push({ kind, route, members, claims })
    return groups.length - 1
  }
  const steps = hooks.flatMap(({ hook, place }): NativeHookStep[] => {
    if (asks(hook)) {
      const number = group('request', [place]) ?? 0
      return [{ kind: 'ask', group: number, remember: rememberOf(hook) }]
    }
    return compileStep(hook, place)
  })
  const response = { remove: [] as string[], add: '' }
  for (const { hook } of hooks) {
    const fields = fixedFields(hook)
    response.remove.push(...Object.keys(fields).map((name) => name.toLowerCase()))
    response.add += fieldLines(fields)
  }
  const having = (which: 'onResponse' | 'onError') =>
    hooks.flatMap(({ hook, place }) => (hook.kind === 'hook' && hook[which] ? [place] : []))
  return {
    steps,
    response,
    onResponse: group('response', having('onResponse')),
    onError: group('error', having('onError')),
    handler: isHandled ? group('handler', [{ route, at: 0 }]) : null,
  }
}

function rememberOf(hook: ResolvedAsking): { ms: number; by: string[] } | null {
  switch (hook.kind) {
    case 'hook':
      return hook.remember ?? null
    case 'basic-auth':
      return hook.remember > 0 ? { ms: hook.remember, by: ['authorization'] } : null
    case 'jwt': {
      const by = hook.cookie === '' ? ['authorization'] : ['authorization', 'cookie']
      return hook.remember > 0 ? { ms: hook.remember, by } : null
    }
    case 'forward-auth':
      return hook.remember > 0 ? { ms: hook.remember, by: ['authorization', 'cookie'] } : null
  }
}

function compileStep(
  hook: Exclude<ResolvedHook, ResolvedAsking> | ResolvedAsking,
  place: HookPlace,
) {
  switch (hook.kind) {
    case 'addresses': {
      const { kind, allows, networks } = hook
      return [{ kind, allows, networks: networks.map(withBits) } as const]
    }
    case 'maintenance':
      return hook.enabled ? [compileMaintenance(hook)] : []
    case 'cors':
      return [compileCors(hook)]
    case 'rate-limit':
      return [compileLimit(hook, place)]
    default:
      return []
  }
}

/** An address is the network that holds it alone. */
export function withBits(network: string): string {
  if (network === 'unix' || network.includes('/')) return network
  return `${network}/${network.includes(':') ? 128 : 32}`
}

function compileMaintenance({ except, retryAfter, contentType, body }: ResolvedMaintenance) {
  const fields = {
    'Content-Type': contentType,
    'Cache-Control': 'no-store',
    'Retry-After': String(retryAfter),
  }
  const answer = { status: 503, fields: fieldLines(fields), body: new TextEncoder().encode(body) }
  return { kind: 'answer', ...answer, except: except.map(withBits) } as const
}

function compileCors(hook: ResolvedCors) {
  const { origins, methods, headers, exposed, credentials, maxAge } = hook
  const anyOrigin = isAnyOrigin(hook)
  const named = credentials ? { 'Access-Control-Allow-Credentials': 'true' } : {}
  const preflight = {
    ...(anyOrigin ? { 'Access-Control-Allow-Origin': '*' } : {}),
    'Access-Control-Allow-Methods': methods.join(', '),
    ...(headers.length > 0 ? { 'Access-Control-Allow-Headers': headers.join(', ') } : {}),
    'Access-Control-Max-Age': String(Math.floor(maxAge / 1_000)),
    ...named,
  }
  const exposing = exposed.length > 0 ? { 'Access-Control-Expose-Headers': exposed.join(', ') } : {}
  return {
    kind: 'cors',
    anyOrigin,
    origins: origins.map((origin) => origin.toLowerCase()),
    preflight: fieldLines(anyOrigin ? withoutOrigin(preflight) : preflight),
    fields: anyOrigin ? '' : fieldLines({ ...exposing, ...named }),
  } as const
}

// The plan's own fields say it on every answer, the one to a preflight included.
function withoutOrigin(fields: Record<string, string>): Record<string, string> {
  const { 'Access-Control-Allow-Origin': _, ...others } = fields
  return others
}

function isAnyOrigin({ origins }: ResolvedCors): boolean {
  return origins.includes('*')
}

/** Fields that every answer of the route has, whatever the request. */
function fixedFields(hook: ResolvedHook): Record<string, string> {
  if (hook.kind === 'security-headers') return hook.fields
  if (hook.kind !== 'cors' || !isAnyOrigin(hook)) return {}
  const exposing =
    hook.exposed.length > 0 ? { 'Access-Control-Expose-Headers': hook.exposed.join(', ') } : {}
  return { 'Access-Control-Allow-Origin': '*', ...exposing }
}

// Hooks of the gateway count a client's requests of all routes together.
function compileLimit(
  { limit, window, burst, by, announce, name }: ResolvedRateLimit,
  place: HookPlace,
) {
  const seconds = Math.max(Math.ceil(window / 1_000), 1)
  return {
    kind: 'limit',
    rule: (place.route + 1) * 256 + place.at,
    capacity: burst,
    intervalUs: Math.max(Math.round((window * 1_000) / limit), 64),
    by,
    announces: announce,
    name,
    policy: `RateLimit-Policy: "${name}";q=${limit};w=${seconds}\r\n`,
  } as const
}
