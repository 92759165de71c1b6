// A gateway with an access log in a file of its own, with every field, and its lines as objects.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { GatewayConfig } from '../../src/config/actions.ts'
import type { AccessLogOptions } from '../../src/index.ts'
import { logFields } from '../../src/native/access-log.ts'
import { type RunningGateway, startGateway } from './gateway.ts'
import { makeFolder } from './site.ts'
import { until } from './wait.ts'

/** A line of the JSON format; what a request has no value for is not there. */
export interface LoggedRequest {
  time: string
  client: string
  status: number
  bytes: number
  durationUs: number
  worker: number
  request?: string
  method?: string
  host?: string
  target?: string
  protocol?: string
  route?: string
  referer?: string
  userAgent?: string
  requestId?: string
  engine?: string
  error?: string
}

export interface LoggedGateway extends RunningGateway {
  file: string
  /** Every line of the file, as soon as there are `count`. */
  lines(count: number): Promise<string[]>
  /** The same, parsed. */
  logged(count: number): Promise<LoggedRequest[]>
}

/** Whole lines of a file. */
export function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1)
}

export async function startLogged(
  t: ExecutionContext,
  config: GatewayConfig,
  log: AccessLogOptions = {},
): Promise<LoggedGateway> {
  const file = join(makeFolder(t), 'access.log')
  const fields = log.format === 'combined' ? {} : { fields: logFields }
  const accessLog = { to: { file }, ...fields, ...log }
  const running = await startGateway(t, { ...config, accessLog })
  const lines = async (count: number) => {
    await until(`${count} lines`, () => linesOf(file).length >= count)
    return linesOf(file)
  }
  const logged = async (count: number) =>
    (await lines(count)).map((line): LoggedRequest => JSON.parse(line))
  return { ...running, file, lines, logged }
}
