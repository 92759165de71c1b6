// A client on a raw socket: writes exactly the bytes of a test and reads exactly one response at a
// time, so that framing mistakes show. Every wait ends with an error that says what had arrived.

import { createConnection, type NetConnectOpts, type Socket } from 'node:net'

/** One response as it came over the wire. */
export interface Reply {
  status: number
  reason: string
  /** Names as received, in order. */
  fields: [string, string][]
  /** Value of a field, any case; several are joined by ', '; undefined when there is none. */
  field(name: string): string | undefined
  body: Buffer
}

// Sanitizer builds are slow; nothing waits this long when all is well.
const patienceMs = 20_000

export class RawClient {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  #chunks: Buffer[] = []
  #ended = false
  #error: Error | undefined
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#wake()
    })
    socket.on('end', () => this.#finish())
    socket.on('close', () => this.#finish())
    socket.on('error', (error) => this.#finish(error))
  }

  static async connect(to: NetConnectOpts): Promise<RawClient> {
    const socket = createConnection(to)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new RawClient(socket)
  }

  /** Error of the connection, such as ECONNRESET. */
  get error(): Error | undefined {
    return this.#error
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Writes a request and reads its response. */
  async ask(request: string): Promise<Reply> {
    this.write(request)
    return this.read({ head: request.startsWith('HEAD ') })
  }

  /** Reads the next response; `head`: the request was HEAD, so no body follows. */
  async read({ head = false } = {}): Promise<Reply> {
    const block = (await this.#takeUntil('\r\n\r\n')).toString('latin1')
    const [statusLine = '', ...lines] = block.slice(0, -4).split('\r\n')
    const [, status, reason = ''] = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(statusLine) ?? []
    if (status === undefined) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`)
    const fields = lines.map((line): [string, string] => {
      const [, name, value] = /^([^\s:]+): (.*)$/.exec(line) ?? []
      if (name === undefined) throw new Error(`not a field line: ${JSON.stringify(line)}`)
      return [name, value ?? '']
    })
    const field = (wanted: string) => {
      const values = fields.filter(([name]) => name.toLowerCase() === wanted.toLowerCase())
      return values.length === 0 ? undefined : values.map(([, value]) => value).join(', ')
    }
    const body: Buffer = Buffer.alloc(0)
    const reply = { status: Number(status), reason, fields, field, body }
    const bodiless = head || reply.status < 200 || reply.status === 204 || reply.status === 304
    if (!bodiless) reply.body = await this.#readBody(field)
    return reply
  }

  /** Everything up to the end of the stream. */
  async readToEnd(): Promise<Buffer> {
    while (!this.#ended) await this.#more('the end of the stream')
    this.#gather()
    return this.#take(this.#received.length)
  }

  /** Resolves when at least `count` bytes have arrived that nobody has read. */
  async arrived(count: number): Promise<void> {
    while (this.#size() < count && !this.#ended) await this.#more(`${count} bytes`)
  }

  /** Bytes that have arrived and that nobody has read. */
  get unread(): number {
    return this.#size()
  }

  async #readBody(field: Reply['field']): Promise<Buffer> {
    if (field('transfer-encoding') !== undefined) throw new Error('unexpected Transfer-Encoding')
    const length = field('content-length')
    if (length === undefined) return this.readToEnd()
    if (!/^\d+$/.test(length)) throw new Error(`bad Content-Length: ${length}`)
    while (this.#size() < Number(length)) await this.#more(`a body of ${length} bytes`)
    this.#gather()
    return this.#take(Number(length))
  }

  async #takeUntil(mark: string): Promise<Buffer> {
    for (;;) {
      this.#gather()
      const at = this.#received.indexOf(mark)
      if (at >= 0) return this.#take(at + mark.length)
      await this.#more('a response head')
    }
  }

  #take(count: number): Buffer {
    const taken = this.#received.subarray(0, count)
    this.#received = this.#received.subarray(count)
    return taken
  }

  #size(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, this.#received.length)
  }

  #gather(): void {
    this.#received = Buffer.concat([this.#received, ...this.#chunks])
    this.#chunks = []
  }

  async #more(wanted: string): Promise<void> {
    if (this.#ended) throw this.#complaint(`the connection ended before ${wanted}`)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const late = () => reject(this.#complaint(`waited in vain for ${wanted}`))
    const timer = setTimeout(late, patienceMs)
    this.#wake = resolve
    await promise.finally(() => clearTimeout(timer))
  }

  #complaint(message: string): Error {
    this.#gather()
    const start = this.#received.subarray(0, 300).toString('latin1')
    const cause = this.#error ? ` (${this.#error.message})` : ''
    return new Error(`${message}${cause}; ${this.#size()} bytes: ${JSON.stringify(start)}`)
  }

  #finish(error?: Error): void {
    this.#ended = true
    this.#error ??= error
    this.#wake()
  }
}

/** A request without body; HTTP/1.1 with a Host unless `fields` brings its own. */
export function request(
  target: string,
  fields: Record<string, string> = {},
  method = 'GET',
): string {
  const lines = Object.entries({ Host: 'test', ...fields }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  return [`${method} ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n')
}
