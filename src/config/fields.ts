// Header fields that a configuration may set. A value that could begin a new line, or a field that
// the core makes itself, never gets past this file.

import { globPattern } from './globs.ts'
import { type Kind, oneOrMany, text } from './kinds.ts'
import { isPlainObject, type Place, shown } from './place.ts'
import type { ResolvedFiles } from './resolved.ts'

// RFC 9110 §5.6.2. Values: visible ASCII with inner spaces and tabs (§5.5, without obs-text).
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const valuePattern = /^(?:[!-~](?:[\t -~]*[!-~])?)?$/

const framing = 'the server sets it from the connection and the body'

/** Fields about one connection or about where a body ends (RFC 9110 §7.6.1): never anybody's. */
export const framingFields: Record<string, string> = {
  connection: framing,
  'content-length': framing,
  'keep-alive': framing,
  'proxy-connection': framing,
  te: framing,
  trailer: framing,
  'transfer-encoding': framing,
  upgrade: framing,
}

const ownedByCore: Record<string, string> = {
  ...framingFields,
  date: 'the server sets it from its clock',
  server: "set the option 'serverName' instead",
}

const ownedByFile = 'the server makes it from the file that it sends'

/** Fields that a files() route may not set, with the reason. */
export const ownedByFiles: Record<string, string> = {
  'accept-ranges': ownedByFile,
  'cache-control': "set the option 'cacheControl' instead",
  'content-range': ownedByFile,
  etag: ownedByFile,
  'last-modified': ownedByFile,
}

/** Fields that a redirect() route may not set, with the reason. */
export const ownedByRedirect: Record<string, string> = {
  location: 'it is the second argument of redirect()',
}

/** Fields that a respond() route may not set, with the reason. */
export const ownedByRespond: Record<string, string> = {
  'content-type': "set the option 'contentType' instead",
}

/** What is wrong with a field value, or undefined. */
export function wrongFieldValue(value: string): string | undefined {
  if (/[\r\n\0]/.test(value)) return 'a line break or NUL would end the field'
  if (valuePattern.test(value)) return undefined
  if (value.trim() !== value) return 'spaces at either end are not part of a value'
  return 'only visible ASCII characters, spaces and tabs may stand there'
}

/** The value of one field. */
export const fieldValue = text('a field value', wrongFieldValue)

/** Fields of an answer that is ours; `owned` are names that somebody else sets. */
export function fields(owned: Record<string, string>): Kind<Record<string, string>> {
  return fieldsBut({ ...ownedByCore, ...owned })
}

/** Field names and their values; of those in `refused` it is said why not. */
export function fieldsBut(refused: Record<string, string>): Kind<Record<string, string>> {
  const expected = 'an object of header fields and their values'
  return {
    expected,
    typescript: 'Readonly<Record<string, string>>',
    read(value, place) {
      if (!isPlainObject(value)) return place.mismatch(expected, value)
      const before = place.problems.length
      const seen = new Map<string, string>()
      for (const [name, content] of Object.entries(value)) {
        readField(name, content, place.at(name), refused, seen)
      }
      return place.problems.length === before ? (value as Record<string, string>) : undefined
    },
  }
}

/** Names of fields, in any case; read to lower case. */
export function fieldNamesBut(refused: Record<string, string>): Kind<string[]> {
  const name = text('the name of a header field', (value) => {
    if (!token.test(value)) return 'letters, digits and - are usual'
    return Object.hasOwn(refused, value.toLowerCase())
      ? `this field cannot be removed here: ${refused[value.toLowerCase()]}`
      : undefined
  })
  const many = oneOrMany(name, 1)
  return { ...many, read: (value, place) => many.read(value, place)?.map((n) => n.toLowerCase()) }
}

/** The name of one field, read to lower case. */
export const fieldName: Kind<string> = {
  ...text('the name of a header field', (value) =>
    token.test(value) ? undefined : 'letters, digits and - are usual',
  ),
}

/** Fields, and fields by pattern of the file, whose values are objects. */
export function fieldsByPattern(
  owned: Record<string, string>,
): Kind<Record<string, string | Record<string, string>>> {
  const plain = fields(owned)
  const expected = `${plain.expected}, or of patterns and such objects`
  return {
    expected,
    typescript: 'Readonly<Record<string, string | Readonly<Record<string, string>>>>',
    read(value, place) {
      if (!isPlainObject(value)) return place.mismatch(expected, value)
      const before = place.problems.length
      const entries = Object.entries(value)
      const own = entries.filter(([, content]) => !isPlainObject(content))
      plain.read(Object.fromEntries(own), place)
      for (const [pattern, content] of entries) {
        if (!isPlainObject(content)) continue
        globPattern.read(pattern, place.at(pattern))
        plain.read(content, place.at(pattern))
      }
      const fine = place.problems.length === before
      return fine ? (value as Record<string, string | Record<string, string>>) : undefined
    },
  }
}

/** A field value, or values by pattern of the file. */
export const valueByPattern: Kind<string | Record<string, string>> = {
  expected: `${fieldValue.expected}, or an object of patterns and such values`,
  typescript: 'string | Readonly<Record<string, string>>',
  read(value, place) {
    if (!isPlainObject(value)) return fieldValue.read(value, place)
    const before = place.problems.length
    for (const [pattern, content] of Object.entries(value)) {
      globPattern.read(pattern, place.at(pattern))
      fieldValue.read(content, place.at(pattern))
    }
    return place.problems.length === before ? (value as Record<string, string>) : undefined
  },
}

function readField(
  name: string,
  content: unknown,
  place: Place,
  refused: Record<string, string>,
  seen: Map<string, string>,
): void {
  const lower = name.toLowerCase()
  const twin = seen.get(lower)
  seen.set(lower, name)
  if (!token.test(name)) place.report('not a field name: letters, digits and - are usual')
  if (twin !== undefined) place.report(`the same field as ${shown(twin)}: names ignore case`)
  const reason = Object.hasOwn(refused, lower) ? refused[lower] : undefined
  if (reason !== undefined) place.report(`this field cannot be set here: ${reason}`)
  if (typeof content !== 'string') place.mismatch('a string', content)
  else if (wrongFieldValue(content))
    place.mismatch('a field value', content, `: ${wrongFieldValue(content)}`)
}

/** `'Name: value\r\n'` lines, as the core wants them. */
export function fieldLines(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
}

/**
 * Lines of the fields that a files() route sends without a file: not those that describe a file or
 * let it be kept. An absence that is "immutable for a year" would outlive the deployment that mends
 * it.
 */
export function routeFields({ headers }: Pick<ResolvedFiles, 'headers'>): string {
  const own = Object.entries(headers).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  const kept = own.filter(
    ([name]) => !/^(content-(?!security-policy)|cache-control$|expires$)/i.test(name),
  )
  return fieldLines(Object.fromEntries(kept))
}
