// The part of the resolved configuration that is about hooks: plain data, durations in
// milliseconds. Functions are not in it; src/app finds them by the place of their hook.

export interface ResolvedRemember {
  ms: number
  /** Names of header fields, in lower case. */
  by: string[]
}

/** Functions of the configuration. */
export interface ResolvedFunctionHook {
  kind: 'hook'
  onRequest: boolean
  onResponse: boolean
  onError: boolean
  remember?: ResolvedRemember
  /** Which bodies it reads; absent: none. */
  transforms?: { request: boolean; response: boolean }
}

export interface ResolvedAddresses {
  kind: 'addresses'
  allows: boolean
  /** '10.0.0.0/8', an address, or 'unix'. */
  networks: string[]
}

export interface ResolvedMaintenance {
  kind: 'maintenance'
  enabled: boolean
  except: string[]
  /** Seconds. */
  retryAfter: number
  contentType: string
  body: string
}

export interface ResolvedCors {
  kind: 'cors'
  origins: string[]
  methods: string[]
  headers: string[]
  exposed: string[]
  credentials: boolean
  maxAge: number
}

export interface ResolvedSecurityHeaders {
  kind: 'security-headers'
  /** Fields and their values. */
  fields: Record<string, string>
}

export interface ResolvedRateLimit {
  kind: 'rate-limit'
  limit: number
  window: number
  burst: number
  by: { kind: 'address' | 'header' | 'claim'; name: string }
  announce: boolean
  name: string
}

export interface ResolvedBasicAuth {
  kind: 'basic-auth'
  /** Hashes of passwords, by user. */
  users: Record<string, string>
  realm: string
  /** Name of a field that tells the user to whoever gets the request; '': none. */
  forwardUser: string
  remember: number
}

export interface ResolvedJwt {
  kind: 'jwt'
  jwks: string
  secret: string
  publicKey: string
  algorithms: string[]
  issuer: string[]
  audience: string[]
  cookie: string
  optional: boolean
  /** Fields that are set to claims, for whoever gets the request. */
  forward: Record<string, string>
  clockTolerance: number
  remember: number
}

export interface ResolvedForwardAuth {
  kind: 'forward-auth'
  url: string
  /** Of its answer, that are set on the request. */
  headers: string[]
  timeout: number
  remember: number
}

/** Whose onRequest user code, or a function of src/app, answers. */
export type ResolvedAsking =
  | ResolvedFunctionHook
  | ResolvedBasicAuth
  | ResolvedJwt
  | ResolvedForwardAuth

export type ResolvedHook =
  | ResolvedAsking
  | ResolvedAddresses
  | ResolvedMaintenance
  | ResolvedCors
  | ResolvedSecurityHeaders
  | ResolvedRateLimit
