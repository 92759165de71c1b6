// Handlers beside servers without a gateway in front of them: the same three answers by functions
// of Sluice's app (gateway and app together), by node:http alone, and by Fastify alone.

import { writeFileSync } from 'node:fs'
import type { ServerKind } from '../measuring/servers.ts'
import type { Row } from './rows.ts'

const root = new URL('../..', import.meta.url).pathname
const node = `${root}node_modules/.bin/node`

export const handlerRows: Row[] = [
  { name: 'hello, 64 connections', connections: 64, path: '/hello' },
  { name: 'JSON, 64 connections', connections: 64, path: '/json' },
  { name: '64 KiB, 64 connections', connections: 64, path: '/large' },
]

/** What each of them has at hand. */
const answers = `const large = Buffer.alloc(65536, 'x')
const json = () => ({ id: 7, name: 'somebody', tags: ['a', 'b', 'c'], at: 1764300000000 })
`

const sluice: ServerKind = {
  name: 'handler',
  command: `${root}bin/sluice`,
  configure({ folder, port }) {
    const file = `${folder}/gateway.config.ts`
    writeFileSync(
      file,
      `import { defineGateway, handler } from 'sluice'
${answers}
export default defineGateway({
  listen: ${port},
  workers: 1,
  routes: {
    '/hello': handler(() => new Response('hello, world')),
    '/json': handler(() => Response.json(json())),
    '/large': handler(() => new Response(large)),
  },
})
`,
    )
    return ['run', '--config', file]
  },
}

/** `program`: what listens, given `port`. */
function alone(name: string, program: string): ServerKind {
  return {
    name,
    command: node,
    configure({ folder, port }) {
      const file = `${folder}/server.mjs`
      writeFileSync(file, `const port = ${port}\n${answers}${program}`)
      return [file]
    },
  }
}

/** What the others are compared with. */
export const handlerReference = 'node:http'

export const handlerServers: ServerKind[] = [
  sluice,
  alone(
    handlerReference,
    `import { createServer } from 'node:http'
createServer((request, response) => {
  if (request.url === '/hello') return void response.end('hello, world')
  if (request.url === '/large') return void response.end(large)
  response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify(json()))
}).listen(port, '127.0.0.1')
`,
  ),
  alone(
    'Fastify',
    `import fastify from '${root}node_modules/fastify/fastify.js'
const app = fastify()
app.get('/hello', async () => 'hello, world')
app.get('/json', async () => json())
app.get('/large', async () => large)
await app.listen({ port, host: '127.0.0.1' })
`,
  ),
]
