// The configuration evaluated in the app: the same file, resolved by the same code, and then its
// functions. Never the only check: the gateway has evaluated the file before, apart.

import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError } from '../config/errors.ts'
import { describeFailure } from '../config/failure.ts'
import { installHooks } from '../config/module-hooks.ts'
import { resolveConfig } from '../config/validate.ts'
import { firstDifference } from './difference.ts'
import { type AppFunctions, functionsOf } from './functions.ts'
import type { StartMessage } from './messages.ts'

/** Rejects with a ConfigError when the file cannot be evaluated, or gives another result now. */
export async function importFunctions(start: StartMessage): Promise<AppFunctions> {
  const { file, realFile } = start
  const config = await importConfig(file, realFile)
  const resolved = resolveConfig(config, { file, directory: dirname(file) })
  const difference = firstDifference(start.resolved, resolved)
  if (difference === undefined) return functionsOf(config, resolved)
  const message = `${difference}. The app evaluates the file anew: it has changed since it was
loaded (reload the gateway), or it gives another configuration each time (time, chance, a process
id)`
  throw new ConfigError([{ path: '', message: message.replaceAll('\n', ' ') }], file)
}

async function importConfig(file: string, realFile: string): Promise<unknown> {
  const url = pathToFileURL(realFile).href
  const lastRead = installHooks(url)
  try {
    const exported: Record<string, unknown> = await import(url)
    return exported.default
  } catch (error) {
    throw new ConfigError([describeFailure(error, realFile, lastRead.url)], file)
  }
}
