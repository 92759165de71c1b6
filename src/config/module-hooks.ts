// How modules are found and read while a configuration file is evaluated. Runs in the evaluation
// thread only: the hooks are never installed where a user's program or the gateway runs.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { ModuleState } from './module-state.ts'
import { extensionOf } from './own-files.ts'

/** The module that was read last, where a syntax error without a place must be. */
export interface LastRead {
  url: string
  /** All files that were read so far, but for our own, and the names that were asked for. */
  read(): { modules: ModuleState[]; names: string[] }
}

/**
 * `'sluice'` is this package, wherever the importing file lies. The configuration file and the
 * TypeScript files that it imports are ES modules, whatever a package.json near them says. Plain
 * JavaScript configurations go through the type stripper too: it names the line of a syntax error.
 */
export function installHooks(configUrl: string): LastRead {
  const read = new Map<string, ModuleState>()
  const names = new Set<string>()
  const all = () => ({ modules: [...read.values()], names: [...names] })
  const last: LastRead = { url: configUrl, read: all }
  const index = new URL(`../index${extensionOf(import.meta.url)}`, import.meta.url).href
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'sluice') return { url: index, shortCircuit: true }
      // Ahead, since there may be nothing of that name yet.
      const name = nameOf(specifier, context.parentURL)
      if (name !== undefined) names.add(name)
      if (name !== undefined && !existsSync(name)) read.set(name, { path: name, hash: '' })
      const found = next(specifier, context)
      const ours = found.url === configUrl || isImportedTypeScript(found.url, context.conditions)
      return ours ? { ...found, format: 'module-typescript' } : found
    },
    load(url, context, next) {
      last.url = url
      note(url, read)
      return next(url, context)
    },
  })
  return last
}

const ownFiles = new URL('..', import.meta.url).href

/** As it was written: it may be a link that leads elsewhere one day. */
function nameOf(specifier: string, parent: string | undefined): string | undefined {
  if (!/^(\.{0,2}\/|file:)/.test(specifier) || parent?.startsWith(ownFiles)) return undefined
  const url = URL.parse(specifier, parent)
  const isTheirs = url?.protocol === 'file:' && !url.href.startsWith(ownFiles)
  return isTheirs ? fileURLToPath(url) : undefined
}

/** Before it is read: what changes in between is noticed rather than missed. */
function note(url: string, read: Map<string, ModuleState>): void {
  const plain = url.replace(/[?#].*$/, '')
  if (!plain.startsWith('file:') || plain.startsWith(ownFiles) || read.has(plain)) return
  const path = fileURLToPath(plain)
  try {
    const hash = createHash('sha1').update(readFileSync(path)).digest('base64')
    read.set(plain, { path, hash })
  } catch {
    // Whoever imports it is told.
    read.set(plain, { path, hash: '' })
  }
}

function isImportedTypeScript(url: string, conditions: readonly string[]): boolean {
  const { protocol, pathname } = new URL(url)
  if (protocol !== 'file:' || !pathname.endsWith('.ts')) return false
  return conditions.includes('import') && !pathname.includes('/node_modules/')
}
