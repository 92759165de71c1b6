// From what a person wrote to the resolved configuration, or to one error with everything that is
// wrong. Looks at the file system (roots must exist), changes nothing.

import { ConfigError, type Problem } from './errors.ts'
import { isPlainObject, Place } from './place.ts'
import type { ResolvedConfig } from './resolved.ts'
import { readRoutes } from './routes.ts'
import { gateway } from './schema.ts'
import { ConfigScope } from './scope.ts'
import { readSection, type Section } from './section.ts'

/** Where a configuration comes from. */
export interface Origin {
  /** The configuration file, absolute; '' for an object. */
  file: string
  /** Relative paths start here. Absolute. */
  directory: string
}

const whole: Section<Omit<ResolvedConfig, 'file'>> = {
  ...gateway,
  routes: {
    kind: { expected: 'routes', typescript: '', read: readRoutes },
    default: {},
    doc: '',
  },
}

/** Checks a configuration and fills in every default. Throws ConfigError. The result is frozen. */
export function resolveConfig(config: unknown, origin: Origin): ResolvedConfig {
  const problems: Problem[] = []
  const scope = new ConfigScope(config)
  const place = new Place('', origin.directory, problems, scope)
  const resolved = isPlainObject(config)
    ? readSection(whole, config, place)
    : place.mismatch('a configuration such as { routes: { … } }', config)
  if (resolved === undefined || problems.length > 0) throw new ConfigError(problems, origin.file)
  const upstreams = [...resolved.upstreams, ...scope.inlineUpstreams]
  return frozen({ file: origin.file, ...resolved, upstreams })
}

/** Freezes plain objects and lists all the way down; bytes cannot be frozen. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  for (const part of Object.values(value)) frozen(part)
  return Object.freeze(value)
}
