// The admin listener: node:http on the main thread, far from the workers, with bounds on everything
// that somebody who connects can do. Finds the endpoint, checks who asks, writes the answer.
// Must never be reached by the clients of the gateway, and never throws into it.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import type { ResolvedAdmin } from '../config/resolved-admin.ts'
import type { InheritedSocket } from '../native/inheritance.ts'
import { LoopLag } from '../telemetry/loop-lag.ts'
import {
  type AdminCall,
  AdminInputError,
  type AdminReply,
  type Endpoint,
  endpoints,
  refusal,
} from './endpoints.ts'
import { Guesses } from './guesses.ts'
import { type AdminSocket, bindAdmin } from './sockets.ts'
import type { AdminSubject } from './subject.ts'
import { judge } from './token.ts'

const mostConnections = 64
const longestBody = 64 * 1024
const limits = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_500,
}

export class AdminServer {
  readonly #options: ResolvedAdmin
  readonly #subject: AdminSubject
  readonly #lag = new LoopLag()
  readonly #guesses: Guesses
  #listening: { server: Server; socket: AdminSocket }[] = []

  constructor(options: ResolvedAdmin, subject: AdminSubject) {
    this.#options = options
    this.#subject = subject
    this.#guesses = new Guesses(subject.logger)
  }

  /** Binds; all or nothing. Rejects with an AdminListenError. */
  async listen(inherited: InheritedSocket[]): Promise<void> {
    const sockets = bindAdmin(this.#options, inherited)
    this.#listening = sockets.map((socket) => ({ server: this.#server(socket), socket }))
    await Promise.all(this.#listening.map(({ server, socket }) => start(server, socket.fd)))
  }

  /** Where it is. */
  sockets(): readonly AdminSocket[] {
    return this.#listening.map(({ socket }) => socket)
  }

  /** For a successor. */
  inheritable(): InheritedSocket[] {
    return this.sockets().map(({ fd, address }) => ({ fd, address }))
  }

  /** A successor answers from now on; the paths are its own. */
  leave(): void {
    for (const { server, socket } of this.#listening) {
      socket.inode = 0
      server.close()
    }
  }

  /** Ends at once; what is being written is cut off after a moment. */
  close(): void {
    this.#lag.stop()
    for (const { server, socket } of this.#listening.splice(0)) {
      server.close()
      socket.hide()
      server.closeIdleConnections()
      setTimeout(() => server.closeAllConnections(), 1_000).unref()
    }
  }

  #server(socket: AdminSocket): Server {
    const server = createServer(limits, (request, response) => {
      this.#answer(request, socket.address.kind === 'tcp').then(
        (reply) => write(request, response, reply),
        (error) => this.#fail(request, response, error),
      )
    })
    server.maxConnections = mostConnections
    return server
  }

  async #answer(request: IncomingMessage, isTcp: boolean): Promise<AdminReply> {
    const { method = '', url = '' } = request
    const [path = ''] = url.split('?')
    // A page elsewhere whose name has come to mean this address must not read what is here.
    if (isTcp && !this.#isKnownHost(request.headers.host ?? '')) {
      return { status: 421, body: { error: 'unknown Host: name it in admin.hosts' } }
    }
    if (path === '/') return { status: 200, body: { endpoints: endpoints.map(listed) } }
    const matching = endpoints.filter((endpoint) => nameIn(endpoint, path) !== undefined)
    if (matching.length === 0) return { status: 404, body: { error: 'there is no such endpoint' } }
    const asked = method === 'HEAD' ? 'GET' : method
    const endpoint = matching.find((candidate) => candidate.method === asked)
    if (endpoint === undefined) {
      return {
        status: 405,
        body: { error: `allowed: ${matching.map((m) => m.method).join(', ')}` },
      }
    }
    if (!endpoint.isOpen) {
      const verdict = await judge(request.headers.authorization, this.#options.tokenFile)
      if (!verdict.allowed) {
        const isGuess = verdict.status === 401 && request.headers.authorization !== undefined
        if (isGuess) this.#guesses.note(request.socket.remoteAddress ?? '')
        return { status: verdict.status, body: { error: verdict.reason } }
      }
    }
    const name = nameIn(endpoint, path) ?? ''
    const body = endpoint.method === 'GET' ? {} : await readBody(request)
    const [subject, lag, { count: guesses }] = [this.#subject, this.#lag, this.#guesses]
    return this.#perform(endpoint, { subject, lag, guesses, name, body })
  }

  async #perform(endpoint: Endpoint, call: AdminCall): Promise<AdminReply> {
    const reply = await endpoint.answer(call)
    if (endpoint.method !== 'GET') {
      const fields = { code: 'admin', endpoint: endpoint.path, name: call.name, body: call.body }
      this.#subject.logger.info(fields, `an operator asked for ${endpoint.path}`)
    }
    return reply
  }

  #isKnownHost(host: string): boolean {
    const name = host
      .replace(/:\d*$/, '')
      .replace(/^\[(.*)\]$/, '$1')
      .toLowerCase()
    if (isIP(name) !== 0 || (name !== '' && !name.includes('.'))) return true
    return name === hostname().toLowerCase() || this.#options.hosts.includes(name)
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const reply = refusal(error)
    if (reply === undefined) {
      const fields = { code: 'internal-error', err: error }
      this.#subject.logger.error(fields, `the admin listener cannot answer ${request.url}`)
    }
    write(request, response, reply ?? { status: 500, body: { error: 'see the log' } })
  }
}

function start(server: Server, fd: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ fd }, () => {
    server.off('error', reject)
    server.on('error', () => {})
    resolve()
  })
  return promise
}

function listed({ method, path, isOpen = false, summary }: Endpoint) {
  return { method, path, token: !isOpen, summary }
}

/** What `:name` of its path stands for; '' where it has none; undefined: another path. */
function nameIn({ path }: Endpoint, asked: string): string | undefined {
  const pattern = path.split('/')
  const segments = asked.split('/')
  if (pattern.length !== segments.length) return undefined
  let name = ''
  for (const [index, segment] of segments.entries()) {
    if (pattern[index] === ':name') name = decoded(segment)
    else if (pattern[index] !== segment) return undefined
  }
  return name
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes > longestBody) throw new AdminInputError(`the body is over ${longestBody} bytes`)
    chunks.push(chunk)
  }
  if (bytes === 0) return {}
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString())
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>
    }
  } catch {
    // Said below.
  }
  throw new AdminInputError('the body is a JSON object')
}

function write(request: IncomingMessage, response: ServerResponse, reply: AdminReply): void {
  const { status, body, type } = reply
  const isText = typeof body === 'string'
  const text = isText ? body : `${JSON.stringify(body, null, 2)}\n`
  response.statusCode = status
  const usual = isText ? 'text/plain; charset=utf-8' : 'application/json'
  response.setHeader('Content-Type', type ?? usual)
  response.setHeader('Content-Length', Buffer.byteLength(text))
  response.setHeader('Cache-Control', 'no-store')
  response.setHeader('X-Content-Type-Options', 'nosniff')
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer')
  // What was not read of a refused body is not worth reading.
  if (!request.complete) response.setHeader('Connection', 'close')
  response.end(request.method === 'HEAD' ? undefined : text)
}
