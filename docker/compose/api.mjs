// A replica of the API: says who it is. Ends when it is told to.

import { createServer } from 'node:http'
import { hostname } from 'node:os'

const server = createServer((request, response) => {
  response.setHeader('Content-Type', 'application/json')
  response.end(`${JSON.stringify({ replica: hostname(), path: request.url })}\n`)
})
server.listen(3000)
process.on('SIGTERM', () => {
  server.close()
  server.closeIdleConnections()
})
