// A gateway in a process of its own, for what a test cannot do to itself: end, hang, run out.
// The program is written into a fresh folder and imports the sources of this checkout.

import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ExecutionContext } from 'ava'
import { makeFolder } from './site.ts'

export interface Program {
  child: ChildProcess
  /** Exit code; null when a signal ended it. */
  exit: Promise<number | null>
  /** The next line that it prints. */
  line(): Promise<string>
}

/**
 * Runs a program that has `createGateway`, `files`, `proxy`, `relay`, `respond` and `existsSync`;
 * killed after the test. `limits` is for the shell's ulimit, such as '-n 100'.
 */
export function runProgram(t: ExecutionContext, body: string, limits = ''): Program {
  const source = new URL('../../src/', import.meta.url).href
  const path = join(makeFolder(t), 'program.mjs')
  writeFileSync(
    path,
    `import { createGateway } from '${source}gateway.ts'
     import { files, proxy, relay, respond } from '${source}index.ts'
     import { existsSync } from 'node:fs'
     ${body}`,
  )
  const command = `${limits && `ulimit ${limits};`} exec "$0" "$1"`
  const stdio = ['ignore', 'pipe', 'inherit'] as const
  const child = spawn('sh', ['-c', command, process.execPath, path], { stdio: [...stdio] })
  t.teardown(() => void child.kill('SIGKILL'))
  const exit = new Promise<number | null>((resolve) => child.on('exit', resolve))
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const iterator = lines[Symbol.asyncIterator]()
  const line = async () => String((await iterator.next()).value)
  return { child, exit, line }
}
