// The admin listener of a gateway under test, on a free port of the loopback.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { GatewayConfig } from '../../src/config/actions.ts'
import { type Answer, type AskOptions, ask } from './ask.ts'
import { type RunningGateway, startGateway } from './gateway.ts'
import { makeFolder } from './site.ts'

export const token = 'a token of sufficient length'.replaceAll(' ', '-')

export interface RunningAdmin extends RunningGateway {
  adminPort: number
  /** A request without the token. */
  admin(path: string, options?: AskOptions): Promise<Answer>
  /** A request with it; a body is sent as JSON. */
  steer(method: string, path: string, body?: object): Promise<Answer>
}

export async function startWithAdmin(
  t: ExecutionContext,
  config: GatewayConfig,
): Promise<RunningAdmin> {
  const tokenFile = join(makeFolder(t), 'token')
  writeFileSync(tokenFile, `${token}\n`)
  const running = await startGateway(t, { admin: { port: 0, tokenFile }, ...config })
  const [address] = running.gateway.adminAddresses
  const adminPort = address?.kind === 'tcp' ? address.port : 0
  const admin = (path: string, options: AskOptions = {}) => ask(adminPort, path, options)
  const steer = (method: string, path: string, body?: object) =>
    admin(path, {
      method,
      headers: { Authorization: `Bearer ${token}` },
      ...(body && { body: JSON.stringify(body) }),
    })
  return { ...running, adminPort, admin, steer }
}
