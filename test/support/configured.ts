// A gateway from a configuration file of its own, as `sluice run` has it: its functions live in a
// process that is not the test's.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { loadConfigFile } from '../../src/config/load.ts'
import type { Gateway } from '../../src/gateway/gateway-types.ts'
import { startCore } from '../../src/gateway.ts'
import { type Answer, type AskOptions, ask } from './ask.ts'
import type { LogLine } from './gateway.ts'
import { makeFolder } from './site.ts'
import { until } from './wait.ts'

export interface Configured {
  gateway: Gateway
  /** The configuration file. */
  file: string
  port: number
  log: LogLine[]
  ask(path: string, options?: AskOptions): Promise<Answer>
  /** Process id of the app that is ready last. */
  app(): number
  /** Resolves with the line of the log that says so, when it is there. */
  logged(message: string): Promise<LogLine>
}

/** Writes a configuration file with these routes (as text) into a fresh folder. */
export function writeConfig(t: ExecutionContext, routes: string, more = ''): string {
  const file = join(makeFolder(t), 'gateway.config.ts')
  const text = `import { defineGateway, handler, mount, respond } from 'sluice'
export default defineGateway({ listen: 0, workers: 1, ${more} routes: { ${routes} } })
`
  writeFileSync(file, text)
  return file
}

export async function startConfigured(t: ExecutionContext, file: string): Promise<Configured> {
  const log: LogLine[] = []
  const at = (level: LogLine['level']) => (fields: object, message: string) =>
    void log.push({ ...fields, level, message })
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  // Machines that run several test files at once evaluate slowly.
  const gateway = startCore(await loadConfigFile(file, { timeoutMs: 60_000 }), logger)
  t.teardown(() => gateway.close({ drain: false }))
  const [address] = await gateway.listen()
  const port = address?.kind === 'tcp' ? address.port : 0
  const app = () => {
    const ready = log.findLast(({ message }) => message === 'the app is ready')
    return (ready as unknown as { app: number }).app
  }
  const logged = async (wanted: string) => {
    const find = () => log.find(({ message }) => message === wanted)
    await until(`a line in the log: ${wanted}`, find)
    return find() as LogLine
  }
  return { gateway, file, port, log, ask: (path, options) => ask(port, path, options), app, logged }
}

/** Whether a process is there (and not only its remains). */
export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
