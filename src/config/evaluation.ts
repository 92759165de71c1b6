// The thread in which a configuration file is evaluated, once, and then ends. Started by
// config/load.ts, which gives up on it after a while: nothing here may outlive the evaluation. Only
// plain data leaves it.

import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { ConfigError, type Problem } from './errors.ts'
import { describeFailure, placeOfCall, problemAt } from './failure.ts'
import { installHooks } from './module-hooks.ts'
import type { ModuleState } from './module-state.ts'
import type { ResolvedConfig } from './resolved.ts'
import { resolveConfig } from './validate.ts'

/** What the thread is given. */
export interface EvaluationInput {
  /** Absolute, as it was named. */
  file: string
  /** The same file without symbolic links: what Node calls it. */
  realFile: string
}

/** What it sends last. */
export type EvaluationOutput = ({ resolved: ResolvedConfig } | { problems: readonly Problem[] }) & {
  /** Files that were read for it. */
  modules?: ModuleState[]
  /** Names of files that were asked for. */
  names?: string[]
}

/** What it sends: that the file's own code is about to run, then the outcome. */
export type EvaluationMessage = 'begun' | EvaluationOutput

let read: () => { modules: ModuleState[]; names: string[] } = () => ({ modules: [], names: [] })

function send(message: EvaluationMessage): void {
  parentPort?.postMessage(message === 'begun' ? message : { ...message, ...read() })
}

async function evaluate({ file, realFile }: EvaluationInput): Promise<void> {
  const url = pathToFileURL(realFile).href
  const lastRead = installHooks(url)
  read = lastRead.read
  reportExits(realFile)
  send('begun')
  try {
    const exported: Record<string, unknown> = await import(url)
    if (!('default' in exported)) {
      const message = 'has no default export: write export default defineGateway({ … })'
      return send({ problems: [{ path: '', message }] })
    }
    send({ resolved: resolveConfig(exported.default, { file, directory: dirname(file) }) })
  } catch (error) {
    if (error instanceof ConfigError) return send({ problems: error.problems })
    send({ problems: [describeFailure(error, realFile, lastRead.url)] })
  }
}

// In a thread process.exit() ends the thread only; say who called it before it does.
function reportExits(realFile: string): void {
  const exit = process.exit
  process.exit = (code) => {
    const message = `calls process.exit(${code ?? ''}): a configuration only says what to serve`
    send({ problems: [problemAt(placeOfCall(), realFile, message)] })
    return exit(code)
  }
}

// Not awaited at the top: that an import never settles is noticed by load.ts.
void evaluate(workerData as EvaluationInput)
