// Open tunnels and steady load through many reloads that change other routes: nothing is lost. The
// gateway is a process of its own, told by SIGHUP; the clients and the target are here.

import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { ExecutionContext } from 'ava'
import { startSluice } from './command-line.ts'
import { startEcho, Tunnel } from './reloading.ts'
import { makeSite } from './site.ts'
import { inTheBackground, until } from './wait.ts'

export interface SoakSize {
  tunnels: number
  reloads: number
}

export interface SoakOutcome {
  requests: number
  failed: string[]
  growthMiB: number
}

/** What changes: an answer, and every other time a route with an upstream of its own. */
function config(root: string, target: string, round: number): string {
  const more = round % 2 === 0 ? '' : `'/more': proxy('${target}', { balance: 'hash' }),`
  return `import { defineGateway, files, proxy, respond } from 'sluice'
export default defineGateway({
  listen: 0,
  workers: 2,
  timeouts: { drain: '1s' },
  upstreams: { steady: { targets: '${target}' } },
  routes: {
    '/ws': proxy('steady'),
    '/proxied': proxy('steady'),
    '/files/*': files(${JSON.stringify(root)}),
    '/round': respond(200, '${round}'), ${more}
  },
})
`
}

function ask(agent: Agent, port: number, path: string): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  get({ host: '127.0.0.1', port, path, agent }, async (response) => {
    text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject)
  }).on('error', reject)
  return promise
}

function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024
}

export async function soakReloads(t: ExecutionContext, size: SoakSize): Promise<SoakOutcome> {
  const { root } = makeSite(t, { 'a.txt': 'a'.repeat(100), 'b.bin': 'b'.repeat(200_000) })
  const echo = await startEcho(t)
  const folder = makeSite(t, { 'gateway.config.ts': config(root, echo.url, 0) }).root
  const file = join(folder, 'gateway.config.ts')
  const running = startSluice(t, ['--config-timeout', '60s'], { cwd: folder })
  const port = Number(/:(\d+)$/.exec(await running.line())?.[1])
  const tunnels: Tunnel[] = []
  while (tunnels.length < size.tunnels) {
    const some = Array.from({ length: 50 }, () => Tunnel.open(t, port, '/ws'))
    tunnels.push(...(await Promise.all(some.slice(0, size.tunnels - tunnels.length))))
  }
  const outcome: SoakOutcome = { requests: 0, failed: [], growthMiB: 0 }
  let isOver = false
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const client = async () => {
    while (!isOver) {
      for (const target of ['/proxied', '/files/a.txt', '/files/b.bin', '/round']) {
        const { status } = await ask(agent, port, target).catch(({ message: status }) => ({
          status,
        }))
        outcome.requests++
        if (status !== 200) outcome.failed.push(`${target}: ${status}`)
      }
    }
  }
  const clients = Array.from({ length: 4 }, client)
  const pid = running.child.pid ?? 0
  let settledMiB = 0
  for (let round = 1; round <= size.reloads; round++) {
    writeFileSync(file, config(root, echo.url, round))
    running.child.kill('SIGHUP')
    const serves = async () => (await ask(agent, port, '/round')).body === String(round)
    await until(`round ${round}`, serves, inTheBackground)
    if (round === Math.ceil(size.reloads / 5)) settledMiB = residentMiB(pid)
  }
  isOver = true
  await Promise.all(clients)
  outcome.growthMiB = residentMiB(pid) - settledMiB
  for (const tunnel of tunnels) {
    if (!(await tunnel.echoes('still there'))) outcome.failed.push('a tunnel')
  }
  return outcome
}
