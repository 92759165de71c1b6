// The proxies that are compared, each as its own documentation says it is fast: one worker, no log,
// connections to the origin kept, and the fields that an application behind a proxy wants to see.

import { writeFileSync } from 'node:fs'
import { gateway } from '../measuring/gateway.ts'
import { nginx } from '../measuring/nginx.ts'
import type { Place, ServerKind } from '../measuring/servers.ts'

export interface ProxyPlace extends Place {
  /** Where origin.cc listens. */
  origin: number
}

export type ProxyKind = ServerKind<ProxyPlace>

export interface SluiceOptions {
  transfer?: 'copy' | { mode?: 'auto' | 'copy'; spliceBytes?: number }
}

/** `route`: options of proxy(). */
export function sluice(name: string, options: SluiceOptions = {}, route: object = {}): ProxyKind {
  return gateway(name, ({ origin, port }) => {
    const config = { listen: port, workers: 1, ...options }
    return `import { defineGateway, proxy } from 'sluice'
export default defineGateway({
  ...${JSON.stringify(config)},
  routes: { '/*': proxy('http://127.0.0.1:${origin}', ${JSON.stringify(route)}) },
})
`
  })
}

/** `settings`: of buffering, lines of nginx's configuration. */
function nginxOf(name: string, settings: string): ProxyKind {
  return nginx(name, ({ origin, folder, port }) => ({
    connections: 12_000,
    main: 'user root;',
    http: `  client_max_body_size 0;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  map $http_upgrade $upstream_connection { default upgrade; '' ''; }
  upstream origin {
    server 127.0.0.1:${origin};
    keepalive 512;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection $upstream_connection;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      ${settings}
    }
  }`,
  }))
}

/** What carries 100 MiB cheapest in nginx: the bodies in few pieces, nothing on disk. */
const tunedBuffers = `proxy_buffers 8 1m; proxy_buffer_size 1m; proxy_busy_buffers_size 2m;
      proxy_max_temp_file_size 0; client_body_buffer_size 1m; proxy_request_buffering off;`

/** `settings`: of splicing; HAProxy's pipes have 64 KiB if it is not told otherwise. */
function haproxy(name: string, settings: string): ProxyKind {
  return {
    name,
    package: 'haproxy',
    command: 'haproxy',
    configure({ origin, folder, port }) {
      const file = `${folder}/haproxy.cfg`
      writeFileSync(
        file,
        `global
  nbthread 1
  maxconn 12000
  no strict-limits
  tune.pipesize 1048576
defaults
  mode http
  ${settings}
  http-reuse always
  timeout client 300s
  timeout server 300s
  timeout connect 5s
  timeout tunnel 1h
frontend front
  bind 127.0.0.1:${port} backlog 4096
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  default_backend origin
backend origin
  server origin 127.0.0.1:${origin}
`,
      )
      return ['-f', file, '-db']
    },
  }
}

/** Ratios are to this one. */
export const reference = 'HAProxy, splice'

export const proxies: ProxyKind[] = [
  sluice('sluice'),
  sluice('sluice, copy', { transfer: 'copy' }),
  haproxy(reference, 'option splice-request\n  option splice-response'),
  haproxy('HAProxy, splice-auto', 'option splice-auto'),
  nginxOf('nginx', ''),
  nginxOf('nginx, tuned', tunedBuffers),
  nginxOf('nginx, unbuffered', 'proxy_buffering off; proxy_request_buffering off;'),
]

/** The twins, each on its own, and what `auto` makes of them. */
export const engines: ProxyKind[] = [
  sluice('copy', { transfer: 'copy' }),
  sluice('splice', { transfer: { spliceBytes: 0 } }),
  sluice('auto'),
]

/** `command` is the program that was built from origin.cc. */
export function originKind(command: string): ServerKind {
  return { name: 'origin', command, configure: ({ port }) => [String(port)] }
}
