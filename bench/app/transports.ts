// Gateways in front of a target that speaks TLS: what Sluice does by itself, undici where it is
// told to, and @fastify/http-proxy, which is undici behind Fastify. The target works on the
// client's core.

import { writeFileSync } from 'node:fs'
import { gateway } from '../measuring/gateway.ts'
import type { Place, ServerKind } from '../measuring/servers.ts'
import type { Row } from './rows.ts'

const root = new URL('../..', import.meta.url).pathname
const node = `${root}node_modules/.bin/node`
const certificates = `${root}test/support/certificates`

export const transportRows: Row[] = [
  { name: '1 KiB over https, 64 connections', connections: 64, path: '/small' },
  { name: '64 KiB over https, 64 connections', connections: 64, path: '/large' },
]

const originPort = 8299

/** The target: its certificate is for 'localhost'. */
export const transportOrigin: ServerKind = {
  name: 'target',
  command: node,
  configure({ folder, port }) {
    const file = `${folder}/target.mjs`
    writeFileSync(
      file,
      `import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
const pem = (name) => readFileSync('${certificates}/' + name)
const small = Buffer.alloc(1024, 'x')
const large = Buffer.alloc(65536, 'x')
const keys = { cert: pem('server.pem'), key: pem('server.key') }
const server = createServer(keys, (request, response) =>
  response.end(request.url === '/small' ? small : large),
)
server.keepAliveTimeout = 0
server.listen(${port}, '127.0.0.1')
`,
    )
    return [file]
  },
}

export const transportPlace: Omit<Place, 'folder'> = { port: originPort }

function sluice(name: string, more: string): ServerKind {
  return gateway(
    name,
    ({ port }) => `import { defineGateway, proxy } from 'sluice'
export default defineGateway({
  listen: ${port},
  workers: 1,
  routes: {
    '/*': proxy('https://localhost:${originPort}', {
      tls: { ca: '${certificates}/ca.pem' },
      ${more}
    }),
  },
})
`,
  )
}

/** What the others are compared with. */
export const transportReference = '@fastify/http-proxy'

const fastify: ServerKind = {
  name: transportReference,
  command: node,
  configure({ folder, port }) {
    const file = `${folder}/server.mjs`
    writeFileSync(
      file,
      `import { readFileSync } from 'node:fs'
import fastify from '${root}node_modules/fastify/fastify.js'
import proxy from '${root}node_modules/@fastify/http-proxy/index.js'
const app = fastify()
await app.register(proxy, {
  upstream: 'https://localhost:${originPort}',
  undici: { connections: 128, connect: { ca: readFileSync('${certificates}/ca.pem') } },
})
await app.listen({ port: ${port}, host: '127.0.0.1' })
`,
    )
    return [file]
  },
}

export const transportServers: ServerKind[] = [
  sluice('sluice', ''),
  sluice('sluice, undici', "transport: 'undici'"),
  sluice('sluice, HTTP/2 allowed', 'allowH2: true'),
  fastify,
]
