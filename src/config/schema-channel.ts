// The options of channel(), as config/schema-routes.ts has those of other routes.

import { fields } from './fields.ts'
import { choice, count, duration, size, text } from './kinds.ts'
import type { ResolvedChannel } from './resolved.ts'
import type { Section } from './section.ts'

const mb = 1024 * 1024
const hour = 3_600_000

const secret = text('a token of 16 visible characters or more', (value) => {
  if (value === '') return undefined
  return /^[\x21-\x7e]{16,}$/.test(value) ? undefined : 'too short, or with white space'
})

export const channel: Section<Omit<ResolvedChannel, 'kind' | 'name'>> = {
  as: {
    kind: choice('sse', 'ndjson', 'raw'),
    default: 'sse',
    doc: `How messages follow each other: server-sent events, one line of JSON each, or their bytes
as they are.`,
  },
  history: {
    kind: count(0, 100_000),
    default: 0,
    doc: `How many of the newest messages a client gets first, as far as they are still in the
buffer. One that says Last-Event-ID gets what came after that.`,
  },
  slow: {
    kind: choice('skip', 'disconnect'),
    default: 'skip',
    doc: `What happens to a client that is further behind than the buffer reaches: it goes on with
the newest message, or its connection ends.`,
  },
  buffer: {
    kind: size(1024, 1024 * mb),
    default: '4mb',
    doc: `Bytes of the newest messages that are kept for slow clients and history. Of several routes
of one channel the largest value counts.`,
  },
  bufferMessages: {
    kind: count(1, 1_000_000),
    default: 1_000,
    doc: 'How many messages are kept at most.',
  },
  heartbeat: {
    kind: duration(0, hour),
    default: '15s',
    doc: 'After so long without a message a comment is sent, for server-sent events. 0: never.',
  },
  token: {
    kind: secret,
    default: '',
    doc: `Who sends it in Authorization: Bearer may publish by POST: the body is the message, the
field Sluice-Event its type. '': nobody.`,
  },
  messageBytes: {
    kind: size(1, 64 * mb),
    default: '1mb',
    doc: 'The longest message that is taken by POST; beyond it 413.',
  },
  headers: {
    kind: fields({}),
    default: {},
    doc: 'Header fields of the answer.',
  },
}
