// Handlers, gateway and app together, beside a bare Fastify behind nginx, which is what one would
// run otherwise; and beside Fastify, Hono and node:http with nothing in front of them. The same
// answers from all.

import { writeFileSync } from 'node:fs'
import { gateway } from '../measuring/gateway.ts'
import { type NginxSettings, nginxConfig } from '../measuring/nginx.ts'
import type { Place, ServerKind } from '../measuring/servers.ts'
import type { Row } from './rows.ts'

const root = new URL('../..', import.meta.url).pathname
const node = `${root}node_modules/.bin/node`

export const handlerRows: Row[] = [
  { name: 'hello, 64 connections', connections: 64, path: '/hello' },
  { name: 'JSON, 64 connections', connections: 64, path: '/json' },
  { name: '64 KiB, 64 connections', connections: 64, path: '/large' },
  { name: 'a stream of 16 events, 64 connections', connections: 64, path: '/events' },
]

/** What each of them has at hand; events come in a turn of the loop each. */
const answers = `const large = Buffer.alloc(65536, 'x')
const json = () => ({ id: 7, name: 'somebody', tags: ['a', 'b', 'c'], at: 1764300000000 })
const event = new TextEncoder().encode('data: ' + 'x'.repeat(56) + '\\n\\n')
const eventFields = { 'Content-Type': 'text/event-stream', 'Content-Length': '1024' }
async function* events() {
  for (let at = 0; at < 16; at++) {
    await new Promise((resolve) => setImmediate(resolve))
    yield event
  }
}
`

const sluice = gateway(
  'handler',
  ({ port }) => `import { defineGateway, handler } from 'sluice'
${answers}
export default defineGateway({
  listen: ${port},
  workers: 1,
  routes: {
    '/hello': handler(() => new Response('hello, world')),
    '/json': handler(() => Response.json(json())),
    '/large': handler(() => new Response(large)),
    '/events': handler(() => new Response(ReadableStream.from(events()), { headers: eventFields })),
  },
})
`,
)

/** `program`: what listens, given `place`. */
function alone(name: string, program: string): ServerKind {
  return {
    name,
    command: node,
    configure({ folder, port }) {
      const file = `${folder}/server.mjs`
      const place = `const place = { port: ${port}, host: '127.0.0.1' }\n`
      writeFileSync(file, `${place}${answers}${program}`)
      return [file]
    },
  }
}

const fastify = `import { Readable } from 'node:stream'
import fastify from '${root}node_modules/fastify/fastify.js'
const app = fastify()
app.get('/hello', async () => 'hello, world')
app.get('/json', async () => json())
app.get('/large', async () => large)
app.get('/events', (request, reply) => reply.headers(eventFields).send(Readable.from(events())))
await app.listen(place)
`

const hono = `import { serve } from '${root}node_modules/@hono/node-server/dist/index.mjs'
import { Hono } from '${root}node_modules/hono/dist/index.js'
const app = new Hono()
app.get('/hello', (c) => c.text('hello, world'))
app.get('/json', (c) => c.json(json()))
app.get('/large', (c) => c.body(large))
app.get('/events', (c) => c.body(ReadableStream.from(events()), 200, eventFields))
serve({ fetch: app.fetch, port: place.port, hostname: place.host })
`

const nodeHttp = `import { createServer } from 'node:http'
import { Readable } from 'node:stream'
createServer((request, response) => {
  if (request.url === '/hello') return void response.end('hello, world')
  if (request.url === '/large') return void response.end(large)
  if (request.url === '/events') {
    response.writeHead(200, eventFields)
    return void Readable.from(events()).pipe(response)
  }
  response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify(json()))
}).listen(place)
`

/** In front of an application: connections kept, bodies in few pieces. */
function settingsOf({ folder, port }: Place): NginxSettings {
  return {
    connections: 12_000,
    main: 'user root;\nmaster_process off;',
    http: `  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  upstream app {
    server unix:${folder}/app.sock;
    keepalive 512;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection '';
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_buffers 8 1m; proxy_buffer_size 1m; proxy_busy_buffers_size 2m;
      proxy_max_temp_file_size 0;
      location = /events { proxy_pass http://app; proxy_buffering off; }
    }
  }`,
  }
}

/** On a unix socket, which costs both sides less than the loopback. */
function behindNginx(name: string, program: string): ServerKind {
  return {
    name,
    package: 'nginx',
    command: node,
    configure(place) {
      const { folder } = place
      const file = `${folder}/server.mjs`
      writeFileSync(`${folder}/nginx.conf`, nginxConfig(folder, settingsOf(place)))
      const where = `const place = { path: '${folder}/app.sock' }\n`
      const nginx = `import { spawn } from 'node:child_process'
const arguments_ = ['--pdeathsig', 'KILL', 'nginx', '-c', '${folder}/nginx.conf', '-p', '${folder}']
spawn('setpriv', arguments_, { stdio: 'inherit' })
`
      writeFileSync(file, `${where}${answers}${program}${nginx}`)
      return [file]
    },
  }
}

/** What the others are compared with. */
export const handlerReference = 'nginx + Fastify'

export const handlerServers: ServerKind[] = [
  sluice,
  behindNginx(handlerReference, fastify),
  behindNginx('nginx + node:http', nodeHttp),
  alone('Fastify', fastify),
  alone('Hono', hono),
  alone('node:http', nodeHttp),
]
