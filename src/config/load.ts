// Finds a configuration file and has it evaluated in a thread of its own, so that a file which
// hangs, throws or exits is an error with a place in it, and nothing of it stays in the gateway.

import { realpathSync } from 'node:fs'
import { getCompileCacheDir } from 'node:module'
import { dirname, extname, join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { ConfigError, type Problem } from './errors.ts'
import type { EvaluationInput, EvaluationMessage, EvaluationOutput } from './evaluation.ts'
import { problemAt } from './failure.ts'
import { whereStuck } from './hang.ts'
import type { ModuleState } from './module-state.ts'
import { extensionOf } from './own-files.ts'
import { pathStatus, wrongStatus } from './path-status.ts'
import type { ResolvedConfig } from './resolved.ts'
import { showDuration } from './units.ts'
import { frozen } from './validate.ts'

const neverSettles = 'waits for something that never happens (a top-level await)'
const endings = ['.ts', '.mts', '.js', '.mjs']
const defaultNames = endings.map((ending) => `gateway.config${ending}`)

/** Where a configuration came from. */
export interface Source {
  modules: readonly ModuleState[]
  /** Every name by which it, or what it imports, is known, links and what is not there included. */
  names: readonly string[]
  /** The same again, from the same file. */
  again(): Promise<ResolvedConfig>
}

const sources = new WeakMap<object, Source>()

/** `made` is what came of it, too. */
export function setSource(made: object, source: Source | undefined): void {
  if (source !== undefined) sources.set(made, source)
}

/** Of a configuration, or of the error that came instead; undefined: it is from no file. */
export function sourceOf(made: object): Source | undefined {
  return sources.get(made)
}

export interface LoadOptions {
  /** How long the evaluation may take. Default: 10,000. */
  timeoutMs?: number
}

/** The configuration file of a directory. Throws ConfigError when there is none. */
export function findConfig(directory: string): string {
  const paths = defaultNames.map((name) => join(directory, name))
  const found = paths.find((path) => pathStatus(path) === 'file')
  if (found !== undefined) return found
  const message = `no ${defaultNames[0]} in ${directory}: make one, or name a file with --config`
  throw new ConfigError([{ path: '', message }])
}

/**
 * Evaluates, checks and completes a configuration file. Throws ConfigError. The result is frozen.
 */
export async function loadConfigFile(
  path: string,
  options: LoadOptions = {},
): Promise<ResolvedConfig> {
  const file = resolve(path)
  const wrong = unreadable(file)
  if (wrong !== undefined) throw new ConfigError([{ path: '', message: wrong }], file)
  const output = await evaluate(file, options.timeoutMs ?? 10_000)
  const made =
    'problems' in output ? new ConfigError(output.problems, file) : frozen(output.resolved)
  const { modules = [], names = [] } = output
  setSource(made, {
    modules,
    names: [...new Set([file, ...names, ...modules.map((module) => module.path)])],
    again: () => loadConfigFile(path, options),
  })
  if (made instanceof ConfigError) throw made
  return made
}

function unreadable(file: string): string | undefined {
  const status = pathStatus(file)
  if (status !== 'file') return wrongStatus('file', status)
  if (endings.includes(extname(file))) return undefined
  return `a configuration file ends in ${endings.join(', ')}`
}

async function evaluate(file: string, timeoutMs: number): Promise<EvaluationOutput> {
  const input: EvaluationInput = { file, realFile: realpathSync(file) }
  const worker = startThread(input)
  const { promise, resolve, reject } = Promise.withResolvers<EvaluationOutput>()
  let overdue: NodeJS.Timeout | undefined
  worker.on('message', (message: EvaluationMessage) => {
    if (message !== 'begun') return resolve(message)
    const giveUp = () => reportHang(worker, input, timeoutMs).then(resolve, reject)
    overdue = setTimeout(giveUp, timeoutMs)
  })
  worker.on('error', (error) => resolve(failed(`${error.name}: ${error.message}`)))
  worker.on('exit', () => resolve(failed(neverSettles)))
  try {
    return await promise
  } finally {
    clearTimeout(overdue)
    void worker.terminate()
  }
}

// A thread takes the cache of stripped sources (cli.ts) from its environment only.
function environment(): NodeJS.ProcessEnv {
  const cache = getCompileCacheDir()
  return cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(cache) }
}

function startThread(workerData: EvaluationInput): Worker {
  const path = `./evaluation${extensionOf(import.meta.url)}`
  const worker = new Worker(new URL(path, import.meta.url), {
    workerData,
    env: environment(),
    // Type stripping is experimental in the oldest Node that we support; it would say so each time.
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdout: true,
  })
  // Standard output belongs to the command: `sluice print` must stay JSON.
  worker.stdout.on('data', (chunk) => process.stderr.write(chunk))
  return worker
}

async function reportHang(
  worker: Worker,
  { realFile }: EvaluationInput,
  timeoutMs: number,
): Promise<EvaluationOutput> {
  const place = await whereStuck(worker)
  const doing = place === undefined ? 'waiting (a top-level await?)' : 'running here'
  const after = showDuration(timeoutMs)
  const message = `still ${doing} after ${after}: a configuration must come to an end`
  return { problems: [problemAt(place, realFile, message)] }
}

function failed(message: string): { problems: Problem[] } {
  return { problems: [{ path: '', message }] }
}
