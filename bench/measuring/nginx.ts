// nginx as a server that is measured, as its documentation says it is fast: one worker, no log,
// connections kept without end. What a benchmark serves stands beside that.

import { writeFileSync } from 'node:fs'
import type { Place, ServerKind } from './servers.ts'

export interface NginxSettings {
  /** Lines of `http { }`, with the server. */
  http: string
  /** Lines ahead of all blocks. */
  main?: string
  /** Of its worker, both sides together. */
  connections: number
}

export function nginxConfig(folder: string, { http, main = '', connections }: NginxSettings) {
  return `daemon off;
${main}
worker_processes 1;
pid ${folder}/pid;
error_log ${folder}/error.log;
events { worker_connections ${connections}; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 300;
  keepalive_requests 1000000000;
${http}
}
`
}

export function nginx<P extends Place>(
  name: string,
  settings: (place: P) => NginxSettings,
): ServerKind<P> {
  return {
    name,
    package: 'nginx',
    command: 'nginx',
    configure(place) {
      const file = `${place.folder}/nginx.conf`
      writeFileSync(file, nginxConfig(place.folder, settings(place)))
      return ['-c', file, '-p', place.folder]
    },
  }
}
