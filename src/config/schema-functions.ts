// The options of handler() and mount(), as config/schema-routes.ts has those of other routes.

import { filesRoot } from './file-roots.ts'
import { duration, size } from './kinds.ts'
import type { ResolvedHandler, ResolvedMount } from './resolved.ts'
import type { Section } from './section.ts'

const gb = 1024 ** 3
const day = 86_400_000

/** Options of mount(); `timeout` and `bodyBytes` come from the gateway when they are not set. */
export type MountSettings = Partial<Omit<ResolvedMount, 'kind'>>

/** Options of handler(). */
export type HandlerSettings = Partial<Omit<ResolvedHandler, 'kind'>>

export const mount: Section<MountSettings> = {
  timeout: {
    kind: duration(0, day),
    default: undefined,
    defaultText: "'timeouts.handler'",
    doc: 'From the end of a request to the head of its answer; then 504. 0: no limit.',
  },
  bodyBytes: {
    kind: size(0, 1024 * gb),
    default: undefined,
    defaultText: "'limits.bodyBytes'",
    doc: 'Body of a request; more is answered with 413.',
  },
}

export const handler: Section<HandlerSettings> = {
  ...mount,
  root: {
    kind: filesRoot,
    default: undefined,
    doc: `The files that context.file() answers with: a directory, or files('directory', { … }) for
options such as cacheControl. Nobody else reaches them.`,
  },
}
