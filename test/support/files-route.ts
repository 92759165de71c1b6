// A resolved files() route with every default, for tests of what is decided about its paths.

import type { FilesOptions } from '../../src/config/options.ts'
import { Place } from '../../src/config/place.ts'
import type { ResolvedFiles } from '../../src/config/resolved.ts'
import { files } from '../../src/config/schema-routes.ts'
import { readSection } from '../../src/config/section.ts'

/** `root` need not exist. */
export function filesRoute(root: string, options: FilesOptions = {}): ResolvedFiles {
  const place = new Place('files', '/')
  const settings = readSection(files, options, place)
  if (settings === undefined) throw new Error(JSON.stringify(place.problems))
  const { otherwise, ...rest } = settings
  if (otherwise !== undefined) throw new Error('give a resolved action instead')
  return { kind: 'files', root, ...rest }
}
