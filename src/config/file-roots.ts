// Files that are no route: a handler, or an application in X-Accel-Redirect, names one, and the
// gateway sends it. How such roots are read, and which ones a configuration has. Workers ask about
// them as about routes, under numbers that no route has.

import type { Kind } from './kinds.ts'
import { readDirectory } from './path-status.ts'
import { isPlainObject, type Place } from './place.ts'
import type { ResolvedAction, ResolvedConfig, ResolvedFileSet } from './resolved.ts'
import * as schema from './schema-routes.ts'
import { readSection } from './section.ts'

/** A directory, or what files() made. */
export const filesRoot: Kind<ResolvedFileSet> = {
  expected: "the path of a directory, or files('directory', { … })",
  typescript: 'FilesRoot',
  read(value, place) {
    if (typeof value === 'string') return readFilesOf(value, {}, place, place)
    if (!isPlainObject(value) || value.kind !== 'files') {
      return place.mismatch(this.expected, value)
    }
    return readFilesOf(value.root, value.options ?? {}, place.at('root'), place)
  },
}

function readFilesOf(
  directory: unknown,
  options: unknown,
  at: Place,
  place: Place,
): ResolvedFileSet | undefined {
  const root = readDirectory(directory, at)
  const read = readSection(schema.files, options, place)
  if (root === undefined || read === undefined) return undefined
  const { otherwise, ...settings } = read
  if (otherwise !== undefined) {
    return place.at('otherwise').report('a file was asked for: nothing else can answer')
  }
  if (settings.upload.enabled) {
    return place.at('upload').report('files are taken in by routes, not where one is named')
  }
  return { kind: 'files', root, ...settings }
}

/** Those of all routes, in their order. */
export function fileRoots({ routes }: Pick<ResolvedConfig, 'routes'>): ResolvedFileSet[] {
  return routes.flatMap(({ action }) => rootOf(action) ?? [])
}

function rootOf(action: ResolvedAction): ResolvedFileSet | undefined {
  switch (action.kind) {
    case 'files':
      return action.otherwise && rootOf(action.otherwise)
    case 'handler':
      return action.root
    case 'proxy':
      return action.accelRedirect?.root
    default:
      return undefined
  }
}

/** Their numbers begin here: no route has such a one. */
export const firstRootNumber = 2 ** 24

/**
 * What workers ask about a root as: by its place in fileRoots(), unless `numbers` say otherwise.
 */
export function rootNumbering(
  config: Pick<ResolvedConfig, 'routes'>,
  numbers?: readonly number[],
): (root: ResolvedFileSet) => number {
  const roots = fileRoots(config)
  return (root) => {
    const at = roots.indexOf(root)
    return numbers?.[at] ?? firstRootNumber + at
  }
}
