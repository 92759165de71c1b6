// The options of ready-made hooks, as in options.ts. Written from the tables of
// schema*.ts: change those, then run scripts/generate-config-docs.ts.

import type { JwtAlgorithm } from './schema-hooks.ts'
import type { Duration } from './units.ts'

/** Options of rateLimit(). */
export interface RateLimitOptions {
  /** Requests that a client may make in each window, on the average. */
  limit: number
  /** The time that `limit` is for. Default: `'1m'`. */
  window?: Duration
  /** Requests that a client which made none for a while may make at once. Default: `limit`. */
  burst?: number
  /**
   * Who is a client: an address (of IPv6 its /64), each value of a header field, or of a claim
   * that a hook before this one has found, such as jwt(). Requests without one count by address.
   * Default: `'address'`.
   */
  by?: 'address' | { readonly header: string } | { readonly claim: string }
  /**
   * Whether every answer says how many requests are left (RateLimit), not only a 429. Default:
   * `false`.
   */
  announce?: boolean
  /** Its name in the RateLimit fields. Default: `'default'`. */
  name?: string
}

/** Options of cors(). */
export interface CorsOptions {
  /**
   * Origins whose pages may read the answers. '*': any, for requests without credentials. Default:
   * `'*'`.
   */
  origins?: string | readonly string[]
  /** Methods that such pages may use. Default: `['GET','HEAD','POST','PUT','PATCH','DELETE']`. */
  methods?: string | readonly string[]
  /** Header fields that such pages may send. Default: `['content-type','authorization']`. */
  headers?: string | readonly string[] | false
  /** Header fields of answers that such pages may read, beside the usual ones. Default: `false`. */
  exposed?: string | readonly string[] | false
  /**
   * Whether such pages may send cookies and Authorization; not for any origin. Default: `false`.
   */
  credentials?: boolean
  /** How long a browser may remember what was said. Default: `'10m'`. */
  maxAge?: Duration
}

/** Options of securityHeaders(); false leaves a field out. */
export interface SecurityHeadersOptions {
  /** Strict-Transport-Security; browsers heed it on https only. Default: `'max-age=31536000'`. */
  hsts?: string | false
  /** X-Content-Type-Options. Default: `'nosniff'`. */
  contentTypeOptions?: string | false
  /** X-Frame-Options. Default: `'SAMEORIGIN'`. */
  frameOptions?: string | false
  /** Referrer-Policy. Default: `'strict-origin-when-cross-origin'`. */
  referrerPolicy?: string | false
  /** Permissions-Policy. Default: `false`. */
  permissionsPolicy?: string | false
  /** Content-Security-Policy. Default: `false`. */
  contentSecurityPolicy?: string | false
  /** Cross-Origin-Opener-Policy. Default: `'same-origin'`. */
  crossOriginOpenerPolicy?: string | false
  /** Cross-Origin-Resource-Policy. Default: `false`. */
  crossOriginResourcePolicy?: string | false
  /** Further fields, or others for those above. */
  fields?: Readonly<Record<string, string>>
}

/** Options of maintenance(). */
export interface MaintenanceOptions {
  /** Whether it is on. false: as if it were not there. Default: `true`. */
  enabled?: boolean
  /** Networks whose clients pass: '10.0.0.0/8', an address, or 'unix'. Default: `false`. */
  except?: string | readonly string[] | false
  /** Seconds after which clients are told to come again (Retry-After). Default: `60`. */
  retryAfter?: number
  /** The Content-Type of the answer. Default: `'text/plain; charset=utf-8'`. */
  contentType?: string
  /** The body of the answer. Default: `'503 Service Unavailable: down for maintenance\n'`. */
  body?: string
}

/** Options of basicAuth(). */
export interface BasicAuthOptions {
  /** Hashes of passwords, by user, as 'sluice hash-password' prints them. */
  users: Readonly<Record<string, string>>
  /** What the browser says the password is for. Default: `'restricted'`. */
  realm?: string
  /**
   * A header field that tells targets and handlers the user's name. false: none. Default: `false`.
   */
  forwardUser?: string | false
  /**
   * How long a worker remembers that credentials were right, or wrong, for a target. Default:
   * `'1m'`.
   */
  remember?: Duration
}

/** Options of jwt(). One of 'jwks', 'secret' and 'publicKey' has to be there. */
export interface JwtOptions {
  /** Where the public keys are (a JSON Web Key Set); they are fetched and kept. Default: none. */
  jwks?: string
  /** The shared secret of HS algorithms; at least 32 bytes. Default: none. */
  secret?: string
  /** One public key, as PEM (SPKI). Default: none. */
  publicKey?: string
  /**
   * Algorithms that are taken; what is not named here is refused. Default: HS256 with `secret`,
   * else RS256 and ES256.
   */
  algorithms?: JwtAlgorithm | readonly JwtAlgorithm[]
  /** Who may have made a token (iss). false: anybody who has the key. Default: `false`. */
  issuer?: string | readonly string[] | false
  /** Whom a token is for (aud). false: it is not looked at. Default: `false`. */
  audience?: string | readonly string[] | false
  /**
   * A cookie that holds the token when there is no 'Authorization: Bearer'. '': none. Default:
   * `''`.
   */
  cookie?: string
  /** Whether requests without a token pass. One with a wrong token never does. Default: `false`. */
  optional?: boolean
  /** Header fields that tell targets and handlers claims: { 'x-user': 'sub' }. */
  forward?: Readonly<Record<string, string>>
  /** How far clocks may differ. Default: `'5s'`. */
  clockTolerance?: Duration
  /**
   * How long a worker remembers a verdict for a token and target; never past its end. Default:
   * `'10s'`.
   */
  remember?: Duration
}

/** Options of forwardAuth(). */
export interface ForwardAuthOptions {
  /** Who decides: it is asked with the fields of the request, and 2xx lets it pass. */
  url: string
  /**
   * Fields of its answer that the request gets, in the place of what the client sent. Default:
   * `false`.
   */
  headers?: string | readonly string[] | false
  /** How long it may take; then 504. Default: `'5s'`. */
  timeout?: Duration
  /**
   * How long a worker remembers its verdict for the same Authorization, Cookie and target. 0: not
   * at all. Default: `0`.
   */
  remember?: Duration
}
