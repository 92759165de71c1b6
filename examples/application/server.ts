// A small application without dependencies: notes in memory by JSON, a stream of events, a page of
// its own, and a WebSocket that says everything back. It knows nothing of the gateway before it.

import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { echoFrames } from './websocket.ts'

interface Note {
  id: number
  text: string
}

const notes: Note[] = []
const listeners = new Set<ServerResponse>()

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

const routes: Record<string, Handler> = {
  'GET /healthz': (_request, response) => void response.end('ok'),
  'GET /notes': (_request, response) => json(response, 200, notes),
  'POST /notes': addNote,
  'GET /events': follow,
  'GET /hello': (request, response) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8')
    response.end(`<p>Hello, ${String(request.headers['x-forwarded-for']).replace(/[^\w.:]/g, '')}.`)
  },
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
}

async function addNote(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const note = { id: notes.length + 1, text: await text(request) }
  notes.push(note)
  for (const listener of listeners) listener.write(`data: ${JSON.stringify(note)}\n\n`)
  json(response, 201, note)
}

/** Every new note, as it comes. */
function follow(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' })
  response.write(': connected\n\n')
  listeners.add(response)
  response.on('close', () => listeners.delete(response))
}

const server = createServer((request, response) => {
  const path = request.url?.split('?')[0]
  const handler = routes[`${request.method} ${path}`]
  if (handler === undefined) json(response, 404, { error: 'not found', path })
  else Promise.resolve(handler(request, response)).catch(() => response.destroy())
})

server.on('upgrade', (request: IncomingMessage, socket, head: Buffer) => {
  const key = request.headers['sec-websocket-key']
  if (request.url !== '/echo' || key === undefined) return void socket.destroy()
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Connection: Upgrade',
    'Upgrade: websocket',
    `Sec-WebSocket-Accept: ${accept.digest('base64')}`,
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  echoFrames(socket, head)
})

server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : address
  console.log(`application on http://127.0.0.1:${port}`)
})
