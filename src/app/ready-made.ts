// The ready-made hooks that run in the app, from what the configuration says of them.

import type { ResolvedHook } from '../config/resolved-hooks.ts'
import { basicAuth } from './basic-auth.ts'
import { forwardAuth } from './forward-auth.ts'
import { jwt } from './jwt.ts'
import type { ReadyMade } from './ready-hook.ts'

/** `claims`: names of those that somebody counts by. */
export function readyMade(hook: ResolvedHook, claims: readonly string[]): ReadyMade {
  switch (hook.kind) {
    case 'basic-auth':
      return basicAuth(hook, claims)
    case 'jwt':
      return jwt(hook, claims)
    case 'forward-auth':
      return forwardAuth(hook)
    default:
      throw new TypeError(`${hook.kind} is no hook that the app answers`)
  }
}
