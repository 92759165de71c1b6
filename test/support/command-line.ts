// bin/sluice as a person runs it: in a process of its own, with its output and its exit code.

import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'

export const sluicePath = fileURLToPath(new URL('../../bin/sluice', import.meta.url))

export interface Outcome {
  /** Exit code; null when a signal ended it. */
  code: number | null
  stdout: string
  stderr: string
}

export interface Running {
  child: ChildProcess
  /** The next line of standard output; rejects, with what went to standard error, at its end. */
  line(): Promise<string>
  /** What went to standard error so far. */
  stderr(): string
  outcome: Promise<{ code: number | null; stderr: string }>
}

export interface CommandOptions {
  cwd?: string
  env?: Record<string, string>
  /** Another name of bin/sluice. */
  path?: string
}

function start(t: ExecutionContext, args: string[], options: CommandOptions): ChildProcess {
  const child = spawn(options.path ?? sluicePath, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => void child.kill('SIGKILL'))
  return child
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
}

/** Runs a command to its end. */
export async function sluice(
  t: ExecutionContext,
  args: string[],
  options: CommandOptions = {},
): Promise<Outcome> {
  const child = start(t, args, options)
  const exit = exitOf(child)
  const [stdout, stderr] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
  ])
  return { code: await exit, stdout, stderr }
}

/** Starts a command that goes on until it is stopped. */
export function startSluice(
  t: ExecutionContext,
  args: string[],
  options: CommandOptions = {},
): Running {
  const child = start(t, args, options)
  const exit = exitOf(child)
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const iterator = lines[Symbol.asyncIterator]()
  const line = async () => {
    const next = await iterator.next()
    if (next.done) throw new Error(`sluice said no more, but: ${(await exit) ?? ''} ${stderr}`)
    return next.value
  }
  const outcome = exit.then((code) => ({ code, stderr }))
  return { child, line, stderr: () => stderr, outcome }
}
