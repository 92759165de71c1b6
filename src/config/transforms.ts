// What a configuration file writes of hooks that read bodies. Types. They stand on proxy() routes
// only, and cost zero-copy there: docs/HOOKS.md.

import type { HandlerLog } from './handler-log.ts'
import type { PathParams } from './path-params.ts'

/** The head of a message whose body passes. */
export interface TransformHead<Params = PathParams> {
  /** Of the request. */
  readonly method: string
  /** That the client asked for. */
  readonly url: string
  /** Of the answer; 0: this is a request. */
  readonly status: number
  /** Of the message as it goes on: changes count until the function returns its stream. */
  readonly headers: Headers
  readonly params: Params
  /** Of the client, as text; 'unix' when it came over a unix socket. */
  readonly clientAddress: string
  readonly requestId: string
  /** Aborted when the client goes away before the answer has ended. */
  readonly signal: AbortSignal
  readonly log: HandlerLog
}

type Bytes = ReadableStream<Uint8Array>

/**
 * Functions of a hook that read bodies, as they come: `transformResponse: (body) =>
 * body.pipeThrough(new CompressionStream('gzip'))`. Bodies of the route pass through JavaScript
 * then: they are not spliced, and lose their length.
 */
export interface TransformHooks<Params = PathParams> {
  /** Gives what goes to the upstream for the body of a request that has one. */
  transformRequest?(body: Bytes, head: TransformHead<Params>): Bytes | Promise<Bytes>
  /** Gives what goes to the client for the body of an upstream's answer that has one. */
  transformResponse?(body: Bytes, head: TransformHead<Params>): Bytes | Promise<Bytes>
}
