// A process of `sluice bench`: gateways with other settings each, one worker each, and what the
// process has used. It does what its parent says and ends with it.

import { readFileSync, writeFileSync } from 'node:fs'
import { files, type GatewayConfig, proxy } from '../../config/actions.ts'
import type { Gateway } from '../../gateway/gateway-types.ts'
import { createGateway } from '../../gateway.ts'
import type { Figures, FromServer, GatewaySettings, ToServer } from './messages.ts'

const gateways = new Map<string, Gateway>()

function send(message: FromServer): void {
  process.send?.(message)
}

function configOf({ root, target, transfer }: GatewaySettings): GatewayConfig {
  // A benchmark asks for nothing else; `files` here is what a site would have.
  const action = target === undefined ? files(root) : proxy(target as `http://${string}`)
  return { listen: 0, workers: 1, transfer, cache: { bytes: '256mb' }, routes: { '/*': action } }
}

async function start(settings: readonly GatewaySettings[]): Promise<void> {
  const ports: Record<string, number> = {}
  for (const one of settings) {
    const gateway = await createGateway(configOf(one))
    gateways.set(one.name, gateway)
    const [address] = await gateway.listen()
    if (address?.kind === 'tcp') ports[one.name] = address.port
  }
  send({ type: 'ready', ports })
}

/** Memory that was resident at the most since the last call, bytes; 0 where nobody tells. */
function peakMemory(): number {
  const [, kilobytes = '0'] =
    /^VmHWM:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  try {
    // proc(5): resets the peak.
    writeFileSync('/proc/self/clear_refs', '5')
  } catch {
    return 0
  }
  return Number(kilobytes) * 1024
}

function figuresOf(name: string): Figures {
  const { user, system } = process.cpuUsage()
  const total = gateways.get(name)?.stats().total
  return {
    cpuUs: user + system,
    syscalls: Object.values(total?.syscalls ?? {}).reduce((sum, count) => sum + count, 0),
    engines: total?.engines ?? {},
    peakBytes: peakMemory(),
  }
}

process.on('message', (message: ToServer) => {
  if (message.type === 'figures') {
    send({ type: 'figures', figures: figuresOf(message.name) })
    return
  }
  start(message.gateways).catch((error: Error) => send({ type: 'failed', message: error.message }))
})
process.on('disconnect', () => process.exit(0))
// Ctrl-C in a terminal goes to the parent, which ends us.
process.on('SIGINT', () => {})
