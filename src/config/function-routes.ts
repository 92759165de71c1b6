// Reads handler() and mount() routes. The functions themselves stay where the file was evaluated:
// what is resolved says only that there is one, with its options.

import type { Place } from './place.ts'
import type { ResolvedHandler, ResolvedMount } from './resolved.ts'
import * as schema from './schema-functions.ts'
import { readSection } from './section.ts'

type Action = Record<string, unknown>

/** `value` is what handler() made. */
export function readHandler(value: Action, place: Place): ResolvedHandler | undefined {
  const options = readSection(schema.handler, value.options ?? {}, place)
  if (!isFunction(value.handle, 'a function of the request', place)) return undefined
  return options && { kind: 'handler', ...options }
}

/** `value` is what mount() made. */
export function readMount(value: Action, place: Place): ResolvedMount | undefined {
  const options = readSection(schema.mount, value.options ?? {}, place)
  if (!isFunction(value.start, 'a function that starts a server', place)) return undefined
  return options && { kind: 'mount', ...options }
}

function isFunction(value: unknown, expected: string, place: Place): boolean {
  if (typeof value === 'function') return true
  place.mismatch(expected, value)
  return false
}
