// The options of `upload` of files(): what a route takes in, from whom nothing is known here.
// config/schema-routes.ts has those of files() itself.

import { boolean, orNoLimit, size } from './kinds.ts'
import type { ResolvedUpload } from './resolved-files.ts'
import { type Section, shorthand } from './section.ts'

const mb = 1024 * 1024
const tb = mb * mb

/** `upload: true` takes everything by default; the option of that name is only ever written so. */
export const upload: Section<ResolvedUpload> = {
  enabled: {
    kind: boolean(),
    default: true,
    doc: 'Whether PUT and POST are taken at all.',
  },
  bodyBytes: {
    kind: size(0, 1024 * tb),
    default: undefined,
    defaultText: 'limits.bodyBytes',
    doc: 'The largest file that is taken; beyond it 413.',
  },
  quota: {
    kind: orNoLimit(size(1, 1024 * tb)),
    default: false,
    doc: `How much all files beneath the root may be together; beyond it 507. What others write
there is counted within a minute.`,
  },
  replace: {
    kind: boolean(),
    default: true,
    doc: 'Whether PUT may replace a file. false: 409 where there is one.',
  },
  delete: {
    kind: boolean(),
    default: false,
    doc: 'Whether DELETE removes files. Never directories.',
  },
  directories: {
    kind: boolean(),
    default: true,
    doc: 'Whether directories that are missing are made. false: 409 where there is none.',
  },
  fsync: {
    kind: boolean(),
    default: false,
    doc: 'Whether a file and its name are on the disk before the answer says so.',
  },
}

/** `upload: true`, or an object. */
export const uploadOption = shorthand(upload, 'UploadOptions', 'enabled')
