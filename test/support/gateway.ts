// A real gateway for one test: on a free port of the loopback, one worker unless the test wants
// more, closed after it. What it logs is collected, so that a test can look for a line.

import type { NetConnectOpts } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import type { GatewayConfig } from '../../src/config/actions.ts'
import type { Gateway } from '../../src/gateway/gateway-types.ts'
import { createGateway } from '../../src/gateway.ts'
import type { Address } from '../../src/native/listening.ts'
import { RawClient, type Reply, request } from './client.ts'

export interface LogLine {
  level: 'debug' | 'info' | 'warn' | 'error'
  message: string
  code?: string
}

export interface RunningGateway {
  gateway: Gateway
  addresses: Address[]
  /** Port of the first listener. */
  port: number
  log: LogLine[]
  /** A new connection, to the first listener unless told otherwise; destroyed after the test. */
  connect(to?: NetConnectOpts): Promise<RawClient>
  /** One request on a connection of its own. */
  get(target: string, fields?: Record<string, string>): Promise<Reply>
  /** Body bytes sent by each engine that sent any. */
  engineBytes(): Record<string, number>
}

/** Starts a gateway; `config` may leave out what tests do not care about. */
export async function startGateway(
  t: ExecutionContext,
  config: GatewayConfig,
): Promise<RunningGateway> {
  const log: LogLine[] = []
  const at = (level: LogLine['level']) => (fields: object, message: string) =>
    void log.push({ ...fields, level, message })
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const gateway = await createGateway({ listen: 0, workers: 1, ...config }, { logger })
  const clients: RawClient[] = []
  t.teardown(async () => {
    for (const { socket } of clients) socket.destroy()
    await gateway.close({ drain: false })
  })
  const addresses = await gateway.listen()
  const [first] = addresses
  const port = first?.kind === 'tcp' ? first.port : 0
  const firstListener = first?.kind === 'unix' ? { path: first.path } : { port, host: first?.host }
  const connect = async (to: NetConnectOpts = firstListener as NetConnectOpts) => {
    const client = await RawClient.connect(to)
    clients.push(client)
    return client
  }
  const get = async (target: string, fields: Record<string, string> = {}) => {
    const client = await connect()
    const reply = await client.ask(request(target, { Connection: 'close', ...fields }))
    client.socket.destroy()
    return reply
  }
  const engineBytes = () => {
    const engines = Object.entries(gateway.stats().total.engines)
    return Object.fromEntries(
      engines.map(([name, { bytes }]) => [name, bytes] as const).filter(([, n]) => n > 0),
    )
  }
  return { gateway, addresses, port, log, connect, get, engineBytes }
}

export type TransferMode = 'auto' | 'copy'

/** Runs a test twice: with the kernel moving the bytes, and with the copying twin. */
export function testOnBothTwins(
  title: string,
  run: (t: ExecutionContext, transfer: TransferMode) => Promise<void>,
): void {
  for (const transfer of ['auto', 'copy'] as const) {
    test(`${title} (transfer: ${transfer})`, (t) => run(t, transfer))
  }
}

/**
 * The engine that moves files: small ones are held in memory, unless everything is to be copied.
 */
export function fileEngine(transfer: TransferMode, size: 'small' | 'large'): string {
  if (transfer === 'copy') return 'copy'
  return size === 'small' ? 'memory' : 'sendfile'
}
