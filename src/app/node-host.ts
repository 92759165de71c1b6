// The host that is always there: node:http on a unix socket. Deadlines and limits are the gateway's
// business, in front of it: this server has none of its own, or a slow upload would be cut off
// twice.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { BodyFlow, BodySink, Exchange, Host, HostKind, HostSettings, Serve } from './host.ts'

export const nodeHost: HostKind = {
  name: 'node:http',
  create: (serve, settings) => new NodeHost(serve, settings),
}

const drainPauseMs = 50

class NodeHost implements Host {
  readonly #server: Server
  #isDraining = false

  constructor(serve: Serve, { headBytes }: HostSettings) {
    this.#server = createServer(
      { maxHeaderSize: headBytes, requestTimeout: 0, noDelay: false },
      (request, response) => {
        if (this.#isDraining) response.shouldKeepAlive = false
        serve(new NodeExchange(request, response))
      },
    )
    this.#server.headersTimeout = 0
    // Idle connections are closed by the side that opens them, or they would race with requests.
    this.#server.keepAliveTimeout = 0
    this.#server.maxHeadersCount = 0
  }

  listen(path: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#server.once('error', reject)
    this.#server.listen({ path, backlog: 4_096 }, resolve)
    return promise
  }

  drain(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#isDraining = true
    this.#server.close(() => resolve())
    // Connections whose request is answered from now on: they become idle one by one.
    const timer = setInterval(() => this.#server.closeIdleConnections(), drainPauseMs)
    return promise.finally(() => clearInterval(timer))
  }

  destroy(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

class NodeExchange implements Exchange {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  isGone = false
  onGone: (() => void) | undefined

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request
    this.#response = response
    response.on('close', () => {
      if (response.writableFinished) return
      this.isGone = true
      this.onGone?.()
    })
    // A write to a client that has gone; 'close' tells of it.
    response.on('error', () => {})
  }

  get method(): string {
    return this.#request.method ?? ''
  }

  get target(): string {
    return this.#request.url ?? ''
  }

  get rawFields(): readonly string[] {
    return this.#request.rawHeaders
  }

  field(name: string): string | undefined {
    const value = this.#request.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  get hasBody(): boolean {
    const { headers } = this.#request
    if (headers['transfer-encoding'] !== undefined) return true
    return headers['content-length'] !== undefined && headers['content-length'] !== '0'
  }

  receive(sink: BodySink): BodyFlow {
    const request = this.#request
    let isOver = false
    request.on('data', (bytes: Buffer) => {
      if (!isOver) sink.chunk(bytes)
    })
    request.on('end', () => {
      if (!isOver) sink.end()
      isOver = true
    })
    const fail = () => {
      if (!isOver) sink.fail()
      isOver = true
    }
    request.on('error', fail)
    request.on('close', fail)
    request.pause()
    const cancel = () => {
      isOver = true
      request.resume()
    }
    return { pause: () => request.pause(), resume: () => request.resume(), cancel }
  }

  answer(
    status: number,
    fields: readonly string[],
    body: Uint8Array | string,
    release?: () => void,
  ): void {
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
    this.begin(status, fields, String(length))
    const response = this.#response
    if (release === undefined) return void response.end(body)
    // Written to the socket, and not only given up.
    response.end(body, () => {
      if (response.writableFinished && !response.destroyed) release()
    })
  }

  begin(status: number, fields: readonly string[], length: string | undefined): void {
    const framed = length === undefined ? fields : [...fields, 'Content-Length', length]
    this.#response.writeHead(status, framed as string[])
  }

  flush(): void {
    this.#response.flushHeaders()
  }

  write(bytes: Uint8Array): boolean {
    return this.#response.write(bytes)
  }

  drained(): Promise<void> {
    const response = this.#response
    if (!response.writableNeedDrain || response.destroyed) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
    return promise
  }

  end(): void {
    this.#response.end()
  }

  abort(): void {
    this.#request.socket.destroy()
  }
}
