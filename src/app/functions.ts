// The functions of a configuration, by the index of their route. What the gateway has of them is
// that they are there; here they are taken from what the file exports.

import { functionOf } from '../config/compile-app.ts'
import type { HookPlace } from '../config/compile-hooks.ts'
import type { Handler, MountFactory } from '../config/functions.ts'
import type { HookFunctions } from '../config/hooks.ts'
import type { ResolvedConfig, ResolvedRoute } from '../config/resolved.ts'
import type { TransformHooks } from '../config/transforms.ts'

/** The functions of all routes. */
export interface AppFunctions {
  handlers: Map<number, Handler>
  mounts: Map<number, MountFactory>
  /** Of hook(), by hookKey(). */
  hooks: Map<string, HookFunctions>
}

/** Where the functions of a hook are in AppFunctions. */
export function hookKey({ route, at }: HookPlace): string {
  return `${route}:${at}`
}

/** Those that read bodies, in the order in which they stand. */
export function transformsOf(
  { hooks }: AppFunctions,
  { hooks: resolved = [] }: ResolvedRoute,
  route: number,
): TransformHooks[] {
  return resolved.flatMap((hook, at) => {
    const own = hook.kind === 'hook' && hook.transforms && hooks.get(hookKey({ route, at }))
    return own ? [own] : []
  })
}

interface Written {
  kind: string
  handle?: Handler
  start?: MountFactory
  options?: { otherwise?: Written; hooks?: unknown }
}

interface WrittenHook {
  functions?: HookFunctions
}

/** `config` is what was written, and `resolved` what was understood of it. */
export function functionsOf(config: unknown, resolved: ResolvedConfig): AppFunctions {
  const { routes, hooks } = config as { routes: Record<string, Written>; hooks?: unknown }
  const functions: AppFunctions = { handlers: new Map(), mounts: new Map(), hooks: new Map() }
  const note = (written: unknown, route: number) => {
    const list = (Array.isArray(written) ? written : [written]) as (WrittenHook | undefined)[]
    for (const [at, hook] of list.entries()) {
      if (hook?.functions) functions.hooks.set(hookKey({ route, at }), hook.functions)
    }
  }
  note(hooks, -1)
  for (const [index, route] of resolved.routes.entries()) {
    const written = routes[route.key]
    note(written?.options?.hooks, index)
    if (functionOf(route) === undefined) continue
    const action = written?.kind === 'files' ? written.options?.otherwise : written
    if (action?.handle !== undefined) functions.handlers.set(index, action.handle)
    if (action?.start !== undefined) functions.mounts.set(index, action.start)
  }
  return functions
}
