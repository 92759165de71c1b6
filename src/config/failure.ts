// Why a configuration file could not be evaluated, for people: where, what, and what to do. Looks
// at what Node puts into errors; runs in the evaluation thread, where the original error is.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Problem } from './errors.ts'
import { shown } from './place.ts'

/** A place in a source file; lines from 1. */
export interface SourcePlace {
  /** file: URL. */
  url: string
  line: number
}

/** `path` names the line, and the file where it is not the configuration file itself. */
export function problemAt(place: SourcePlace | undefined, file: string, message: string): Problem {
  if (place === undefined) return { path: '', message }
  const path = fileURLToPath(place.url)
  return { path: path === file ? `line ${place.line}` : `${path}:${place.line}`, message }
}

/** What went wrong, from whatever was thrown. `lastRead` is the module that was read last. */
export function describeFailure(thrown: unknown, file: string, lastRead: string): Problem {
  if (!(thrown instanceof Error)) {
    return { path: '', message: `threw ${shown(thrown)} instead of an Error` }
  }
  const stack = thrown.stack ?? ''
  const code = (thrown as NodeJS.ErrnoException).code
  const missing = isSyntaxError(thrown) ? syntaxErrorPlace(lastRead) : undefined
  const place = placeInStack(stack) ?? missing
  return problemAt(place, file, `${headline(thrown, code)}${advice(thrown, code)}`)
}

function isSyntaxError(error: Error): boolean {
  return error.name === 'SyntaxError'
}

function headline(error: Error, code: string | undefined): string {
  if (code === 'ERR_MODULE_NOT_FOUND') return error.message
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return error.message.replace(/ is not supported in .*/, ' cannot be stripped away')
  }
  return `${error.name}: ${error.message}`
}

const erasable: [RegExp, string][] = [
  [/enum/i, "write an object instead: const Color = { red: 'red' } as const"],
  [/parameter property/i, 'declare the field and assign it in the constructor'],
  [/namespace|module/i, 'write a module with exports instead'],
  [/import/i, "write import … from '…'"],
  [/angle.bracket|assertion/i, 'write (value as Type)'],
]

function advice(error: Error, code: string | undefined): string {
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    const fix = erasable.find(([pattern]) => pattern.test(error.message))?.[1]
    return `, and Node only strips types: ${fix ?? 'use JavaScript syntax there'}`
  }
  if (code === 'ERR_MODULE_NOT_FOUND') return missingModuleAdvice(error)
  return ''
}

function missingModuleAdvice(error: Error): string {
  const url = (error as Error & { url?: string }).url
  if (url === undefined) return ': is it installed where the file lies?'
  const path = fileURLToPath(url)
  const candidates = [`${path}.ts`, `${path}.js`, path.replace(/\.js$/, '.ts')]
  const near = candidates.find((candidate) => candidate !== path && existsSync(candidate))
  return near === undefined ? '' : `; did you mean '${near}'? Imports name the file with its ending`
}

/** The place in a user's file that called the function which called this. */
export function placeOfCall(): SourcePlace | undefined {
  return placeInStack(new Error().stack ?? '')
}

// The first line that is in a file of the user's: 'file:///x.ts:3' above a syntax error, or
// 'at f (file:///x.ts:2:22)'. Node's own frames are 'node:', ours lie beside this file.
function placeInStack(stack: string): SourcePlace | undefined {
  const own = new URL('.', import.meta.url).href
  for (const found of stack.matchAll(/(file:\/\/\/[^\s():]+):(\d+)/g)) {
    const [, url = '', line = ''] = found
    if (!url.startsWith(own)) return { url, line: Number(line) }
  }
  return undefined
}

// The engine says where a module does not parse only to Node's own --check; that is asked here.
function syntaxErrorPlace(url: string): SourcePlace | undefined {
  if (!url.startsWith('file:')) return undefined
  try {
    const input = stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8'))
    const args = ['--input-type=module', '--check', '-']
    const checked = spawnSync(process.execPath, args, { input, encoding: 'utf8', timeout: 5_000 })
    const line = /^\[stdin\]:(\d+)/m.exec(checked.stderr)?.[1]
    return line === undefined ? undefined : { url, line: Number(line) }
  } catch {
    return undefined
  }
}
