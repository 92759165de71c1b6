// Where something listens or connects on this machine: addresses that can be bound, and paths of
// sockets. Shared by listeners, the admin listener, targets and the access log. Any thread.

import { isIP } from 'node:net'
import { text } from './kinds.ts'

/** Bytes of the path of a unix socket: sun_path without its NUL (unix(7)). */
export const longestSocketPath = 107

export const address = text("an IP address such as '0.0.0.0' or '::', or 'localhost'", (host) =>
  host === 'localhost' || isIP(host) !== 0 ? undefined : 'names of other machines cannot be bound',
)

export const path = text('a path', (given) =>
  given === '' || given.includes('\0') ? 'it names no file' : undefined,
)
