// Decides how one path of a files() route is answered: index pages, clean URLs, directories,
// fallbacks, error pages. Main thread, once per question; touches no disk itself but asks through
// `look`, and lists every path it looked at with what was there, so that the core can tell when the
// answer has become stale. Must never answer with something that it did not look at, nor remember
// what the system could not tell (a full descriptor table is over in a moment).

import { routeFields } from '../config/fields.ts'
import { fits } from '../config/globs.ts'
import type { ResolvedFiles } from '../config/resolved.ts'
import { mayWrite } from '../native/intake.ts'
import type { NativeAnswer } from '../native/interface.ts'
import { FileFields } from './answer-fields.ts'
import { listingOf } from './listing.ts'
import { DiskFailure, type Finding, type LookAtDisk, Search } from './search.ts'
import { type EncodingWish, mayBeEncoded, sidecarsOf, variantsOf, wishFor } from './variants.ts'

export type { Finding, LookAtDisk } from './search.ts'

/** An answer that has no id yet, and which encodings its file should have besides. */
export type Decision = Omit<NativeAnswer, 'id'> & { wish?: EncodingWish }

/**
 * 301 rather than 308: only GET and HEAD get here, for which both mean the same, and nginx, Apache
 * and every cache, crawler and old client know 301. No Cache-Control, as theirs: the directory may
 * become a file.
 */
const redirectStatus = 301

/** Out of room for now: the client may try again; anything else is a fault of the disk. */
const outOfRoom = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'])

/** What the core asks for every path that cannot name a file. */
const noName = '\0'

/**
 * Decides `path` (as in QuestionEvent: decoded, with its leading slash; '' or '/a' may name a
 * directory without its slash) of `route`. Rejects only when `look` does.
 */
export async function decide(
  route: ResolvedFiles,
  path: string,
  look: LookAtDisk,
): Promise<Decision> {
  const search = new Search(route, look)
  if (path.startsWith(mayWrite)) return mayBeWritten(search, path.slice(mayWrite.length))
  const name = path.slice(1)
  try {
    if (path === noName || search.hides(name)) return await decideMissing(search, undefined)
    const found = path.endsWith('/')
      ? await decideDirectory(search, name)
      : await decideName(search, name)
    return found ?? (await decideMissing(search, name))
  } catch (error) {
    if (!(error instanceof DiskFailure)) throw error
    return withErrorPage(new Search(route, look), failure(error.error))
  }
}

/** Whether an upload may take this name. Rests on nothing but the configuration. */
function mayBeWritten(search: Search, path: string): Decision {
  const status = search.hides(path) ? 403 : 204
  return plain(status, '')
}

/** 'a' → the file, another file that stands for it, or a redirect. */
async function decideName(search: Search, path: string): Promise<Decision | undefined> {
  const { route } = search
  const found = await search.look(path)
  if (found.outcome === 'file') {
    const drop = route.cleanUrls === 'redirect' ? await needlessEnd(search, path) : 0
    return drop > 0 ? relocated(search, drop, '') : await serve(search, path, found)
  }
  if (route.cleanUrls !== false && path !== '') {
    const page = await search.file(`${path}.html`)
    if (page) return await serve(search, `${path}.html`, page)
  }
  if (found.outcome === 'directory') return relocated(search, 0, '/')
  const unversioned = withoutVersion(route, path)
  if (unversioned === undefined) return undefined
  const file = await search.file(unversioned)
  return file && (await serve(search, unversioned, file))
}

/**
 * 'a/' → the first index page that is a regular file. The directory itself is not looked at: its
 * identity changes with every file in it, and nothing here depends on more than the index names.
 * When 'a' is a file, 'a/index.html' is absent, so a file asked for with a slash is a 404.
 */
async function decideDirectory(search: Search, directory: string): Promise<Decision | undefined> {
  const { route } = search
  for (const name of route.index) {
    const file = await search.file(directory + name)
    if (file) return await serve(search, directory + name, file)
  }
  if (route.list) {
    const found = await search.look(directory, { list: true })
    if (found.outcome === 'directory') return listed(search, directory, found)
  }
  if (route.cleanUrls === false || directory === '') return undefined
  // '/about/' where only 'about.html' is: people type both.
  const page = await search.file(`${directory.slice(0, -1)}.html`)
  return page && relocated(search, 1, '')
}

/** No file: the route's other action, its fallback, or an error. `path` undefined: no such name. */
async function decideMissing(search: Search, path: string | undefined): Promise<Decision> {
  const { route } = search
  const missing = { ...plain(404, routeFields(route)), looks: search.looks }
  if (route.otherwise) return { ...missing, otherwise: true }
  if (route.fallback !== '' && path !== undefined && !lastSegment(path).includes('.')) {
    const file = await search.file(route.fallback)
    if (file) return await serve(search, route.fallback, file)
  }
  return withErrorPage(search, missing)
}

/** The same error with the page that the route has for it, if it is there. */
async function withErrorPage(search: Search, error: Decision): Promise<Decision> {
  const page = search.route.errors[error.status]
  if (page === undefined) return error
  try {
    const found = await search.file(page)
    if (found === undefined) return error
    const { fields, remember, ...content } = await contentOf(search, page, found)
    const retry = error.remember ? '' : error.fields
    return {
      ...error,
      ...content,
      fields: fields.dropCaching().lines() + retry,
      remember: error.remember && remember,
      looks: search.looks,
    }
  } catch (failed) {
    if (failed instanceof DiskFailure) return error
    throw failed
  }
}

/**
 * How many bytes at the end of a file's path its clean URL does not have; 0 when that would be
 * another file's. '/index.html' is the directory's when it is the first of its index pages.
 */
async function needlessEnd(search: Search, path: string): Promise<number> {
  const name = lastSegment(path)
  if (name === search.route.index[0]) return Buffer.byteLength(name)
  if (!name.endsWith('.html') || name === '.html') return 0
  const taken = await search.file(path.slice(0, -'.html'.length))
  return taken ? 0 : '.html'.length
}

/** 'style.v2.css' → 'style.css' where the route says so. */
function withoutVersion({ cacheBusting }: ResolvedFiles, path: string): string | undefined {
  const [, before, extension] = /^(.*[^/])\.\w+(\.[^./]+)$/.exec(path) ?? []
  if (before === undefined || !cacheBusting.some((pattern) => fits(pattern, path))) return undefined
  return `${before}${extension}`
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

async function serve(search: Search, path: string, found: Finding): Promise<Decision> {
  const { fields, ...content } = await contentOf(search, path, found)
  return { ...plain(200, fields.lines()), ...content, looks: search.looks }
}

/** The file that was found at `path`, with its encoded variants and the fields of all of them. */
async function contentOf(search: Search, path: string, found: Finding) {
  const { route } = search
  const fields = new FileFields(route, path)
  const plainly = { fields, file: found.file, variants: [], remember: true }
  if (!mayBeEncoded(fields)) return plainly
  const { sidecars, complete } = route.precompressed
    ? await sidecarsOf(search, path, found)
    : { sidecars: [], complete: true }
  const variants = variantsOf(sidecars)
  const wish = wishFor(search, path, found, variants)
  if (variants.length > 0 || wish) fields.vary()
  const content = { ...plainly, variants, remember: complete }
  return wish ? { ...content, wish } : content
}

function listed(search: Search, directory: string, found: Parameters<typeof listingOf>[2]) {
  const { fields, body, json } = listingOf(search, directory, found)
  return { ...plain(200, fields), body, json, looks: search.looks }
}

function relocated({ route, looks }: Search, drop: number, add: string): Decision {
  return { ...plain(redirectStatus, routeFields(route)), relocation: { drop, add }, looks }
}

/** What a client gets when we could not tell; never remembered. `error` is an errno name. */
export function failure(error: string): Decision {
  const busy = outOfRoom.has(error)
  return { ...plain(busy ? 503 : 500, busy ? 'Retry-After: 1\r\n' : ''), remember: false }
}

function plain(status: number, fields: string): Decision {
  const nothing = {
    file: 0,
    variants: [],
    body: null,
    json: null,
    relocation: null,
    otherwise: false,
  }
  return { status, fields, ...nothing, remember: true, looks: [] }
}
