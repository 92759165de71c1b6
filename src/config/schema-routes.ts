// The options of files(), respond() and redirect(), as config/schema.ts has those of the gateway.

import { fields, fieldValue, ownedByFiles, ownedByRedirect, ownedByRespond } from './fields.ts'
import { boolean, choice, oneOrMany, orNone, text } from './kinds.ts'
import type { ResolvedFiles, ResolvedRedirect } from './resolved.ts'
import type { Section } from './section.ts'

const fileName = text('a file name', (name) => {
  if (/[/\0]/.test(name)) return "it is one name, without '/'"
  return ['', '.', '..'].includes(name) ? 'it names no file' : undefined
})

export const files: Section<Omit<ResolvedFiles, 'kind' | 'root'>> = {
  index: {
    kind: orNone(oneOrMany(fileName, 1)),
    default: ['index.html'],
    doc: 'Files that stand for their directory, the first that exists. false: none.',
  },
  dotfiles: {
    kind: boolean(),
    default: false,
    doc: "Whether names that begin with a dot are served. '/.well-known/' always is.",
  },
  headers: {
    kind: fields(ownedByFiles),
    default: {},
    doc: 'Header fields added to every answer of this route.',
  },
  cacheControl: {
    kind: fieldValue,
    default: '',
    doc: "The Cache-Control field, for example 'max-age=3600'. '': none is sent.",
  },
  transfer: {
    kind: choice('auto', 'copy'),
    default: 'auto',
    doc: "How bytes are moved, for this route; the gateway's 'copy' holds for every route.",
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
