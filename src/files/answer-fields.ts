// The header fields of an answer with a file: what the file itself says, then what the route sets
// for it, by pattern or for all. Pure; main thread, once per decision.

import { fieldLines } from '../config/fields.ts'
import { fits } from '../config/globs.ts'
import type { ResolvedFiles } from '../config/resolved.ts'
import { mediaTypeOf } from './media-types.ts'

type FieldRules = Pick<ResolvedFiles, 'headers' | 'cacheControl'>

/**
 * Lines for the file at `path`, relative to the root. X-Content-Type-Options is sent because the
 * types come from a table: a browser that guesses another one can be made to run what somebody
 * uploaded. Whatever the route sets itself replaces ours.
 */
export function fileFields(route: FieldRules, path: string): string {
  return linesOf(merged(route, path))
}

/** The same for an error page: whatever it says must be gone as soon as the error is. */
export function errorPageFields(route: FieldRules, path: string): string {
  const fields = merged(route, path)
  fields.delete('cache-control')
  fields.delete('expires')
  return linesOf(fields)
}

/** Name and value by lower-case name; the later of two stays. */
type Fields = Map<string, [name: string, value: string]>

function merged(route: FieldRules, path: string): Fields {
  const fields: Fields = new Map()
  set(fields, 'Content-Type', mediaTypeOf(path))
  set(fields, 'X-Content-Type-Options', 'nosniff')
  const cacheControl = cacheControlOf(route, path)
  if (cacheControl !== '') set(fields, 'Cache-Control', cacheControl)
  for (const [key, value] of Object.entries(route.headers)) {
    if (typeof value === 'string') set(fields, key, value)
    else if (fits(key, path)) {
      for (const [name, content] of Object.entries(value)) set(fields, name, content)
    }
  }
  return fields
}

function cacheControlOf({ cacheControl }: FieldRules, path: string): string {
  if (typeof cacheControl === 'string') return cacheControl
  const fitting = Object.entries(cacheControl).filter(([pattern]) => fits(pattern, path))
  return fitting.at(-1)?.[1] ?? ''
}

function set(fields: Fields, name: string, value: string): void {
  fields.delete(name.toLowerCase())
  fields.set(name.toLowerCase(), [name, value])
}

function linesOf(fields: Fields): string {
  return fieldLines(Object.fromEntries(fields.values()))
}
