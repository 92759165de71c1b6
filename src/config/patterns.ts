// Route keys: `[METHOD ][host]/path`. Parses one into the form that the core compares with, or says
// what is wrong with it; tells when two keys take exactly the same requests.

import { domainToASCII } from 'node:url'
import { shown } from './place.ts'
import { didYouMean } from './suggest.ts'

/** Methods that a route key may begin with. Any other method reaches the routes without one. */
export const methods = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'QUERY',
  'PROPFIND',
  'PROPPATCH',
  'MKCOL',
  'COPY',
  'MOVE',
  'LOCK',
  'UNLOCK',
  'REPORT',
] as const

/** What the core has room for. */
const mostParameters = 16

/** A parsed key; the fields are those of a resolved route. */
export interface Pattern {
  method: string
  /** '' for any, lower case, without port; may begin with '*.'. */
  host: string
  /** Literal segments decoded, `:name`, and a final '*'. */
  path: string
  /** Names of the parameters, in order. */
  parameters: string[]
  /** Whether the path ends in '*'. */
  rest: boolean
}

class WrongPattern extends Error {}

/** The pattern, or a sentence that says what is wrong with the key. */
export function parsePattern(key: string): Pattern | string {
  try {
    const space = key.indexOf(' ')
    const method = space === -1 ? '' : parseMethod(key.slice(0, space))
    const target = key.slice(space + 1)
    const slash = target.indexOf('/')
    if (slash === -1) throw new WrongPattern(`a route key needs a path: ${shown(`${key}/*`)}?`)
    const host = parseHost(target.slice(0, slash))
    return { method, host, ...parsePath(target.slice(slash)) }
  } catch (error) {
    if (error instanceof WrongPattern) return error.message
    throw error
  }
}

/** Equal for two patterns that take the same requests: the names of parameters do not matter. */
export function shapeOf(pattern: Pattern): string {
  const path = pattern.path.replaceAll(/\/:[^/]*/g, '/:')
  return `${pattern.method} ${pattern.host}${path}`
}

function parseMethod(word: string): string {
  if ((methods as readonly string[]).includes(word)) return word
  if (word === '') throw new WrongPattern('a route key does not begin with a space')
  if (word.includes('/')) throw new WrongPattern('a space in a path is written %20')
  throw new WrongPattern(`unknown method ${shown(word)}${didYouMean(word, methods)}`)
}

function parseHost(host: string): string {
  if (host === '') return ''
  const wild = host.startsWith('*.')
  const name = wild ? host.slice(2) : host
  if (name.includes('*')) {
    throw new WrongPattern("'*' in a host stands for its first labels: '*.example.com'")
  }
  if (/^\[.*\]$/.test(name)) return ipv6Host(name)
  if (name.includes(':')) {
    throw new WrongPattern("a host has no port and no scheme here; ports are set by 'listen'")
  }
  if (name.endsWith('.')) throw new WrongPattern('a host is written without its final dot')
  const ascii = domainToASCII(name)
  const labels = ascii.split('.')
  if (ascii === '' || labels.some((label) => label === '' || label.length > 63)) {
    throw new WrongPattern(`${shown(host)} is not a host name`)
  }
  return wild ? `*.${ascii}` : ascii
}

function ipv6Host(name: string): string {
  const url = URL.parse(`http://${name}/`)
  if (url === null) throw new WrongPattern(`${shown(name)} is not an IPv6 address`)
  return url.hostname
}

function parsePath(path: string) {
  const raw = path.slice(1).split('/')
  const parameters: string[] = []
  const segments = raw.map((segment, index) => {
    const last = index === raw.length - 1
    if (segment === '' && !last) throw new WrongPattern('a path has no empty segments (//)')
    if (segment === '*') {
      if (last) return segment
      throw new WrongPattern(
        "'*' stands for the rest of the path: only its last segment can be '*'",
      )
    }
    if (segment.startsWith(':')) return parameter(segment, parameters)
    return literal(segment)
  })
  return { path: `/${segments.join('/')}`, parameters, rest: raw.at(-1) === '*' }
}

function parameter(segment: string, parameters: string[]): string {
  const name = segment.slice(1)
  if (!/^[A-Za-z_]\w*$/.test(name)) {
    throw new WrongPattern(
      name === ''
        ? "a parameter needs a name after its ':'"
        : `${shown(segment)}: a parameter is ':' and a name of letters, digits and _`,
    )
  }
  if (parameters.length === mostParameters) {
    throw new WrongPattern(`a path has at most ${mostParameters} parameters`)
  }
  if (parameters.includes(name)) throw new WrongPattern(`two parameters are named ':${name}'`)
  parameters.push(name)
  return segment
}

function literal(segment: string): string {
  const stray = /[?#\\]/.exec(segment)
  if (stray) throw new WrongPattern(`a path has no '${stray[0]}'; routes look at the path only`)
  if (segment.includes('*')) {
    throw new WrongPattern(`${shown(segment)}: '*' is a whole segment, the last one`)
  }
  if (segment.includes(' ')) throw new WrongPattern('a space in a path is written %20')
  const decoded = decode(segment)
  if (decoded === '.' || decoded === '..')
    throw new WrongPattern("a path has no '.' or '..' segments")
  // A core that compares decoded segments would take these for syntax, or refuses such requests.
  const unmatchable = /[\p{Cc}/]/u.test(decoded) || /^(?::|\*$)/.test(decoded)
  if (unmatchable) throw new WrongPattern(`${shown(segment)} is a segment that no route can match`)
  return decoded
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new WrongPattern(`${shown(segment)} is not percent-encoded UTF-8`)
  }
}
