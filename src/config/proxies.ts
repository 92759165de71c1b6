// Reads a proxy() route: to a named upstream or to targets that it describes itself, and what must
// hold between its options and the key. Everything wrong is reported with the route's own path.

import { parseRewrite } from './location.ts'
import type { Pattern } from './patterns.ts'
import { isPlainObject, type Place, shown } from './place.ts'
import type { ResolvedProxy } from './resolved.ts'
import { type ProxySettings, proxy } from './schema-proxy.ts'
import {
  completeUpstream,
  type InlineUpstream,
  inlineUpstream,
  upstream,
} from './schema-upstreams.ts'
import { readSection, type Section } from './section.ts'
import { looksLikeTarget } from './targets.ts'

type Action = Record<string, unknown>

/** `value` is what proxy() made. */
export function readProxy(
  value: Action,
  pattern: Pattern,
  place: Place,
): ResolvedProxy | undefined {
  const { to, options = {} } = value
  const read = readForwarding(proxy, to, options, place)
  if (read === undefined) return undefined
  const { name, settings } = read
  const { rewrite: template, bodyBytes = place.scope?.bodyBytes ?? false, ...others } = settings
  const rewrite = template === undefined ? [] : parseRewrite(template, pattern, place.at('rewrite'))
  const fits =
    checkPrefix(settings, pattern, place.at('stripPrefix')) &&
    checkFields(settings, place.at('headers'))
  if (rewrite === undefined || !fits) return undefined
  return { kind: 'proxy', upstream: name, ...others, rewrite, bodyBytes }
}

interface Read<T> {
  /** Of the upstream. */
  name: string
  settings: T
}

/** Where a route goes, and its own options, which stand in `table`. */
export function readForwarding<T extends object>(
  table: Section<T>,
  to: unknown,
  options: unknown,
  place: Place,
): Read<T> | undefined {
  const isName = typeof to === 'string' && !looksLikeTarget(to)
  return isName ? readNamed(table, to, options, place) : readInline(table, to, options, place)
}

function readNamed<T extends object>(
  table: Section<T>,
  to: string,
  options: unknown,
  place: Place,
): Read<T> | undefined {
  const name = place.scope?.upstreamNamed(to, place.at('to'))
  const given = isPlainObject(options) ? options : {}
  const misplaced = Object.keys(given).filter((key) => Object.hasOwn(upstream, key))
  for (const key of misplaced) {
    place.at(key).report(`an option of the upstream: set it in upstreams.${to}`)
  }
  const own = Object.entries(given).filter(([key]) => !misplaced.includes(key))
  const settings = readSection(
    table,
    isPlainObject(options) ? Object.fromEntries(own) : options,
    place,
  )
  return name !== undefined && settings && misplaced.length === 0 ? { name, settings } : undefined
}

function readInline<T extends object>(
  table: Section<T>,
  to: unknown,
  options: unknown,
  place: Place,
): Read<T> | undefined {
  const targets = upstream.targets.kind.read(to, place.at('to'))
  const both: Section<T & InlineUpstream> = { ...table, ...inlineUpstream } as never
  const read = readSection<T & InlineUpstream>(both, options, place)
  if (read === undefined) return undefined
  const whole = { targets: targets ?? [], ...ofTable(read, inlineUpstream) }
  const complete = completeUpstream(whole, place)
  if (targets === undefined || complete === undefined) return undefined
  return { name: place.scope?.inlineUpstream(complete) ?? '', settings: ofTable<T>(read, table) }
}

/** What belongs to one of two tables that were read together. */
function ofTable<T extends object>(read: T, table: Section<T>): T {
  const own = Object.entries(read).filter(([key]) => Object.hasOwn(table, key))
  return Object.fromEntries(own) as T
}

/** A prefix that the key does not begin with would never be taken off. */
function checkPrefix({ stripPrefix, rewrite }: ProxySettings, pattern: Pattern, place: Place) {
  if (stripPrefix === '') return true
  if (rewrite !== undefined) {
    place.report("'rewrite' says the whole path: use one or the other")
    return false
  }
  const own = pattern.path.split('/')
  const begins = stripPrefix.split('/').every((segment, index) => own[index] === decoded(segment))
  if (!begins) place.report(`the path of this route does not begin with ${shown(stripPrefix)}`)
  return begins
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

// Two of one field, ours and the author's, would leave the target to choose.
function checkFields({ headers, forwarded, via, requestId }: ProxySettings, place: Place): boolean {
  const makers: [RegExp, boolean, string][] = [
    [/^x-forwarded-(for|proto|host|port)$/, forwarded !== false, "'forwarded'"],
    [/^forwarded$/, forwarded !== false, "'forwarded'"],
    [/^via$/, via, "'via'"],
    [/^x-request-id$/, requestId, "'requestId'"],
  ]
  const before = place.problems.length
  const { set, add } = headers.request
  for (const [part, fields] of Object.entries({ set, add })) {
    for (const name of Object.keys(fields)) {
      const maker = makers.find(([names, on]) => on && names.test(name.toLowerCase()))
      const at = place.at('request').at(part).at(name)
      if (maker) at.report(`the option ${maker[2]} makes it; it can be set with ${maker[2]} false`)
    }
  }
  return place.problems.length === before
}
