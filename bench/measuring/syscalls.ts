// System calls per request, counted by strace in a short run of its own: tracing is so slow that
// nothing else is measured meanwhile.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Drive, Row } from './measure.ts'
import { processTree } from './process-tree.ts'
import { clientCore, end, startOn } from './quiet.ts'
import type { RunningServer } from './servers.ts'

const tracedSeconds = 1

/** Calls per request, by name, for those that matter (above 0.005). */
export type CallsPerRequest = Record<string, number>

export async function countCalls<R extends Row>(
  drive: Drive<R>,
  row: R,
  server: RunningServer,
  folder: string,
): Promise<CallsPerRequest> {
  const output = join(folder, 'calls')
  const pids = processTree(server.pid).flatMap((pid) => ['-p', String(pid)])
  const tracer = startOn(clientCore, 'strace', ['-c', '-f', '-o', output, ...pids])
  if (tracer.stderr === null) return {}
  await once(tracer.stderr, 'data') // it says when it has attached
  const { answers, bytes } = await drive(row, server, tracedSeconds).catch((error: unknown) => {
    throw new Error(`${row.name}, ${server.name}, traced`, { cause: error })
  })
  await end(tracer, 'SIGINT')
  // A stream has no answers.
  return perRequest(readFileSync(output, 'utf8'), answers > 0 ? answers : bytes / 1e6)
}

/** Lines are "% time, seconds, usecs/call, calls, [errors], syscall". */
function perRequest(table: string, answers: number): CallsPerRequest {
  const calls: CallsPerRequest = {}
  for (const line of table.split('\n')) {
    const [, count, name] = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$/.exec(line) ?? []
    if (count === undefined || name === undefined || name === 'total') continue
    if (Number(count) / answers > 0.005) calls[name] = Number(count) / answers
  }
  return calls
}
