// The Content-Type of a file by its name, from the table of mime-db (IANA, Apache and nginx
// merged). Pure; main thread. Never looks into a file: what is sent must not depend on its content.
//
// Text types say `charset=utf-8`; other types have no such parameter (JSON is UTF-8 by RFC 8259,
// SVG and XML name their encoding themselves). A name the table does not know is
// application/octet-stream, which browsers save and never run.

import { extname } from 'node:path/posix'
import { lookup } from 'mime-types'

const unknownType = 'application/octet-stream'

/** Value of Content-Type for a file called `path`; upper and lower case extensions are the same. */
export function mediaTypeOf(path: string): string {
  // mime-types would take a whole name without a dot ('html') for an extension.
  const extension = extname(path)
  const type = (extension !== '' && lookup(extension)) || unknownType
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type
}

const textual = /^text\/|[+/](?:json|json5|xml|yaml|toml|javascript)$/
const others = new Set([
  'application/json-seq',
  'application/rtf',
  'application/sql',
  'application/vnd.ms-fontobject',
  'application/vnd.ms-opentype',
  'application/wasm',
  'application/x-javascript',
  'application/x-ndjson',
  'application/x-sh',
  'application/x-tar',
  'application/x-tex',
  'font/collection',
  'font/otf',
  'font/ttf',
  'image/bmp',
  'image/vnd.microsoft.icon',
  'image/x-icon',
  'image/x-ms-bmp',
  'model/gltf-binary',
])

/**
 * Whether files of this type (a Content-Type value) become smaller in a content coding: text of
 * every kind, and the formats that have no compression of their own.
 */
export function shrinks(type: string): boolean {
  const name = type.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return textual.test(name) || others.has(name)
}
