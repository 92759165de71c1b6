// Files that are no route: a handler, or an application in X-Accel-Redirect, names one, and the
// gateway sends it. How such roots are read, and which ones a configuration has. Workers ask about
// them as about routes, under numbers behind those of the routes.

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

/** What workers ask about it as. The number of the routes itself stands for none of them. */
export function numberOfRoot(config: ResolvedConfig, root: ResolvedFileSet): number {
  return config.routes.length + 1 + fileRoots(config).indexOf(root)
}

/** All that workers may ask about, by number. */
export function askableFiles(config: ResolvedConfig): (ResolvedFileSet | undefined)[] {
  const ofRoutes = config.routes.map(({ action }) => (action.kind === 'files' ? action : undefined))
  return [...ofRoutes, undefined, ...fileRoots(config)]
}
