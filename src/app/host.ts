// The server that takes the requests of handlers in the app, behind one small interface, so that it
// can be another where that is faster. Everything is by callbacks and flags, as the fastest hosts
// have it: what is read of a request is read before `serve` returns or kept by the host.

/** How a server of this kind is started. */
export interface HostKind {
  readonly name: string
  create(serve: Serve, settings: HostSettings): Host
}

export interface HostSettings {
  /** Bytes of a request head; the gateway's own bound and room for its fields. */
  headBytes: number
}

/** Called for every request; must not throw. */
export type Serve = (exchange: Exchange) => void

/** One server, on one unix socket. */
export interface Host {
  /** Resolves when it accepts connections. */
  listen(path: string): Promise<void>
  /** Takes no more connections; resolves when the last exchange has ended. */
  drain(): Promise<void>
  /** Ends every connection at once. */
  destroy(): void
}

/** Bytes of a request as they come. */
export interface BodySink {
  /** The bytes are the sink's to keep. */
  chunk(bytes: Uint8Array): void
  end(): void
  /** The client went away before the end. */
  fail(): void
}

/** Of a body that is being received. */
export interface BodyFlow {
  pause(): void
  resume(): void
  /** The rest is of no interest. */
  cancel(): void
}

/** A request and the way to answer it; exactly one answer. */
export interface Exchange {
  readonly method: string
  /** Path and query, as they came. */
  readonly target: string
  /** Names and values in turn, as they came; obs-text as Latin-1. */
  readonly rawFields: readonly string[]
  /** The value of a field by its name in lower case; undefined: none. */
  field(name: string): string | undefined
  readonly hasBody: boolean
  /** Begins to receive the body, paused; at most once. */
  receive(sink: BodySink): BodyFlow
  /** The client went away before the answer had ended. */
  readonly isGone: boolean
  /** Called once when that happens. */
  onGone: (() => void) | undefined

  /**
   * The whole answer. `fields`: names and values in turn; framing fields are the host's. `release`
   * is called once when nothing will read the memory of `body` any more; not at all when the
   * connection has ended before.
   */
  answer(
    status: number,
    fields: readonly string[],
    body: Uint8Array | string,
    release?: () => void,
  ): void
  /**
   * The head of an answer whose body follows by write(); `length`: its Content-Length, if known.
   * May be kept until the first bytes of the body, but not after flush().
   */
  begin(status: number, fields: readonly string[], length: string | undefined): void
  flush(): void
  /** false: the client is behind; wait for drained(). */
  write(bytes: Uint8Array): boolean
  /** Resolves when there is room again, or the client has gone. */
  drained(): Promise<void>
  end(): void
  /** The answer cannot be completed: the connection ends so that the other side sees it. */
  abort(): void
}
