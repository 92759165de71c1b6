// What arrives on a raw socket, read piece by piece: up to a mark, a number of bytes, the end.
// Every wait ends with an error that says what had arrived.

import type { Socket } from 'node:net'

// Sanitizer builds are slow; nothing waits this long when all is well.
const patienceMs = 20_000

/** The fields of a head, and how to find one. */
export interface Fields {
  /** Names as received, in order. */
  fields: [string, string][]
  /** Value of a field, any case; several are joined by ', '; undefined when there is none. */
  field(name: string): string | undefined
}

/** A body, and what its framing was. */
export interface Body {
  framing: 'none' | 'length' | 'chunked' | 'close'
  body: Buffer
  /** Fields after a chunked body. */
  trailers: [string, string][]
}

export class ByteReader {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  #chunks: Buffer[] = []
  #ended = false
  #closed = false
  #error: Error | undefined
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#wake()
    })
    socket.on('end', () => this.#finish())
    socket.on('close', () => {
      this.#closed = true
      this.#finish()
    })
    socket.on('error', (error) => this.#finish(error))
  }

  /** Error of the connection, such as ECONNRESET. */
  get error(): Error | undefined {
    return this.#error
  }

  /** Whether the peer has ended or reset the connection. */
  get ended(): boolean {
    return this.#ended
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Ends with RST: what was written may be lost. */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  /** Everything up to the end of the stream. */
  async readToEnd(): Promise<Buffer> {
    while (!this.#ended) await this.#more('the end of the stream')
    this.#gather()
    return this.#take(this.#received.length)
  }

  /** Resolves when the connection is gone on both sides. */
  async closed(): Promise<void> {
    while (!this.#closed) await this.#more('the end of the connection')
  }

  /** Resolves when at least `count` bytes have arrived that nobody has read. */
  async arrived(count: number): Promise<void> {
    while (this.#size() < count && !this.#ended) await this.#more(`${count} bytes`)
  }

  /** Bytes that have arrived and that nobody has read. */
  get unread(): number {
    return this.#size()
  }

  /** Takes and counts whatever has come, so that it is not held: for bodies of gigabytes. */
  drop(): number {
    const size = this.#size()
    this.#received = Buffer.alloc(0)
    this.#chunks = []
    return size
  }

  async takeBytes(count: number): Promise<Buffer> {
    while (this.#size() < count) await this.#more(`${count} bytes`)
    this.#gather()
    return this.#take(count)
  }

  /** Up to the end of `mark`. */
  async takeUntil(mark: string): Promise<Buffer> {
    for (;;) {
      this.#gather()
      const at = this.#received.indexOf(mark)
      if (at >= 0) return this.#take(at + mark.length)
      await this.#more(JSON.stringify(mark))
    }
  }

  /** The first line of a head, and its fields. */
  protected async takeHead(): Promise<{ line: string } & Fields> {
    const block = (await this.takeUntil('\r\n\r\n')).toString('latin1')
    const [line = '', ...lines] = block.slice(0, -4).split('\r\n')
    return { line, ...parseFields(lines) }
  }

  /** A body as `field` frames it; without framing up to the end when `untilEnd`, else none. */
  protected async takeBody(field: Fields['field'], untilEnd: boolean): Promise<Body> {
    const coding = field('transfer-encoding')
    const length = field('content-length')
    if (coding !== undefined) {
      if (coding !== 'chunked') throw new Error(`unexpected Transfer-Encoding: ${coding}`)
      if (length !== undefined) throw new Error('Transfer-Encoding with Content-Length')
      return this.#takeChunks()
    }
    if (length === undefined) {
      if (!untilEnd) return { framing: 'none', body: Buffer.alloc(0), trailers: [] }
      return { framing: 'close', body: await this.readToEnd(), trailers: [] }
    }
    if (!/^\d+$/.test(length)) throw new Error(`bad Content-Length: ${length}`)
    const body = await this.takeBytes(Number(length))
    return { framing: 'length', body, trailers: [] }
  }

  async #takeChunks(): Promise<Body> {
    const parts: Buffer[] = []
    for (;;) {
      const line = (await this.takeUntil('\r\n')).toString('latin1').slice(0, -2)
      if (!/^[0-9a-f]+$/i.test(line)) throw new Error(`not a chunk size: ${JSON.stringify(line)}`)
      const size = Number.parseInt(line, 16)
      if (size === 0) break
      parts.push(await this.takeBytes(size))
      const end = (await this.takeBytes(2)).toString('latin1')
      if (end !== '\r\n') throw new Error(`not the end of a chunk: ${JSON.stringify(end)}`)
    }
    const lines: string[] = []
    for (;;) {
      const line = (await this.takeUntil('\r\n')).toString('latin1').slice(0, -2)
      if (line === '') break
      lines.push(line)
    }
    const { fields: trailers } = parseFields(lines)
    return { framing: 'chunked', body: Buffer.concat(parts), trailers }
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
    if (this.#chunks.length === 0) return
    this.#received = Buffer.concat([this.#received, ...this.#chunks])
    this.#chunks = []
  }

  async #more(wanted: string): Promise<void> {
    if (this.#closed || (this.#ended && wanted !== 'the end of the connection')) {
      throw this.#complaint(`the connection ended before ${wanted}`)
    }
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

function parseFields(lines: readonly string[]): Fields {
  const fields = lines.map((line): [string, string] => {
    const [, name, value] = /^([^\s:]+): (.*)$/.exec(line) ?? []
    if (name === undefined) throw new Error(`not a field line: ${JSON.stringify(line)}`)
    return [name, value ?? '']
  })
  const field = (wanted: string) => {
    const values = fields.filter(([name]) => name.toLowerCase() === wanted.toLowerCase())
    return values.length === 0 ? undefined : values.map(([, value]) => value).join(', ')
  }
  return { fields, field }
}
