// The servers that are compared, each as its own documentation says it is fast: one worker, no
// access log, keep-alive without end, files remembered where it can.

import { writeFileSync } from 'node:fs'
import { gateway } from '../measuring/gateway.ts'
import { nginx } from '../measuring/nginx.ts'
import type { Place, ServerKind } from '../measuring/servers.ts'

export interface StaticPlace extends Place {
  /** The folder that is served. */
  site: string
}

type StaticServer = ServerKind<StaticPlace>

export interface SluiceOptions {
  workers?: number
  transfer?: { mode?: 'auto' | 'copy'; memoryBytes?: number }
  accessLog?: { to: { file: string }; format?: 'json' | 'combined' }
}

export function sluice(name: string, options: SluiceOptions = {}): StaticServer {
  return gateway(name, ({ site, port }) => {
    const config = { listen: port, workers: 1, ...options }
    return `import { defineGateway, files } from 'sluice'
export default defineGateway({
  ...${JSON.stringify(config)},
  routes: { '/*': files(${JSON.stringify(site)}) },
})
`
  })
}

function nginxOf(name: string, sendfile: 'on' | 'off'): StaticServer {
  return nginx(name, ({ site, port }) => ({
    connections: 16_000,
    http: `  default_type application/octet-stream;
  sendfile ${sendfile};
  tcp_nopush on;
  open_file_cache max=10000 inactive=300s;
  open_file_cache_valid 60s;
  open_file_cache_errors on;
  server { listen 127.0.0.1:${port} backlog=4096; root ${site}; }`,
  }))
}

const h2o: StaticServer = {
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

const lighttpd: StaticServer = {
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

export const peers: StaticServer[] = [
  sluice('sluice'),
  nginxOf('nginx', 'on'),
  nginxOf('nginx, sendfile off', 'off'),
  h2o,
  lighttpd,
]

/** Ratios are to nginx, or to the first where it does not take part. */
export function referenceOf(servers: readonly { name: string }[]): string | undefined {
  return servers.find(({ name }) => name === 'nginx')?.name ?? servers[0]?.name
}

/** `command` is the program that was built from floor.cc. */
export function floor(command: string): StaticServer {
  return { name: 'floor', command, configure: ({ site, port }) => [String(port), site] }
}
