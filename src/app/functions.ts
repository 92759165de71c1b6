// The functions of a configuration, by the index of their route. What the gateway has of them is
// that they are there; here they are taken from what the file exports.

import { functionOf } from '../config/compile-app.ts'
import type { Handler, MountFactory } from '../config/functions.ts'
import type { ResolvedConfig } from '../config/resolved.ts'

/** The functions of all routes. */
export interface AppFunctions {
  handlers: Map<number, Handler>
  mounts: Map<number, MountFactory>
}

interface Written {
  kind: string
  handle?: Handler
  start?: MountFactory
  options?: { otherwise?: Written }
}

/** `config` is what was written, and `resolved` what was understood of it. */
export function functionsOf(config: unknown, resolved: ResolvedConfig): AppFunctions {
  const { routes } = config as { routes: Record<string, Written> }
  const functions: AppFunctions = { handlers: new Map(), mounts: new Map() }
  for (const [index, route] of resolved.routes.entries()) {
    if (functionOf(route) === undefined) continue
    const written = routes[route.key]
    const action = written?.kind === 'files' ? written.options?.otherwise : written
    if (action?.handle !== undefined) functions.handlers.set(index, action.handle)
    if (action?.start !== undefined) functions.mounts.set(index, action.start)
  }
  return functions
}
