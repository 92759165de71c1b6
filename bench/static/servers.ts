// The servers that are compared, each as its own documentation says it is fast: one worker, no
// access log, keep-alive without end, files remembered where it can. Missing ones are left out,
// with a line that names the Debian package.

import { type ChildProcess, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { end, serverCore, startOn } from './quiet.ts'

const root = new URL('../..', import.meta.url).pathname

/** What a server serves, where it may write, and on which port. */
interface Place {
  site: string
  folder: string
  port: number
}

export interface ServerKind {
  name: string
  /** Debian package that has the command; undefined: comes with this repository. */
  package?: string
  command: string
  /** Writes its configuration and returns the arguments. */
  configure(place: Place): string[]
}

export interface RunningServer {
  name: string
  port: number
  pid: number
  stop(): Promise<void>
}

export interface SluiceOptions {
  transfer?: { mode?: 'auto' | 'copy'; memoryBytes?: number }
}

export function sluice(name: string, options: SluiceOptions = {}): ServerKind {
  return {
    name,
    command: `${root}bin/sluice`,
    configure({ site, folder, port }) {
      const config = { listen: port, workers: 1, ...options }
      const file = `${folder}/gateway.config.ts`
      writeFileSync(
        file,
        `import { defineGateway, files } from 'sluice'
export default defineGateway({
  ...${JSON.stringify(config)},
  routes: { '/*': files(${JSON.stringify(site)}) },
})
`,
      )
      return ['run', '--config', file]
    },
  }
}

function nginx(name: string, sendfile: 'on' | 'off'): ServerKind {
  return {
    name,
    package: 'nginx',
    command: 'nginx',
    configure({ site, folder, port }) {
      const file = `${folder}/nginx.conf`
      writeFileSync(
        file,
        `daemon off;
worker_processes 1;
pid ${folder}/pid;
error_log ${folder}/error.log;
events { worker_connections 16000; }
http {
  access_log off;
  default_type application/octet-stream;
  sendfile ${sendfile};
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 300;
  keepalive_requests 1000000000;
  open_file_cache max=10000 inactive=300s;
  open_file_cache_valid 60s;
  open_file_cache_errors on;
  server { listen 127.0.0.1:${port} backlog=4096; root ${site}; }
}
`,
      )
      return ['-c', file, '-p', folder]
    },
  }
}

const h2o: ServerKind = {
  name: 'h2o',
  package: 'h2o',
  command: 'h2o',
  configure({ site, folder, port }) {
    const file = `${folder}/h2o.conf`
    writeFileSync(
      file,
      `num-threads: 1
max-connections: 16000
http1-request-timeout: 300
listen: { host: 127.0.0.1, port: ${port} }
hosts:
  default:
    paths:
      /: { file.dir: ${site} }
`,
    )
    return ['-m', 'worker', '-c', file]
  },
}

const lighttpd: ServerKind = {
  name: 'lighttpd',
  package: 'lighttpd',
  command: 'lighttpd',
  configure({ site, folder, port }) {
    const file = `${folder}/lighttpd.conf`
    writeFileSync(
      file,
      `server.document-root = "${site}"
server.bind = "127.0.0.1"
server.port = ${port}
server.errorlog = "${folder}/error.log"
server.max-connections = 16000
server.max-fds = 20000
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 300
server.listen-backlog = 4096
server.stat-cache-engine = "simple"
mimetype.assign = ( "" => "application/octet-stream" )
`,
    )
    return ['-D', '-f', file]
  },
}

export const peers: ServerKind[] = [
  sluice('sluice'),
  nginx('nginx', 'on'),
  nginx('nginx, sendfile off', 'off'),
  h2o,
  lighttpd,
]

/** Ratios are to nginx, or to the first where it does not take part. */
export function referenceOf(servers: readonly { name: string }[]): string | undefined {
  return servers.find(({ name }) => name === 'nginx')?.name ?? servers[0]?.name
}

/** `command` is the program that client.ts built from floor.cc. */
export function floor(command: string): ServerKind {
  return { name: 'floor', command, configure: ({ site, port }) => [String(port), site] }
}

/** Those that can be started here. */
export function installed(kinds: readonly ServerKind[]): ServerKind[] {
  return kinds.filter(({ name, command, package: debian }) => {
    if (debian === undefined || spawnSync('which', [command]).status === 0) return true
    console.error(`${name} is left out: apt-get install ${debian}`)
    return false
  })
}

/** Starts a server on its core and waits until it accepts. */
export async function start(kind: ServerKind, place: Place): Promise<RunningServer> {
  const folder = `${place.folder}/${kind.name.replaceAll(/\W+/g, '-')}-${place.port}`
  mkdirSync(folder, { recursive: true })
  const child = startOn(serverCore, kind.command, kind.configure({ ...place, folder }))
  let output = ''
  child.stdout?.on('data', (chunk) => (output += chunk))
  child.stderr?.on('data', (chunk) => (output += chunk))
  await accepting(kind.name, place.port, child, () => output)
  return { name: kind.name, port: place.port, pid: child.pid ?? 0, stop: () => end(child) }
}

async function accepting(
  name: string,
  port: number,
  child: ChildProcess,
  output: () => string,
): Promise<void> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    if (await accepts(port)) return
    if (child.exitCode !== null || child.signalCode !== null) break
    await delay(20)
  }
  throw new Error(`${name} does not listen on port ${port}: ${output().trim()}`)
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('connect', () => resolve(true))
  socket.on('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
