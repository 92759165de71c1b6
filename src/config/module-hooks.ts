// How modules are found and read while a configuration file is evaluated. Runs in the evaluation
// thread only: the hooks are never installed where a user's program or the gateway runs.

import { registerHooks } from 'node:module'
import { extensionOf } from './own-files.ts'

/** The module that was read last, where a syntax error without a place must be. */
export interface LastRead {
  url: string
}

/**
 * `'sluice'` is this package, wherever the importing file lies. The configuration file and the
 * TypeScript files that it imports are ES modules, whatever a package.json near them says. Plain
 * JavaScript configurations go through the type stripper too: it names the line of a syntax error.
 */
export function installHooks(configUrl: string): LastRead {
  const last: LastRead = { url: configUrl }
  const index = new URL(`../index${extensionOf(import.meta.url)}`, import.meta.url).href
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'sluice') return { url: index, shortCircuit: true }
      const found = next(specifier, context)
      const ours = found.url === configUrl || isImportedTypeScript(found.url, context.conditions)
      return ours ? { ...found, format: 'module-typescript' } : found
    },
    load(url, context, next) {
      last.url = url
      return next(url, context)
    },
  })
  return last
}

function isImportedTypeScript(url: string, conditions: readonly string[]): boolean {
  const { protocol, pathname } = new URL(url)
  if (protocol !== 'file:' || !pathname.endsWith('.ts')) return false
  return conditions.includes('import') && !pathname.includes('/node_modules/')
}
