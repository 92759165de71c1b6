// The encoded variants of a file: those that somebody put beside it ('app.js.br', 'app.js.zst' and
// 'app.js.gz' for 'app.js'), and which others it should have. Main thread, once per decision.
// Must never take a sidecar that is older than its file: it was made from another content
// (docs/design/0004-compression.md).

import type { ContentCoding, LookAt, NativeVariant } from '../native/interface.ts'
import type { FileFields } from './answer-fields.ts'
import { shrinks } from './media-types.ts'
import type { Finding, Search } from './search.ts'

/** Codings in the order in which they are preferred at the same size. */
export const codings: readonly ContentCoding[] = ['br', 'zstd', 'gzip']

export const endings: Record<ContentCoding, string> = { br: '.br', zstd: '.zst', gzip: '.gz' }

/** A sidecar that is there. */
export interface Sidecar {
  coding: ContentCoding
  /** Relative to the root. */
  path: string
  found: Finding
  /** What is wrong with it, so that it is not sent; '' when nothing is. */
  flaw: string
}

/** Encodings of a file that an answer would have. */
export interface EncodingWish {
  where: LookAt
  codings: ContentCoding[]
  /** Of the file that the answer sends. */
  identity: bigint
  mtimeMs: number
}

/** Whether files with these fields may be sent encoded. */
export function mayBeEncoded(fields: FileFields): boolean {
  if (fields.get('content-encoding') !== undefined) return false // it is encoded already
  return shrinks(fields.get('content-type') ?? '')
}

/**
 * Looks for sidecars of the file at `path`. `complete` is false when the system could not tell of
 * one: the file itself can be sent all the same.
 */
export async function sidecarsOf(
  search: Search,
  path: string,
  file: Finding,
): Promise<{ sidecars: Sidecar[]; complete: boolean }> {
  const found = await search.lookBeside(codings.map((coding) => path + endings[coding]))
  const complete = found.every(({ outcome }) => outcome !== 'failed')
  return { sidecars: judged(path, file, found), complete }
}

/** What was found under the names of sidecars, in the order of `codings`. */
export function judged(path: string, file: Finding, found: (Finding | undefined)[]): Sidecar[] {
  return codings.flatMap((coding, index) => {
    const finding = found[index]
    if (finding?.outcome !== 'file') return []
    return { coding, path: path + endings[coding], found: finding, flaw: flawOf(finding, file) }
  })
}

/** Of those without a flaw, the smallest first. */
export function variantsOf(sidecars: Sidecar[]): NativeVariant[] {
  return sidecars
    .filter(({ flaw }) => flaw === '')
    .sort((one, other) => one.found.size - other.found.size)
    .map(({ coding, found }) => ({ coding, file: found.file }))
}

/** What the route would have made of the file at `path`, beside the variants that there are. */
export function wishFor(
  search: Search,
  path: string,
  { identity, size, mtimeMs }: Finding,
  variants: NativeVariant[],
): EncodingWish | undefined {
  const { codings: made, minBytes, maxBytes } = search.route.compress
  if (size < minBytes || size > maxBytes) return undefined
  const codings = made.filter((coding) => variants.every((variant) => variant.coding !== coding))
  if (codings.length === 0) return undefined
  return { where: search.whereIs(path), codings, identity, mtimeMs }
}

function flawOf(sidecar: Finding, file: Finding): string {
  if (sidecar.mtimeMs < file.mtimeMs) return 'older than the file'
  // No coding of anything is empty: it is still being written, or was cut off.
  return sidecar.size === 0 ? 'empty' : ''
}
