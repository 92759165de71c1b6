// The options of ready-made hooks, as config/schema-routes.ts has those of routes: kind, default
// and meaning of each.

import { fieldName, fieldNamesBut, fields, fieldValue } from './fields.ts'
import { boolean, choice, count, duration, type Kind, oneOrMany, orNone, text } from './kinds.ts'
import { network } from './networks.ts'
import { isPlainObject } from './place.ts'
import type * as resolved from './resolved-hooks.ts'
import type { Section } from './section.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

export const networks: Kind<string[]> = oneOrMany(network, 1)

const origin = text("an origin such as 'https://app.example.com', or '*'", (written) => {
  if (written === '*') return undefined
  const url = URL.parse(written)
  if (url === null || url.origin === 'null') return 'that is no origin'
  return url.origin === written.toLowerCase() ? undefined : 'scheme, host and port, nothing more'
})

const method = text("a method such as 'GET'", (written) =>
  /^[A-Z][A-Z-]*$/.test(written) ? undefined : 'methods are upper case',
)

type Settings<T> = Omit<T, 'kind'>

export const cors: Section<Settings<resolved.ResolvedCors>> = {
  origins: {
    kind: oneOrMany(origin, 1),
    default: '*',
    doc: `Origins whose pages may read the answers. '*': any, for requests without credentials.`,
  },
  methods: {
    kind: oneOrMany(method, 1),
    default: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    doc: 'Methods that such pages may use.',
  },
  headers: {
    kind: orNone(fieldNamesBut({})),
    default: ['content-type', 'authorization'],
    doc: 'Header fields that such pages may send.',
  },
  exposed: {
    kind: orNone(fieldNamesBut({})),
    default: false,
    doc: 'Header fields of answers that such pages may read, beside the usual ones.',
  },
  credentials: {
    kind: boolean(),
    default: false,
    doc: 'Whether such pages may send cookies and Authorization; not for any origin.',
  },
  maxAge: {
    kind: duration(0, day),
    default: '10m',
    doc: 'How long a browser may remember what was said.',
  },
}

export const maintenance: Section<Settings<resolved.ResolvedMaintenance>> = {
  enabled: {
    kind: boolean(),
    default: true,
    doc: 'Whether it is on. false: as if it were not there.',
  },
  except: {
    kind: orNone(networks),
    default: false,
    doc: "Networks whose clients pass: '10.0.0.0/8', an address, or 'unix'.",
  },
  retryAfter: {
    kind: count(1, 86_400),
    default: 60,
    doc: 'Seconds after which clients are told to come again (Retry-After).',
  },
  contentType: {
    kind: fieldValue,
    default: 'text/plain; charset=utf-8',
    doc: 'The Content-Type of the answer.',
  },
  body: {
    kind: text('a text', () => undefined),
    default: '503 Service Unavailable: down for maintenance\n',
    doc: 'The body of the answer.',
  },
}

/** What securityHeaders() is told; '' leaves a field out. */
export interface SecuritySettings {
  hsts: string
  contentTypeOptions: string
  frameOptions: string
  referrerPolicy: string
  permissionsPolicy: string
  contentSecurityPolicy: string
  crossOriginOpenerPolicy: string
  crossOriginResourcePolicy: string
  fields: Record<string, string>
}

const orLeftOut: Kind<string> = {
  expected: `${fieldValue.expected}, or false`,
  typescript: 'string | false',
  read: (value, place) => (value === false ? '' : fieldValue.read(value, place)),
}

export const securityHeaders: Section<SecuritySettings> = {
  hsts: {
    kind: orLeftOut,
    default: 'max-age=31536000',
    doc: 'Strict-Transport-Security; browsers heed it on https only.',
  },
  contentTypeOptions: {
    kind: orLeftOut,
    default: 'nosniff',
    doc: 'X-Content-Type-Options.',
  },
  frameOptions: { kind: orLeftOut, default: 'SAMEORIGIN', doc: 'X-Frame-Options.' },
  referrerPolicy: {
    kind: orLeftOut,
    default: 'strict-origin-when-cross-origin',
    doc: 'Referrer-Policy.',
  },
  permissionsPolicy: { kind: orLeftOut, default: false, doc: 'Permissions-Policy.' },
  contentSecurityPolicy: { kind: orLeftOut, default: false, doc: 'Content-Security-Policy.' },
  crossOriginOpenerPolicy: {
    kind: orLeftOut,
    default: 'same-origin',
    doc: 'Cross-Origin-Opener-Policy.',
  },
  crossOriginResourcePolicy: {
    kind: orLeftOut,
    default: false,
    doc: 'Cross-Origin-Resource-Policy.',
  },
  fields: { kind: fields({}), default: {}, doc: 'Further fields, or others for those above.' },
}

const limitKey: Kind<resolved.ResolvedRateLimit['by']> = {
  expected: "'address', { header: name } or { claim: name }",
  typescript: "'address' | { readonly header: string } | { readonly claim: string }",
  read(value, place) {
    if (value === 'address') return { kind: 'address', name: '' }
    const [entry, ...more] = isPlainObject(value) ? Object.entries(value) : []
    const [kind, name] = entry ?? []
    if (more.length > 0 || (kind !== 'header' && kind !== 'claim')) {
      return place.mismatch(this.expected, value)
    }
    if (kind === 'header') {
      const read = fieldName.read(name, place.at(kind))
      return read === undefined ? undefined : { kind, name: read.toLowerCase() }
    }
    if (typeof name !== 'string' || !/^[^\s=]+$/.test(name)) {
      return place.at(kind).mismatch('the name of a claim', name)
    }
    return { kind, name }
  },
}

const policyName = text("a name such as 'api'", (written) =>
  /^[\w.-]{1,64}$/.test(written) ? undefined : 'letters, digits, dots and dashes',
)

export type RateLimitSettings = Omit<Settings<resolved.ResolvedRateLimit>, 'burst'> & {
  burst?: number
}

export const rateLimit: Section<RateLimitSettings> = {
  limit: {
    kind: count(1, 1_000_000),
    default: undefined,
    required: true,
    doc: 'Requests that a client may make in each window, on the average.',
  },
  window: {
    kind: duration(100, day),
    default: '1m',
    doc: 'The time that `limit` is for.',
  },
  burst: {
    kind: count(1, 1_000_000),
    default: undefined,
    defaultText: '`limit`',
    doc: 'Requests that a client which made none for a while may make at once.',
  },
  by: {
    kind: limitKey,
    default: 'address',
    doc: `Who is a client: an address (of IPv6 its /64), each value of a header field, or of a claim
that a hook before this one has found, such as jwt(). Requests without one count by address.`,
  },
  announce: {
    kind: boolean(),
    default: false,
    doc: 'Whether every answer says how many requests are left (RateLimit), not only a 429.',
  },
  name: { kind: policyName, default: 'default', doc: 'Its name in the RateLimit fields.' },
}

/** Which fields a cookie, a claim or a user is told in. */
const credentials = 'it carries credentials'
const refused: Record<string, string> = { authorization: credentials, cookie: credentials }

const passwordHash = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

const users: Kind<Record<string, string>> = {
  expected: 'an object of users and the hashes of their passwords (sluice hash-password)',
  typescript: 'Readonly<Record<string, string>>',
  read(value, place) {
    if (!isPlainObject(value) || Object.keys(value).length === 0) {
      return place.mismatch(this.expected, value)
    }
    const before = place.problems.length
    for (const [user, hash] of Object.entries(value)) {
      if (user === '' || user.includes(':')) place.at(user).report("a user's name has no ':'")
      const parts = typeof hash === 'string' ? passwordHash.exec(hash) : null
      if (parts === null) {
        // What stands there may be a password.
        place.at(user).report("expected a hash that 'sluice hash-password' prints")
      } else if (Number(parts[1]) > 20 || Number(parts[2]) > 32 || Number(parts[3]) > 16) {
        place.at(user).report('this hash takes too long to check: ln ≤ 20, r ≤ 32, p ≤ 16')
      }
    }
    return place.problems.length === before ? (value as Record<string, string>) : undefined
  },
}

const orNoField: Kind<string> = {
  expected: `${fieldName.expected}, or false`,
  typescript: 'string | false',
  read: (value, place) => (value === false ? '' : fieldName.read(value, place)),
}

export const basicAuth: Section<Settings<resolved.ResolvedBasicAuth>> = {
  users: {
    kind: users,
    default: undefined,
    required: true,
    doc: "Hashes of passwords, by user, as 'sluice hash-password' prints them.",
  },
  realm: {
    kind: text('a name', (written) =>
      /^[ !#-[\]-~]*$/.test(written) ? undefined : "visible ASCII without '\"' and '\\'",
    ),
    default: 'restricted',
    doc: 'What the browser says the password is for.',
  },
  forwardUser: {
    kind: orNoField,
    default: false,
    doc: "A header field that tells targets and handlers the user's name. false: none.",
  },
  remember: {
    kind: duration(0, hour),
    default: '1m',
    doc: 'How long a worker remembers that credentials were right, or wrong, for a target.',
  },
}

const webAddress = text("a URL such as 'https://example.com/keys'", (written) => {
  const url = URL.parse(written)
  if (url === null || !/^https?:$/.test(url.protocol)) return 'that is no http: or https: URL'
  return undefined
})

const algorithms = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const

/** Algorithms of JSON Web Tokens (RFC 7518, RFC 8037). */
export type JwtAlgorithm = (typeof algorithms)[number]

const algorithmTypes = 'JwtAlgorithm | readonly JwtAlgorithm[]'

const claimFields: Kind<Record<string, string>> = {
  expected: 'an object of header fields and names of claims',
  typescript: 'Readonly<Record<string, string>>',
  read(value, place) {
    const names = fieldNamesBut(refused)
    if (!isPlainObject(value)) return place.mismatch(this.expected, value)
    const before = place.problems.length
    for (const [field, claim] of Object.entries(value)) {
      names.read(field, place.at(field))
      if (typeof claim !== 'string' || claim === '') {
        place.at(field).mismatch('the name of a claim', claim)
      }
    }
    return place.problems.length === before ? (value as Record<string, string>) : undefined
  },
}

const anyText = text('a text', () => undefined)

export const jwt: Section<Settings<resolved.ResolvedJwt>> = {
  jwks: {
    kind: webAddress,
    default: undefined,
    defaultText: 'none',
    doc: 'Where the public keys are (a JSON Web Key Set); they are fetched and kept.',
  },
  secret: {
    kind: anyText,
    default: undefined,
    doc: 'The shared secret of HS algorithms; at least 32 bytes.',
  },
  publicKey: { kind: anyText, default: undefined, doc: 'One public key, as PEM (SPKI).' },
  algorithms: {
    kind: { ...oneOrMany(choice(...algorithms), 1), typescript: algorithmTypes },
    default: undefined,
    defaultText: 'HS256 with `secret`, else RS256 and ES256',
    doc: 'Algorithms that are taken; what is not named here is refused.',
  },
  issuer: {
    kind: orNone(oneOrMany(anyText, 1)),
    default: false,
    doc: 'Who may have made a token (iss). false: anybody who has the key.',
  },
  audience: {
    kind: orNone(oneOrMany(anyText, 1)),
    default: false,
    doc: 'Whom a token is for (aud). false: it is not looked at.',
  },
  cookie: {
    kind: text('the name of a cookie', (name) =>
      name === '' || /^[!#$%&'*+\-.^_`|~\w]+$/.test(name) ? undefined : 'that is no name of one',
    ),
    default: '',
    doc: "A cookie that holds the token when there is no 'Authorization: Bearer'. '': none.",
  },
  optional: {
    kind: boolean(),
    default: false,
    doc: 'Whether requests without a token pass. One with a wrong token never does.',
  },
  forward: {
    kind: claimFields,
    default: {},
    doc: "Header fields that tell targets and handlers claims: { 'x-user': 'sub' }.",
  },
  clockTolerance: {
    kind: duration(0, 10 * minute),
    default: '5s',
    doc: 'How far clocks may differ.',
  },
  remember: {
    kind: duration(0, hour),
    default: '10s',
    doc: 'How long a worker remembers a verdict for a token and target; never past its end.',
  },
}

export const forwardAuth: Section<Settings<resolved.ResolvedForwardAuth>> = {
  url: {
    kind: webAddress,
    default: undefined,
    required: true,
    doc: 'Who decides: it is asked with the fields of the request, and 2xx lets it pass.',
  },
  headers: {
    kind: orNone(fieldNamesBut(refused)),
    default: false,
    doc: 'Fields of its answer that the request gets, in the place of what the client sent.',
  },
  timeout: {
    kind: duration(10, 10 * minute),
    default: '5s',
    doc: 'How long it may take; then 504.',
  },
  remember: {
    kind: duration(0, hour),
    default: 0,
    doc: `How long a worker remembers its verdict for the same Authorization, Cookie and target. 0:
not at all.`,
  },
}
