// The options of the access log and the kinds of value that only it has. Main thread or the thread
// that evaluates a configuration; looks at the file system (the log's directory must exist).

import { dirname, resolve } from 'node:path'
import { type LogField, logFields } from '../native/access-log.ts'
import { longestSocketPath, path } from './endpoint-kinds.ts'
import { choice, type Kind, oneOrMany, orNone, refined, text } from './kinds.ts'
import { pathStatus, wrongStatus } from './path-status.ts'
import { isPlainObject, type Place } from './place.ts'
import type { ResolvedAccessLog } from './resolved.ts'
import { readSection, type Section } from './section.ts'

/** Requests by the first digit of their status, and those that ended without an answer. */
const sampleKeys = ['2xx', '3xx', '4xx', '5xx', 'none'] as const
type SampleKey = (typeof sampleKeys)[number]

// biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a type
const sampleNames = "`${2 | 3 | 4 | 5}xx` | 'none' | 'default'"

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1
}

const sample: Kind<Record<SampleKey, number>> = {
  expected: "a share from 0 to 1, or an object of such by status: '2xx' … '5xx', none, default",
  typescript: `number | { readonly [Status in ${sampleNames}]?: number }`,
  read(value, place) {
    if (isShare(value)) return completeSample({ default: value })
    if (!isPlainObject(value)) return place.mismatch(this.expected, value)
    const before = place.problems.length
    const known: string[] = [...sampleKeys, 'default']
    for (const [key, share] of Object.entries(value)) {
      if (!known.includes(key)) place.at(key).report(`expected one of ${known.join(', ')}`)
      else if (!isShare(share)) place.at(key).mismatch('a number from 0 to 1', share)
    }
    if (place.problems.length > before) return undefined
    return completeSample(value as Partial<Record<SampleKey | 'default', number>>)
  },
}

function completeSample(given: Partial<Record<SampleKey | 'default', number>>) {
  const { default: other = 1 } = given
  const entries = sampleKeys.map((key) => [key, given[key] ?? other])
  return Object.fromEntries(entries) as Record<SampleKey, number>
}

const field: Kind<LogField> = {
  ...choice(...logFields),
  expected: "a field such as 'status'",
  typescript: 'LogField',
}

function distinct<T>(values: T[], place: Place): T[] {
  const twin = values.find((value, index) => values.indexOf(value) !== index)
  if (twin !== undefined) place.report(`'${twin}' stands there twice`)
  return values
}

const destination: Kind<ResolvedAccessLog['to']> = {
  expected: "'stdout' or 'stderr' or { file: path } or { socket: path }",
  typescript: "'stdout' | 'stderr' | { readonly file: string } | { readonly socket: string }",
  read(value, place) {
    if (value === 'stdout' || value === 'stderr') return { kind: value, path: '' }
    const [entry, ...others] = isPlainObject(value) ? Object.entries(value) : []
    if (entry === undefined || others.length > 0) return place.mismatch(this.expected, value)
    const [kind, given] = entry
    if (kind !== 'file' && kind !== 'socket') return place.mismatch(this.expected, value)
    const name = path.read(given, place.at(kind))
    return name === undefined ? undefined : readPath(kind, name, place.at(kind))
  },
}

function readPath(kind: 'file' | 'socket', given: string, place: Place) {
  const full = resolve(place.directory, given)
  const folder = pathStatus(dirname(full))
  if (folder !== 'directory') {
    return place.report(`${dirname(full)}: ${wrongStatus('directory', folder)}`)
  }
  if (pathStatus(full) === 'directory') return place.report(`${full} is a directory`)
  if (kind === 'socket' && Buffer.byteLength(full) > longestSocketPath) {
    return place.report(
      `${full} is longer than the ${longestSocketPath} bytes that the system takes`,
    )
  }
  return { kind, path: full }
}

const parameterName = text('the name of a query parameter', (name) =>
  name === '' || /[=&;?#\s]/.test(name) ? 'no request can have one of that name' : undefined,
)

export const accessLog: Section<ResolvedAccessLog> = {
  format: {
    kind: choice('json', 'combined'),
    default: 'json',
    doc: `'json': an object in each line. 'combined': the NCSA combined log format, followed by the
duration in microseconds and the engine.`,
  },
  fields: {
    kind: refined(oneOrMany(field, 1), distinct),
    default: undefined,
    defaultText: "all but 'protocol' and 'worker'",
    doc: `The fields of JSON lines (docs/ACCESS_LOG.md). One that a request has no value for is
left out of its line.`,
  },
  sample: {
    kind: sample,
    default: 1,
    doc: `Which share of the requests is logged, for example { '2xx': 0.1 }; 'none' are those that
ended without an answer, 'default' is what is not named.`,
  },
  to: {
    kind: destination,
    default: 'stdout',
    doc: `Where the lines go: a file that is appended to, or a unix stream socket that is connected
to. Relative to the configuration file.`,
  },
  redact: {
    kind: orNone(oneOrMany(parameterName, 1)),
    default: false,
    doc: `Query parameters whose values are replaced by '***' in targets and referers, for example
['token']; upper and lower case are the same.`,
  },
}

const whole: Kind<ResolvedAccessLog> = refined(
  {
    expected: 'an object',
    typescript: 'AccessLogOptions',
    read: (value: unknown, place: Place) => readSection(accessLog, value, place),
  },
  (log, place) => {
    if (log.format === 'combined' && log.fields !== undefined) {
      return place.at('fields').report("the fields of 'combined' are fixed")
    }
    return log
  },
)

/** `true` stands for every default. */
export const accessLogOrNot: Kind<ResolvedAccessLog | false> = {
  expected: 'true or false, or an object',
  typescript: 'boolean | AccessLogOptions',
  read(value, place) {
    if (value === false) return false
    if (value === true) return whole.read({}, place)
    return isPlainObject(value) ? whole.read(value, place) : place.mismatch(this.expected, value)
  },
}
