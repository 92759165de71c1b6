// What the gateway's workers and the app tell each other in header fields, in one place. Workers
// forward requests of handler() routes over a unix socket in a directory that is ours alone; the
// fields carry a secret made at start. Pure; both sides of the process boundary import it.
//
//   request    x-sluice-token: SECRET.ROUTE      whose request this is: index of the route
//              x-forwarded-for, x-forwarded-proto, x-request-id   as to any upstream
//              x-sluice-held: NUMBER            its handler has been asked: that answer waits
//   response   x-sluice-file: SECRET PATH        the body is this file beneath the route's root
//
// And what the app asks on behalf of clients, on a socket that workers listen on for it:
//
//   request    x-sluice-route: HOST              in the place of Host when the route is looked for;
//                                                who does not have the secret knows no such host
//              x-forwarded-*, x-request-id       as they came to the app: they are believed
//   response   x-sluice-fault: NAME              the gateway's own answer to an error
//
// Workers take these names out of whatever clients, mounted servers and upstreams send, and honour
// the response fields only from the handlers' socket and with the secret.

import { createHmac, randomBytes } from 'node:crypto'
import { join } from 'node:path'

export const tokenField = 'x-sluice-token'
export const requestIdField = 'x-request-id'
export const fileField = 'x-sluice-file'
export const heldField = 'x-sluice-held'
export const routeField = 'x-sluice-route'
export const faultField = 'x-sluice-fault'
/** Who asks, and where. */
export const forwardedFields = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
]

/** Everything that begins so is ours, and never passes in either direction. */
export const ownPrefix = 'x-sluice-'

/** Names that are taken out of what clients send. */
export const requestFields = [tokenField, heldField, routeField]
/** Names that are taken out of what anybody answers. */
export const responseFields = [fileField, faultField]

/** 256 bits that are in no log and no message but the one that starts an app. */
export function makeSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** The value of `x-sluice-token` for requests of a route, by its index in the configuration. */
export function tokenOf(secret: string, route: number): string {
  return `${secret}.${route}`
}

/** The value of `x-sluice-file`; `path` is relative and was checked. */
export function fileAnswer(secret: string, path: string): string {
  return `${secret} /${path.split('/').map(encodeURIComponent).join('/')}`
}

/** The host by which workers know the way to an upstream, by its name. */
export function innerHost(secret: string, upstream: string): string {
  const digest = createHmac('sha256', secret).update(upstream).digest('hex')
  // A label of a name has at most 63 characters.
  return `${digest.slice(0, 32)}.${digest.slice(32)}`
}

/** Where workers listen for the app. */
export function doorSocket(runDirectory: string): string {
  return join(runDirectory, 'door.sock')
}

/** Where an app listens: one socket for all handlers, and one for each mount, by route index. */
export interface AppSockets {
  /** '' when there is no handler() route. */
  handlers: string
  mounts: { readonly [route: number]: string }
  /** Where hooks are asked; '' when there is none. */
  hooks: string
}

/** How a request gets to the function of a route. */
export interface AppTarget {
  socketPath: string
  /** Fields that have to be on the request; none for a mounted server. */
  headers: Record<string, string>
}

/** Where requests of a route go, and with which fields; undefined: the route is not of the app. */
export function appTarget(
  sockets: AppSockets,
  secret: string,
  route: number,
): AppTarget | undefined {
  const mounted = sockets.mounts[route]
  if (mounted !== undefined) return { socketPath: mounted, headers: {} }
  if (sockets.handlers === '') return undefined
  return { socketPath: sockets.handlers, headers: { [tokenField]: tokenOf(secret, route) } }
}
