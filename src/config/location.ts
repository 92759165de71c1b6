// Templates: 'https://example.com$path' of redirect(), '/v2$rest' of proxy(). Parses one into the
// parts that the core joins, and refuses templates with which a visitor could choose the host that
// he is sent to, or that make no path.

import type { LocationPart } from '../native/interface.ts'
import type { Pattern } from './patterns.ts'
import { type Place, shown } from './place.ts'
import { didYouMean } from './suggest.ts'

const always = ['path', 'query', 'host', 'rest']

/** The parts of a Location value, or undefined after reporting what is wrong. */
export function parseLocation(
  template: string,
  pattern: Pattern,
  place: Place,
): LocationPart[] | undefined {
  return parse(template, pattern, place, checkTarget)
}

/** The parts of a path (with a query, if it has one), or undefined after reporting. */
export function parseRewrite(
  template: string,
  pattern: Pattern,
  place: Place,
): LocationPart[] | undefined {
  return parse(template, pattern, place, checkPath)
}

function parse(
  template: string,
  pattern: Pattern,
  place: Place,
  check: (parts: readonly LocationPart[], place: Place) => void,
): LocationPart[] | undefined {
  const before = place.problems.length
  const parts = split(template).map((part) => variableOrLiteral(part, pattern, place))
  checkLiterals(template, place)
  if (place.problems.length === before) check(parts, place)
  return place.problems.length === before ? parts : undefined
}

/** Whether the template brings a query of its own. */
export function hasQuery(parts: readonly LocationPart[]): boolean {
  return parts.some((part) =>
    'literal' in part ? part.literal.includes('?') : part.variable === 'query',
  )
}

/** With the request's query before the fragment, where it belongs; undefined without a fragment. */
export function queryBeforeFragment(parts: readonly LocationPart[]): LocationPart[] | undefined {
  const index = parts.findIndex((part) => 'literal' in part && part.literal.includes('#'))
  const found = parts[index]
  if (found === undefined || !('literal' in found)) return undefined
  const hash = found.literal.indexOf('#')
  const before = { literal: found.literal.slice(0, hash) }
  const fragment = { literal: found.literal.slice(hash) }
  return parts.toSpliced(index, 1, before, { variable: 'query' }, fragment)
}

// '$$' is a dollar sign; '$name' takes as many letters as there are.
function split(template: string): string[] {
  return template.split(/(\$\$|\$\w*)/).filter((part) => part !== '')
}

function variableOrLiteral(part: string, pattern: Pattern, place: Place): LocationPart {
  if (!part.startsWith('$')) return { literal: part }
  if (part === '$$') return { literal: '$' }
  const name = part.slice(1)
  if (name === 'rest' && !pattern.rest) {
    place.report("$rest is what the final '*' of the route matched, and this route has none")
  }
  if (always.includes(name)) {
    if (pattern.parameters.includes(name)) {
      place.report(`$${name} could be the parameter ':${name}' too: give that another name`)
    }
    return { variable: name }
  }
  if (pattern.parameters.includes(name)) return { variable: `:${name}` }
  const known = [...always, ...pattern.parameters].map((word) => `$${word}`)
  if (name === '') place.report("a lone '$': write '$$' for a dollar sign")
  else place.report(`unknown variable ${shown(part)}${didYouMean(part, known)}`)
  return { literal: '' }
}

function checkLiterals(template: string, place: Place): void {
  const stray = /[^!-~]/u.exec(template)
  if (stray) {
    place.report(`${JSON.stringify(stray[0])} cannot stand in a URL: write it percent-encoded`)
  }
  if (template.includes('\\')) place.report("'\\' cannot stand in a URL: browsers read it as '/'")
}

// Where the visitor is sent must be the author's choice: this site, or a host written out (or
// $host, which the visitor has reached anyway). '$path', '$rest' and '/…' stay on this site because
// the core makes one slash of leading ones.
function checkTarget(parts: readonly LocationPart[], place: Place): void {
  const first = parts[0]
  if (first === undefined) {
    place.report('expected a URL or a path, got an empty string')
  } else if ('variable' in first) {
    if (first.variable === 'path' || first.variable === 'rest') return
    place.report(
      `a location begins with 'https://', '/', $path or $rest, not with a ${shown(nameOf(first))}`,
    )
  } else if (first.literal.startsWith('//')) {
    place.report("a location that begins with '//' names a host: write 'https://' before it")
  } else if (!first.literal.startsWith('/')) checkAbsolute(parts, first.literal, place)
}

// What is sent to a target begins with a slash, which '$path' and '$rest' bring along.
function checkPath(parts: readonly LocationPart[], place: Place): void {
  const first = parts[0]
  const begins =
    first !== undefined &&
    ('literal' in first
      ? first.literal.startsWith('/')
      : first.variable === 'path' || first.variable === 'rest')
  if (!begins) place.report("a path begins with '/', $path or $rest")
  if (parts.some((part) => 'literal' in part && part.literal.includes('#'))) {
    place.report("'#' is for browsers: a target never sees it")
  }
}

function nameOf(part: LocationPart): string {
  return 'variable' in part ? `$${part.variable.replace(':', '')}` : part.literal
}

function checkAbsolute(parts: readonly LocationPart[], start: string, place: Place): void {
  const scheme = /^https?:\/\//.exec(start)?.[0]
  if (scheme === undefined) {
    place.mismatch("'https://…', 'http://…' or a path beginning with '/'", start)
    return
  }
  let authority = ''
  for (const [index, part] of parts.entries()) {
    const literal = 'literal' in part ? part.literal.slice(index === 0 ? scheme.length : 0) : ''
    const end = literal.search(/[/?#]/)
    authority += end === -1 ? literal : literal.slice(0, end)
    if (end !== -1) break
    if ('literal' in part) continue
    if (['path', 'query', 'rest'].includes(part.variable) && authority !== '') break
    if (part.variable !== 'host') {
      place.report(`${nameOf(part)} would let a visitor choose the host: write a '/' before it`)
      return
    }
    authority += 'host.example'
  }
  if (URL.parse(`${scheme}${authority}/`) === null) {
    place.report(`${shown(start)} names no host that a browser could go to`)
  }
}
