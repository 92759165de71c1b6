// The options of proxy() that are the route's own; those of an upstream, which may stand beside
// them, are in config/schema-upstreams.ts.

import { fieldNamesBut, fieldsBut, framingFields } from './fields.ts'
import { filesRoot } from './file-roots.ts'
import { hostValue } from './host-value.ts'
import {
  boolean,
  choice,
  count,
  duration,
  falseFor,
  type Kind,
  orNoLimit,
  orNone,
  orNothing,
  size,
  text,
} from './kinds.ts'
import { isPlainObject } from './place.ts'
import type { ResolvedAccelRedirect, ResolvedFieldEdits, ResolvedProxy } from './resolved.ts'
import { mirrors } from './schema-mirror.ts'
import { type Section, section, shorthand } from './section.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const gb = 1024 ** 3

const prefix = text("a path such as '/api'", (path) => {
  if (!path.startsWith('/') || path === '/') return "it begins with '/' and has a segment"
  if (path.endsWith('/')) return "without '/' at the end: whole segments are taken off"
  if (!/^[!"$%&'()+,\-./:;<=>@[\]^_`{|}~\w]+$/.test(path) || path.includes('//')) {
    return 'that is no path that a request has'
  }
  return undefined
})

const path = text("a path such as '/v2$rest'", () => undefined)

/** 'auto', 'preserve', 'target' or a value. */
const host: Kind<string> = {
  expected: `'auto', 'preserve', 'target', or ${hostValue.expected}`,
  typescript: 'string',
  read: (value, place) => hostValue.read(value, place),
}

/** Fields of requests that have an option of their own. */
const requestFields: Record<string, string> = {
  ...framingFields,
  expect: 'it is between the client and the target',
  host: "set the option 'host' instead",
}

const responseFields: Record<string, string> = {
  ...framingFields,
  date: 'the target or the server sets it',
}

function edits(refused: Record<string, string>): Section<ResolvedFieldEdits> {
  return {
    set: {
      kind: fieldsBut(refused),
      default: {},
      doc: 'Fields that take the place of all of that name.',
    },
    add: {
      kind: fieldsBut(refused),
      default: {},
      doc: 'Fields that come beside those that are there.',
    },
    remove: {
      kind: orNone(fieldNamesBut(refused)),
      default: false,
      doc: 'Names of fields that go.',
    },
  }
}

export const requestEdits = edits(requestFields)
export const responseEdits = edits(responseFields)

export const headers: Section<ResolvedProxy['headers']> = {
  request: {
    kind: section(requestEdits, 'FieldEditsOptions'),
    default: {},
    doc: 'Of the request, on its way to the target.',
  },
  response: {
    kind: section(responseEdits, 'FieldEditsOptions'),
    default: {},
    doc: 'Of the answer, on its way to the client.',
  },
}

export const timeout: Section<ResolvedProxy['timeout']> = {
  connect: {
    kind: duration(1, 10 * minute),
    default: '5s',
    doc: 'For a connection to a target; then another target is tried, or 504.',
  },
  firstByte: {
    kind: orNoLimit(duration(1, 24 * hour)),
    default: '60s',
    doc: 'From the end of the request, or its last progress, to the head of the answer; then 504.',
  },
  between: {
    kind: orNoLimit(duration(1, 24 * hour)),
    default: '60s',
    doc: `Between two arrivals of the answer's body; then both connections are closed. Event streams
that are silent for longer want more, or false.`,
  },
  total: {
    kind: orNoLimit(duration(1, 24 * hour)),
    default: false,
    doc: 'For the whole exchange. false: no limit.',
  },
  tunnel: {
    kind: orNoLimit(duration(1, 7 * 24 * hour)),
    default: '1h',
    doc: 'Without a byte in either direction after an upgrade (WebSockets).',
  },
}

export const retry: Section<ResolvedProxy['retry']> = {
  tries: {
    kind: count(0, 10),
    default: 1,
    doc: 'Other targets that are tried after the first has failed without a byte of an answer.',
  },
  unsafe: {
    kind: boolean(),
    default: false,
    doc: `Whether requests that may have been carried out are tried again too: POST, PATCH and what
else is not idempotent.`,
  },
}

const accelPrefix = text("a path such as '/protected'", (path) => {
  if (!path.startsWith('/') || path.endsWith('/')) return "it begins with '/' and does not end so"
  return /^[!"$&'()+,\-./:;=@\w~]+$/.test(path) ? undefined : 'that is no path of a file'
})

export const accelRedirect: Section<ResolvedAccelRedirect> = {
  root: {
    kind: filesRoot,
    default: undefined,
    required: true,
    doc: "Where the files are: a directory, or files('directory', { … }).",
  },
  prefix: {
    kind: orNothing(accelPrefix),
    default: false,
    doc: `What the paths in the field begin with, before the path in the root: with '/protected',
'/protected/a.zip' is the file 'a.zip'. false: nothing.`,
  },
}

const accelSection = section(accelRedirect, 'AccelRedirectOptions')

/** A root alone stands for { root }. */
const accel: Kind<ResolvedAccelRedirect> = {
  expected: `${filesRoot.expected}, or an object`,
  typescript: 'FilesRoot | AccelRedirectOptions',
  read(value, place) {
    if (isPlainObject(value) && value.kind !== 'files') return accelSection.read(value, place)
    const root = filesRoot.read(value, place)
    return root && { root, prefix: '' }
  },
}

export type ProxySettings = Omit<ResolvedProxy, 'kind' | 'upstream' | 'rewrite'> & {
  rewrite?: string
}

export const proxy: Section<ProxySettings> = {
  stripPrefix: {
    kind: orNothing(prefix),
    default: false,
    doc: `Segments that are taken off the path: with '/api', '/api/users' reaches the target as
'/users', '/api' as '/'.`,
  },
  rewrite: {
    kind: path,
    default: undefined,
    doc: `Another path, with variables as in redirect(): '/v2$rest', '/users/$id'. The query is kept
unless this has one.`,
  },
  host: {
    kind: host,
    default: 'auto',
    doc: `The Host field: 'preserve' is the client's, 'target' the target's own, else that value.
'auto' is 'target' for an upstream with https: targets, and 'preserve' for others.`,
  },
  headers: {
    kind: section(headers, 'ProxyHeadersOptions'),
    default: {},
    doc: 'Header fields that are set, added and removed.',
  },
  forwarded: {
    kind: choice('x-forwarded', 'forwarded', 'both', false),
    default: 'x-forwarded',
    doc: `How the target learns who asked: X-Forwarded-For, -Proto, -Host and -Port, Forwarded (RFC
7239), both, or not at all. What the client sent in these fields goes, unless it comes from one of
'trustedProxies'.`,
  },
  via: {
    kind: boolean(),
    default: true,
    doc: 'Whether requests get a Via field (RFC 9110 §7.6.3).',
  },
  requestId: {
    kind: boolean(),
    default: true,
    doc: `Whether requests get an X-Request-Id, unless one of 'trustedProxies' has sent it.`,
  },
  timeout: {
    kind: section(timeout, 'ProxyTimeoutOptions'),
    default: {},
    doc: 'How long a target may take.',
  },
  retry: {
    kind: falseFor(shorthand(retry, 'RetryOptions', 'tries'), { tries: 0, unsafe: false }),
    default: {},
    doc: 'When a request is tried again elsewhere: a number of tries, or an object. false: never.',
  },
  bodyBytes: {
    kind: falseFor(size(0, 1024 * gb), false),
    default: undefined,
    defaultText: 'limits.bodyBytes where that is set, else false',
    doc: `Body of a request; more is answered with 413. false: any size, since bodies are not held
but passed on.`,
  },
  halfClose: {
    kind: boolean(),
    default: false,
    doc: `Whether a client that closes its sending side before it has the whole answer still gets
it. false: it is taken to have gone, and the target is let go.`,
  },
  accelRedirect: {
    kind: accel,
    default: undefined,
    doc: `The files that a target may answer with by naming one in X-Accel-Redirect: the gateway
sends it, and nobody else reaches it.`,
  },
  mirror: {
    kind: mirrors,
    default: false,
    doc: `Who gets a copy of the requests, too, and answers for nobody: one or several. They never
slow, fail or change what the client gets. See docs/MIRROR.md.`,
  },
  transfer: {
    kind: choice('auto', 'copy'),
    default: 'auto',
    doc: "How bytes are moved, for this route; the gateway's 'copy' holds for every route.",
  },
}
