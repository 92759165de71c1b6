// What others wait for while JavaScript is blocked: `npm run bench:app -- --isolation`. A client
// asks at half the rate that the server can serve, for a remembered file and for a proxied body of
// 64 KiB; quiet rounds take turns with rounds in which the app, or the main thread, is in a loop.
// The loop has the lowest priority: what is asked is who waits for it, not who shares its core.

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ask, Client, compile } from '../measuring/client.ts'
import { median } from '../measuring/measure.ts'
import { type Latency, PacedClient } from '../measuring/paced.ts'
import { processTree } from '../measuring/process-tree.ts'
import { clientCore, describeMachine, raisePriority, startSpinners } from '../measuring/quiet.ts'
import { table } from '../measuring/report.ts'
import { commit, type RunningServer, type ServerKind, start } from '../measuring/servers.ts'
import { originKind } from '../proxy/servers.ts'

const root = new URL('../..', import.meta.url).pathname
const port = 8300
const originPort = 8199
const connections = 16
const blockMs = 1_500

/** Main thread and app block themselves when they are told to. */
const server: ServerKind = {
  name: 'sluice',
  command: `${root}node_modules/.bin/node`,
  configure({ folder }) {
    mkdirSync(`${folder}/site`)
    writeFileSync(`${folder}/site/1k.bin`, Buffer.alloc(1024, 'x'))
    writeFileSync(
      `${folder}/gateway.config.ts`,
      `import { defineGateway, files, handler, proxy } from 'sluice'
export default defineGateway({
  listen: ${port},
  workers: 1,
  timeouts: { appHang: '1m' },
  routes: {
    '/*': files('site'),
    '/proxied/*': proxy('http://127.0.0.1:${originPort}', { stripPrefix: '/proxied' }),
    '/block': handler(() => {
      const end = Date.now() + ${blockMs}
      while (Date.now() < end);
      return new Response('over')
    }),
  },
})
`,
    )
    const file = `${folder}/server.mjs`
    writeFileSync(
      file,
      `import { createGateway } from '${root}src/index.ts'
process.on('SIGUSR2', () => {
  const end = Date.now() + ${blockMs}
  while (Date.now() < end);
})
const gateway = await createGateway({ configFile: '${folder}/gateway.config.ts' })
await gateway.listen()
`,
    )
    return [file]
  },
}

/** Within one time of being blocked. */
const seconds = (blockMs - 500) / 1_000

const requestFor = (path: string) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`

/** Has the main thread (or the app) in a loop; resolves when that has begun. */
async function block(who: 'app' | 'main thread', { pid }: RunningServer) {
  const target = who === 'app' ? (processTree(pid)[1] ?? pid) : pid
  spawnSync('chrt', ['--idle', '-p', '0', String(target)])
  const isOver =
    who === 'app'
      ? new Promise((resolve) => get({ port, path: '/block', agent: false }, resolve))
      : delay(blockMs + 300)
  if (who === 'main thread') process.kill(pid, 'SIGUSR2')
  await delay(150)
  return async () => {
    await isOver
    spawnSync('chrt', ['--other', '-p', '0', String(target)])
  }
}

async function measure(folder: string, running: RunningServer, rounds: number) {
  const paced = new PacedClient(folder)
  const client = new Client(folder)
  const lines: string[][] = []
  const paths = { 'remembered file of 1 KiB': '/1k.bin', 'proxied, 64 KiB': '/proxied/65536' }
  for (const [name, path] of Object.entries(paths)) {
    const load = await client.run([requestFor(path)], connections, running, 1)
    const rate = load.answers / load.seconds / 2
    const pace = () => paced.run(port, requestFor(path), { connections, rate, seconds })
    const quiet: Latency[] = []
    const blocked = { app: [] as Latency[], 'main thread': [] as Latency[] }
    for (let round = 0; round < rounds; round += 1) {
      console.error(`measuring: ${name}, round ${round + 1} of ${rounds}`)
      quiet.push(await pace())
      for (const who of ['app', 'main thread'] as const) {
        const over = await block(who, running)
        blocked[who].push(await pace())
        await over()
      }
    }
    const p99 = (of: Latency[]) => median(of.map((one) => one.p99))
    const us = (value: number) => `${Math.round(value)} µs`
    const ratio = (of: Latency[]) => (p99(of) / p99(quiet)).toFixed(2)
    const { app, 'main thread': main } = blocked
    const figures = [us(p99(quiet)), us(p99(app)), ratio(app), us(p99(main)), ratio(main)]
    lines.push([`${name}, ${Math.round(rate).toLocaleString('en')}/s`, ...figures])
  }
  return lines
}

export async function measureIsolation(rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  chmodSync(folder, 0o755)
  try {
    const program = compile(new URL('../proxy/origin.cc', import.meta.url), folder)
    const origin = await start(originKind(program), { folder, port: originPort }, clientCore)
    const running = await start(server, { folder, port })
    await ask(port, '/1k.bin')
    // The app is a session, and so a scheduling group, of its own.
    for (const child of processTree(running.pid).slice(1)) raisePriority(child, 19)
    const stopSpinners = startSpinners()
    try {
      const lines = await measure(folder, running, rounds)
      const { cpu, cores, kernel, load } = describeMachine()
      const head = ['99th percentile', 'quiet', 'app blocked', '', 'main thread blocked', '']
      console.log(`${new Date().toISOString().slice(0, 10)}, commit ${commit()}, ${process.version}.
${cpu}, ${cores} cores, Linux ${kernel}; load before: ${load}.\n\n${table(head, lines)}`)
    } finally {
      stopSpinners()
      await Promise.all([running.stop(), origin.stop()])
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
