// Where in the configuration we are, and the problems found so far: validation goes on after a
// problem, so that a person sees all of them at once.

import type { Problem } from './errors.ts'
import type { ResolvedUpstream } from './resolved.ts'

/** What options may refer to elsewhere in the same configuration; config/scope.ts makes it. */
export interface Scope {
  /** limits.bodyBytes where somebody has set it; false: nobody has. */
  readonly bodyBytes: number | false
  /** Every listener passes connections on as they are: there is no use for a route. */
  readonly hasNoUseForRoutes: boolean
  /** A name of the option `upstreams`, or undefined after reporting that there is none. */
  upstreamNamed(name: string, place: Place): string | undefined
  /** The name by which an upstream that a route describes is known. */
  inlineUpstream(settings: Omit<ResolvedUpstream, 'name'>): string
}

/** A position in the configuration; children share its list of problems and its scope. */
export class Place {
  /** As a person would write it: `routes["/api/*"].files.index`; '' at the top. */
  readonly path: string
  /** Relative paths in the configuration start here. Absolute. */
  readonly directory: string
  readonly problems: Problem[]
  /** What options may refer to; undefined where nothing else of the configuration is known. */
  readonly scope: Scope | undefined

  constructor(path: string, directory: string, problems: Problem[] = [], scope?: Scope) {
    this.path = path
    this.directory = directory
    this.problems = problems
    this.scope = scope
  }

  /** The place of an option or of an element of a list. */
  at(key: string | number): Place {
    const path = this.path + step(key, this.path === '')
    return new Place(path, this.directory, this.problems, this.scope)
  }

  report(message: string): undefined {
    this.problems.push({ path: this.path, message })
    return undefined
  }

  /** `expected a number, got 'ten'`, with more to say after it if there is more. */
  mismatch(expected: string, got: unknown, more = ''): undefined {
    return this.report(`expected ${expected}, got ${shown(got)}${more}`)
  }
}

function step(key: string | number, atTop: boolean): string {
  if (typeof key === 'number') return `[${key}]`
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `[${JSON.stringify(key)}]`
  return atTop ? key : `.${key}`
}

/** A value in a message: short, and never a dump of somebody's object. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${printable(value.slice(0, 60))}${value[60] ? '…' : ''}'`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return 'a symbol'
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value !== 'object' || value === null) return String(value)
  const name = Object.getPrototypeOf(value)?.constructor?.name
  return name === undefined || name === 'Object' ? 'an object' : `a ${name}`
}

/** On one line, whatever is in it. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => {
    const hex = control.charCodeAt(0).toString(16).padStart(2, '0')
    return { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[control] ?? `\\x${hex}`
  })
}

/** Written as `{ … }`: not a list, not null, not an instance of a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
