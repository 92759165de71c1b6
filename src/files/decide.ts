// Decides how one path of a files() route is answered: dotfiles, index pages, directories, absence.
// Main thread, once per question; touches no disk itself but asks through `look`, and lists every
// path it looked at with what was there, so that the core can tell when the answer has become
// stale. Must never answer with something that it did not look at, nor remember what the system
// could not tell (a full descriptor table is over in a moment).

import { fieldLines } from '../config/fields.ts'
import type { ResolvedFiles } from '../config/resolved.ts'
import type { Look, LookedEvent, NativeAnswer } from '../native/interface.ts'
import { mediaTypeOf } from './media-types.ts'

/** What one look found: the part of a LookedEvent that decisions rest on. */
export type Finding = Pick<LookedEvent, 'outcome' | 'file' | 'identity' | 'error'>

/** Looks at a path (relative, '' is the root itself) beneath the root of the route. */
export type LookAt = (path: string) => Promise<Finding>

/** An answer that has no id yet. */
export type Decision = Omit<NativeAnswer, 'id'>

/**
 * 301 rather than 308: only GET and HEAD get here, for which both mean the same, and nginx, Apache
 * and every cache, crawler and old client know 301. No Cache-Control, as theirs: the directory may
 * become a file.
 */
const slashRedirectStatus = 301

/** Out of room for now: the client may try again; anything else is a fault of the disk. */
const outOfRoom = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'])

/**
 * Decides `path` (as in QuestionEvent: decoded, with its leading slash; '' or '/a' may name a
 * directory without its slash) of `route`. Rejects only when `look` does.
 */
export async function decide(route: ResolvedFiles, path: string, look: LookAt): Promise<Decision> {
  // A refusal by name rests on no file: nothing that happens on disk changes it.
  if (!route.dotfiles && isHidden(path)) return notFound(route, [])
  return path.endsWith('/')
    ? decideDirectory(route, path.slice(1), look)
    : decideName(route, path.slice(1), look)
}

/** '/a' → the file, or a redirect to '/a/' when it is a directory. */
async function decideName(route: ResolvedFiles, path: string, look: LookAt): Promise<Decision> {
  const found = await look(path)
  const looks: Look[] = [{ root: route.root, path, identity: found.identity }]
  if (found.outcome === 'file') return serve(route, path, found.file, looks)
  if (found.outcome === 'failed') return failure(found.error)
  if (found.outcome !== 'directory') return notFound(route, looks)
  return { ...plain(slashRedirectStatus, routeFields(route)), addSlash: true, looks }
}

/**
 * 'a/' → the first index page that is a regular file. The directory itself is not looked at: its
 * identity changes with every file in it, and nothing here depends on more than the index names.
 * When 'a' is a file, 'a/index.html' is absent, so a file asked for with a slash is a 404.
 */
async function decideDirectory(
  route: ResolvedFiles,
  directory: string,
  look: LookAt,
): Promise<Decision> {
  const looks: Look[] = []
  for (const name of route.index) {
    const path = directory + name
    const found = await look(path)
    if (found.outcome === 'failed') return failure(found.error)
    looks.push({ root: route.root, path, identity: found.identity })
    if (found.outcome === 'file') return serve(route, path, found.file, looks)
  }
  return notFound(route, looks)
}

/** Whether a segment begins with a dot; a leading '.well-known' does not count (RFC 8615). */
function isHidden(path: string): boolean {
  const rest = path.startsWith('/.well-known') ? path.slice('/.well-known'.length) : path
  if (rest !== path && rest !== '' && !rest.startsWith('/')) return true
  return rest.includes('/.')
}

function serve(route: ResolvedFiles, path: string, file: number, looks: Look[]): Decision {
  return { ...plain(200, fileFields(route, path)), file, looks }
}

function notFound(route: ResolvedFiles, looks: Look[]): Decision {
  return { ...plain(404, routeFields(route)), looks }
}

/** What a client gets when we could not tell; never remembered. `error` is an errno name. */
export function failure(error: string): Decision {
  const busy = outOfRoom.has(error)
  return { ...plain(busy ? 503 : 500, busy ? 'Retry-After: 1\r\n' : ''), remember: false }
}

function plain(status: number, fields: string): Decision {
  return { status, fields, file: 0, body: null, addSlash: false, remember: true, looks: [] }
}

/**
 * Fields of an answer with a file. X-Content-Type-Options is sent because the types come from a
 * table: a browser that guesses another one can be made to run what somebody uploaded. Whatever the
 * route sets itself replaces ours.
 */
function fileFields(route: ResolvedFiles, path: string): string {
  const own: Record<string, string> = {
    'Content-Type': mediaTypeOf(path),
    'X-Content-Type-Options': 'nosniff',
  }
  if (route.cacheControl !== '') own['Cache-Control'] = route.cacheControl
  const set = new Set(Object.keys(route.headers).map((name) => name.toLowerCase()))
  const kept = Object.entries(own).filter(([name]) => !set.has(name.toLowerCase()))
  return fieldLines(Object.fromEntries(kept)) + fieldLines(route.headers)
}

/**
 * Fields of an answer without a file: not those that describe a file or let it be kept. An absence
 * that is "immutable for a year" would outlive the deployment that mends it.
 */
function routeFields(route: ResolvedFiles): string {
  const fields = Object.entries(route.headers)
  const kept = fields.filter(([name]) => !/^(content-|cache-control$|expires$)/i.test(name))
  return fieldLines(Object.fromEntries(kept))
}
