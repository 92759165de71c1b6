// What is wrong with a configuration, as lines, for tests that read them.

import { ConfigError, problemLine } from '../../src/config/errors.ts'
import { resolveConfig } from '../../src/config/validate.ts'

/**
 * Every problem of a configuration object; none when it is fine. Roots are relative to
 * `directory`.
 */
export function problemsOf(config: unknown, directory = import.meta.dirname): string[] {
  try {
    resolveConfig(config, { file: '', directory })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(problemLine)
  }
}
