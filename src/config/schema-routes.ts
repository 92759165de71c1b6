// The options of files(), respond() and redirect(), as config/schema.ts has those of the gateway:
// kind, default and meaning of each, and the kinds that only routes need.

import * as zlib from 'node:zlib'
import {
  fields,
  fieldsByPattern,
  fieldValue,
  ownedByFiles,
  ownedByRedirect,
  ownedByRespond,
  valueByPattern,
} from './fields.ts'
import { globPattern } from './globs.ts'
import { boolean, choice, type Kind, oneOrMany, orNone, orNothing, size, text } from './kinds.ts'
import { isPlainObject } from './place.ts'
import type { ResolvedCompress, ResolvedFiles, ResolvedRedirect } from './resolved.ts'
import { uploadOption } from './schema-upload.ts'
import { type Section, shorthand } from './section.ts'

const mb = 1024 * 1024

const fileName = text('a file name', (name) => {
  if (/[/\0]/.test(name)) return "it is one name, without '/'"
  return ['', '.', '..'].includes(name) ? 'it names no file' : undefined
})

const pathInRoot = text("the path of a file in the root, such as 'index.html'", (path) => {
  if (path.startsWith('/') || path.endsWith('/')) return "without '/' at either end"
  if (path.includes('\0')) return 'it names no file'
  const segments = path.split('/')
  return segments.some((name) => ['', '.', '..'].includes(name)) ? 'it names no file' : undefined
})

/** Statuses that files() itself gives and that may have a page. */
const pageStatuses = ['404', '500', '503']

const pages: Kind<Record<string, string>> = {
  expected: `an object of statuses (${pageStatuses.join(', ')}) and files in the root`,
  typescript: `{ readonly [Status in ${pageStatuses.join(' | ')}]?: string }`,
  read(value, place) {
    if (!isPlainObject(value)) return place.mismatch(this.expected, value)
    const before = place.problems.length
    for (const [status, path] of Object.entries(value)) {
      if (pageStatuses.includes(status)) pathInRoot.read(path, place.at(status))
      else place.at(status).report(`expected one of the statuses ${pageStatuses.join(', ')}`)
    }
    return place.problems.length === before ? (value as Record<string, string>) : undefined
  },
}

const others = ['proxy', 'handler', 'mount', 'respond', 'redirect']

/** What a route does when it has no file; config/routes.ts reads it. */
const anotherAction: Kind<Record<string, unknown>> = {
  expected: 'proxy(…), handler(…), mount(…), respond(…) or redirect(…)',
  typescript: 'OtherAction',
  read(value, place) {
    const fits = isPlainObject(value) && others.includes(String(value.kind))
    return fits ? value : place.mismatch(this.expected, value)
  },
}

/** Every coding that this Node has; 22.15 and 23.8 were the first ones with zstd. */
const codings = (['br', 'zstd', 'gzip'] as const).filter(
  (coding) => coding !== 'zstd' || 'zstdCompressSync' in zlib,
)

const codingsToMake: Kind<ResolvedCompress['codings']> = {
  expected: `true, false, or of ${codings.map((coding) => `'${coding}'`).join(', ')} one or a list`,
  typescript: 'boolean | ContentCoding | readonly ContentCoding[]',
  read(value, place) {
    if (typeof value === 'boolean') return value ? [...codings] : []
    return oneOrMany(choice(...codings), 1).read(value, place)
  },
}

export const compress: Section<ResolvedCompress> = {
  codings: {
    kind: codingsToMake,
    default: true,
    doc: 'The codings that are made. true: all that this Node has.',
  },
  minBytes: {
    kind: size(0, 1024 * mb),
    default: '1kb',
    doc: 'Smaller files are sent as they are.',
  },
  maxBytes: {
    kind: size(0, 1024 * mb),
    default: '32mb',
    doc: 'Larger files are sent as they are. The process that encodes holds a file in memory.',
  },
}

/** Options of files(), before its root and its other action join them. */
export type FilesSettings = Omit<ResolvedFiles, 'kind' | 'root' | 'otherwise'> & {
  otherwise?: Record<string, unknown>
}

export const files: Section<FilesSettings> = {
  index: {
    kind: orNone(oneOrMany(fileName, 1)),
    default: ['index.html'],
    doc: 'Files that stand for their directory, the first that exists. false: none.',
  },
  fallback: {
    kind: orNothing(pathInRoot),
    default: false,
    doc: `The file that answers for a path that has none, for applications that route in the
browser. Not for a path whose last segment has a dot: a missing script stays a 404.`,
  },
  otherwise: {
    kind: anotherAction,
    default: undefined,
    doc: `What answers when there is no file, and for methods other than GET and HEAD: proxy(…) to
an application, handler(…), mount(…), respond(…) or redirect(…).`,
  },
  cleanUrls: {
    kind: choice(true, false, 'redirect'),
    default: false,
    doc: `Whether '/about' is answered by 'about.html'. 'redirect': and '/about.html' leads to
'/about', '/docs/index.html' to '/docs/'.`,
  },
  list: {
    kind: boolean(),
    default: false,
    doc: `Whether a directory without an index page is listed: as a page, or as JSON for clients
that prefer it. At most 10000 entries are shown.`,
  },
  errors: {
    kind: pages,
    default: {},
    doc: "Files of the root that are the pages of errors, for example { 404: '404.html' }.",
  },
  dotfiles: {
    kind: boolean(),
    default: false,
    doc: "Whether names that begin with a dot are served. '/.well-known/' always is.",
  },
  hide: {
    kind: orNone(oneOrMany(globPattern, 1)),
    default: false,
    doc: "Patterns of names that are not there for anybody, for example '*.{bak,sql}'.",
  },
  symlinks: {
    kind: choice('inside', 'follow'),
    default: 'inside',
    doc: "Whether symlinks may lead out of the root. 'inside': those that do are a 404.",
  },
  cacheBusting: {
    kind: orNone(oneOrMany(globPattern, 1)),
    default: false,
    doc: `Patterns of files that are also found under a name with a version: with '*.css',
'style.v2.css' is answered by 'style.css' when there is no such file.`,
  },
  precompressed: {
    kind: boolean(),
    default: true,
    doc: `Whether 'app.js.br', 'app.js.zst' and 'app.js.gz' beside 'app.js' are sent in its place to
clients that take their coding, unless they are older.`,
  },
  compress: {
    kind: shorthand(compress, 'CompressOptions', 'codings'),
    default: false,
    doc: `Whether files of types that shrink are encoded by the gateway itself, each once, in the
background, where there is no encoded file beside them: true, codings, or an object.`,
  },
  upload: {
    kind: uploadOption,
    default: false,
    doc: `Whether files are taken in: PUT creates and replaces them, POST to a directory gives one a
new name. true, or an object. Whoever reaches the route may write: see UPLOADS.md.`,
  },
  headers: {
    kind: fieldsByPattern(ownedByFiles),
    default: {},
    doc: `Header fields added to every answer of this route, and by pattern to those of files that
fit: { 'X-Robots-Tag': 'none', '*.html': { 'X-Frame-Options': 'DENY' } }. Later ones win.`,
  },
  cacheControl: {
    kind: valueByPattern,
    default: '',
    doc: `The Cache-Control field, for example 'max-age=3600', or values by pattern, of which the
last that fits counts. '': none is sent.`,
  },
  transfer: {
    kind: choice('auto', 'copy'),
    default: 'auto',
    doc: "How bytes are moved, for this route; the gateway's 'copy' holds for every route.",
  },
  sendfile: {
    kind: boolean(),
    default: true,
    doc: `Whether files of this root may be handed to sendfile. false: they are read and sent, for
file systems whose pages it has been seen to send out of date (vboxsf, 9p, some FUSE).`,
  },
}

/** Options of respond(), before its status and body join them. */
export interface RespondSettings {
  headers: Record<string, string>
  contentType: string
}

export const respond: Section<RespondSettings> = {
  headers: {
    kind: fields(ownedByRespond),
    default: {},
    doc: 'Header fields of the answer.',
  },
  contentType: {
    kind: fieldValue,
    default: undefined,
    defaultText: 'by the body',
    doc: `The Content-Type field. By default 'text/plain; charset=utf-8' for a string,
'application/json' for JSON, 'application/octet-stream' for bytes.`,
  },
}

export const redirect: Section<Pick<ResolvedRedirect, 'headers' | 'keepQuery'>> = {
  keepQuery: {
    kind: boolean(),
    default: undefined,
    defaultText: 'true, unless the location has a query of its own',
    doc: "Whether the request's query is appended to the location.",
  },
  headers: {
    kind: fields(ownedByRedirect),
    default: {},
    doc: 'Header fields of the answer.',
  },
}
