// The header fields of an answer with a file: what the file itself says, then what the route sets
// for it, by pattern or for all. Pure; main thread, once per decision.

import { fieldLines } from '../config/fields.ts'
import { fits } from '../config/globs.ts'
import type { ResolvedFiles } from '../config/resolved.ts'
import { mediaTypeOf } from './media-types.ts'

type FieldRules = Pick<ResolvedFiles, 'headers' | 'cacheControl'>

/**
 * Fields for the file at `path`, relative to the root. X-Content-Type-Options is sent because the
 * types come from a table: a browser that guesses another one can be made to run what somebody
 * uploaded. Whatever the route sets itself replaces ours.
 */
export class FileFields {
  /** Name and value by lower-case name; the later of two stays. */
  readonly #fields = new Map<string, [name: string, value: string]>()

  constructor(route: FieldRules, path: string) {
    this.#set('Content-Type', mediaTypeOf(path))
    this.#set('X-Content-Type-Options', 'nosniff')
    const cacheControl = cacheControlOf(route, path)
    if (cacheControl !== '') this.#set('Cache-Control', cacheControl)
    for (const [key, value] of Object.entries(route.headers)) {
      if (typeof value === 'string') this.#set(key, value)
      else if (fits(key, path)) {
        for (const [name, content] of Object.entries(value)) this.#set(name, content)
      }
    }
  }

  /** Value of a field by its lower-case name; undefined when there is none. */
  get(name: string): string | undefined {
    return this.#fields.get(name)?.[1]
  }

  /** An error page has no such fields: whatever it says must be gone as soon as the error is. */
  dropCaching(): this {
    this.#fields.delete('cache-control')
    this.#fields.delete('expires')
    return this
  }

  /** The answer depends on what codings a client takes, besides what the route says itself. */
  vary(): this {
    const own = this.get('vary') ?? ''
    const names = own.toLowerCase().split(/\s*,\s*/)
    if (names.includes('*') || names.includes('accept-encoding')) return this
    this.#set('Vary', own === '' ? 'Accept-Encoding' : `${own}, Accept-Encoding`)
    return this
  }

  lines(): string {
    return fieldLines(Object.fromEntries(this.#fields.values()))
  }

  #set(name: string, value: string): void {
    this.#fields.delete(name.toLowerCase())
    this.#fields.set(name.toLowerCase(), [name, value])
  }
}

function cacheControlOf({ cacheControl }: FieldRules, path: string): string {
  if (typeof cacheControl === 'string') return cacheControl
  const fitting = Object.entries(cacheControl).filter(([pattern]) => fits(pattern, path))
  return fitting.at(-1)?.[1] ?? ''
}
