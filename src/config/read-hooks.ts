// Reads the option `hooks`: a list of what hook() and the ready-made hooks have noted. Of functions
// only that they are there is resolved.

import { fieldNamesBut } from './fields.ts'
import { count, type Kind, orNone } from './kinds.ts'
import { isPlainObject, type Place } from './place.ts'
import type {
  ResolvedFunctionHook,
  ResolvedHook,
  ResolvedJwt,
  ResolvedRemember,
} from './resolved-hooks.ts'
import * as schema from './schema-hooks.ts'
import { type Option, readSection, type Section } from './section.ts'

type Written = Record<string, unknown>

const aHook = 'hook(…), or a ready-made one such as cors(…)'
const mostHooks = 64

/** One or a list of hooks. */
export function hooksOf(typescript: string): Kind<ResolvedHook[]> {
  const expected = `${aHook}, or a list of such`
  return {
    expected,
    typescript,
    read(value, place) {
      const list: unknown[] = Array.isArray(value) ? value : [value]
      if (list.length > mostHooks) return place.report(`at most ${mostHooks} hooks`)
      const at = (index: number) => (Array.isArray(value) ? place.at(index) : place)
      const read = list.map((hook, index) => readHook(hook, at(index)))
      return read.every((hook) => hook !== undefined) ? read : undefined
    },
  }
}

/** The option `hooks` of the gateway. */
export const gatewayHooks: Kind<ResolvedHook[]> = {
  ...hooksOf('Hooks'),
  read(value, place) {
    const read = hooksOf('Hooks').read(value, place)
    const isWrong = read?.some((hook) => hook.kind === 'hook' && hook.transforms)
    return isWrong ? place.report(onlyProxies) : read
  },
}

export const onlyProxies = 'transformRequest and transformResponse are for proxy() routes'

/** The option `hooks` of a route. */
export const routeHooks: Option<ResolvedHook[] | undefined> = {
  kind: hooksOf('Hooks<Params>'),
  default: undefined,
  doc: 'What requests pass before the action. See docs/HOOKS.md.',
}

function readHook(value: unknown, place: Place): ResolvedHook | undefined {
  if (!isPlainObject(value)) {
    const hint = typeof value === 'function' ? ': write hook(…) around it' : ''
    return place.mismatch(aHook, value, hint)
  }
  switch (value.kind) {
    case 'hook':
      return readFunctions(value, place.at('hook'))
    case 'addresses': {
      const networks = schema.networks.read(value.networks, place.at('networks'))
      return networks && { kind: 'addresses', allows: value.allows === true, networks }
    }
    case 'rate-limit':
      return readRateLimit(value, place.at('rateLimit'))
    case 'cors':
      return readCors(value, place.at('cors'))
    case 'security-headers':
      return readSecurity(value, place.at('securityHeaders'))
    case 'maintenance':
      return readReady('maintenance', schema.maintenance, value, place.at('maintenance'))
    case 'basic-auth':
      return readReady('basic-auth', schema.basicAuth, value, place.at('basicAuth'))
    case 'forward-auth':
      return readReady('forward-auth', schema.forwardAuth, value, place.at('forwardAuth'))
    case 'jwt':
      return readJwt(value, place.at('jwt'))
    default:
      return place.mismatch(aHook, value)
  }
}

function readReady<const K extends string, T extends object>(
  kind: K,
  section: Section<T>,
  value: Written,
  place: Place,
): ({ kind: K } & T) | undefined {
  const options = readSection(section, value.options, place)
  return options && { kind, ...options }
}

const functionNames = [
  'onRequest',
  'onResponse',
  'onError',
  'transformRequest',
  'transformResponse',
] as const

function readFunctions(value: Written, place: Place): ResolvedFunctionHook | undefined {
  const written = value.functions
  if (!isPlainObject(written)) return place.mismatch('a function or an object of such', written)
  const known = [...functionNames, 'remember']
  for (const key of Object.keys(written)) {
    if (!known.includes(key)) place.at(key).report('unknown option')
  }
  const has = (name: (typeof functionNames)[number]) => {
    const given = written[name]
    if (given === undefined) return false
    if (typeof given !== 'function') place.at(name).mismatch('a function', given)
    return true
  }
  const there = functionNames.map(has)
  if (!there.includes(true)) {
    return place.report('expected a function: onRequest, onResponse, transformResponse or so')
  }
  const [onRequest = false, onResponse = false, onError = false, request, response] = there
  const resolved: ResolvedFunctionHook = { kind: 'hook', onRequest, onResponse, onError }
  if (request || response) {
    resolved.transforms = { request: request === true, response: response === true }
  }
  if (written.remember === undefined) return resolved
  if (!onRequest) return place.at('remember').report('it is about onRequest, which is not there')
  const remember = readRemember(written.remember, place.at('remember'))
  return remember && { ...resolved, remember }
}

const remember: Section<{ seconds: number; by: string[] }> = {
  seconds: { kind: count(1, 86_400), default: undefined, required: true, doc: '' },
  by: { kind: orNone(fieldNamesBut({})), default: false, doc: '' },
}

function readRemember(value: unknown, place: Place): ResolvedRemember | undefined {
  const read = readSection(remember, value, place)
  return read && { ms: read.seconds * 1_000, by: [...new Set(read.by)] }
}

const mostPerMs = 10

function readRateLimit(value: Written, place: Place): ResolvedHook | undefined {
  const options = readSection(schema.rateLimit, value.options, place)
  if (options === undefined) return undefined
  const { limit, window, burst = limit } = options
  if (limit / window > mostPerMs) return place.report('at most 10000 requests a second')
  if ((burst * window) / limit > 86_400_000) {
    return place.at('burst').report('so many requests would take more than a day to come back')
  }
  return { kind: 'rate-limit', ...options, burst }
}

function readCors(value: Written, place: Place): ResolvedHook | undefined {
  const options = readSection(schema.cors, value.options, place)
  if (options?.credentials && options.origins.includes('*')) {
    return place
      .at('credentials')
      .report("browsers send none where any origin ('*') may read: name the origins")
  }
  return options && { kind: 'cors', ...options }
}

const fieldOf: Record<Exclude<keyof schema.SecuritySettings, 'fields'>, string> = {
  hsts: 'Strict-Transport-Security',
  contentTypeOptions: 'X-Content-Type-Options',
  frameOptions: 'X-Frame-Options',
  referrerPolicy: 'Referrer-Policy',
  permissionsPolicy: 'Permissions-Policy',
  contentSecurityPolicy: 'Content-Security-Policy',
  crossOriginOpenerPolicy: 'Cross-Origin-Opener-Policy',
  crossOriginResourcePolicy: 'Cross-Origin-Resource-Policy',
}

function readSecurity(value: Written, place: Place): ResolvedHook | undefined {
  const options = readSection(schema.securityHeaders, value.options, place)
  if (options === undefined) return undefined
  const { fields, ...named } = options
  const set: Record<string, string> = {}
  for (const [name, content] of Object.entries(named)) {
    if (content !== '') set[fieldOf[name as keyof typeof fieldOf]] = content
  }
  for (const [name, content] of Object.entries(fields)) {
    const twin = Object.keys(set).find((known) => known.toLowerCase() === name.toLowerCase())
    if (twin !== undefined) delete set[twin]
    set[name] = content
  }
  return { kind: 'security-headers', fields: set }
}

function readJwt(value: Written, place: Place): ResolvedJwt | undefined {
  const options = readSection(schema.jwt, value.options, place)
  if (options === undefined) return undefined
  const { jwks = '', secret = '', publicKey = '' } = options
  if ([jwks, secret, publicKey].filter((key) => key !== '').length !== 1) {
    return place.report(
      "expected one of 'jwks', 'secret' and 'publicKey': what tokens are checked by",
    )
  }
  if (secret !== '' && Buffer.byteLength(secret) < 32) {
    return place.at('secret').report('at least 32 bytes (RFC 7518 §3.2)')
  }
  const usual = secret === '' ? ['RS256', 'ES256'] : ['HS256']
  const { algorithms = usual } = options
  // A public key that is taken for a shared secret lets everybody who knows it make tokens.
  if (algorithms.some((name) => name.startsWith('HS') !== (secret !== ''))) {
    return place.at('algorithms').report("HS algorithms go with 'secret', and with nothing else")
  }
  return { kind: 'jwt', ...options, jwks, secret, publicKey, algorithms }
}
