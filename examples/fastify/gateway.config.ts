// A Fastify application and a WebSocket server beside static files: each of them listens on a unix
// socket that the gateway gives it, and gets its requests as they came. Upgrades become tunnels.
//
//   npm install fastify ws
//   sluice run --config examples/fastify/gateway.config.ts

import { createServer } from 'node:http'
import fastify from 'fastify'
import { defineGateway, files, mount } from 'sluice'
import { WebSocketServer } from 'ws'

export default defineGateway({
  listen: 8080,
  routes: {
    '/*': files('../site'),
    '/api/*': mount(async ({ path }) => {
      const app = fastify({ trustProxy: true })
      app.get('/api/hello/:name', async (request) => {
        const { name } = request.params as { name: string }
        return { hello: name, from: request.ip }
      })
      app.post('/api/echo', async (request) => request.body)
      await app.listen({ path })
      return app
    }),
    '/echo': mount(({ path }) => {
      const server = createServer((_request, response) => response.writeHead(426).end())
      const sockets = new WebSocketServer({ server })
      sockets.on('connection', (socket) => {
        socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
      })
      return server.listen(path)
    }),
  },
})
