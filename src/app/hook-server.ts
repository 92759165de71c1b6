// Answers the questions of workers about requests: each worker has a connection, on which questions
// come in batches and verdicts go back in batches. Runs in the app. What a hook throws is a 500
// with the request's id and a line in the log; nothing that it does may keep the verdicts of
// others.

import { createServer, type Server, type Socket } from 'node:net'
import type { HookVerdict } from '../config/hooks.ts'
import { type HeadSurroundings, QuestionHead } from './hook-head.ts'
import {
  fieldLine,
  noEdits,
  type Question,
  QuestionReader,
  VerdictWriter,
  type WireVerdict,
} from './hook-messages.ts'
import { type VerdictSettings, wireVerdict } from './hook-verdict.ts'
import { asError } from './thrown.ts'

/** A function that decides about requests. */
export type AskedHook = (
  head: QuestionHead,
  question: Question,
) => HookVerdict | undefined | Promise<unknown>

/** What is asked by one number; see config/compile-hooks.ts. */
export interface ServedGroup {
  decide: AskedHook
  head: HeadSurroundings
  verdict: VerdictSettings
}

export class HookServer {
  readonly #server: Server
  readonly #groups: readonly ServedGroup[]
  readonly #version: number
  readonly #connections = new Set<HookConnection>()

  constructor(groups: readonly ServedGroup[], version: number) {
    this.#groups = groups
    this.#version = version
    this.#server = createServer((socket) => this.#accept(socket))
  }

  listen(path: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#server.once('error', reject)
    this.#server.listen({ path, backlog: 1_024 }, resolve)
    return promise
  }

  /** Workers leave when another app has taken over and they have their verdicts. */
  async drain(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    for (const connection of this.#connections) connection.endWhenIdle()
    await promise
  }

  destroy(): void {
    this.#server.close()
    for (const connection of this.#connections) connection.destroy()
  }

  #accept(socket: Socket): void {
    const connection = new HookConnection(socket, this.#groups, this.#version)
    this.#connections.add(connection)
    socket.on('close', () => this.#connections.delete(connection))
  }
}

class HookConnection {
  readonly #socket: Socket
  readonly #groups: readonly ServedGroup[]
  readonly #version: number
  readonly #reader = new QuestionReader()
  readonly #verdicts = new VerdictWriter()
  #isReading = false
  #willFlush = false
  #open = 0
  #endsWhenIdle = false

  constructor(socket: Socket, groups: readonly ServedGroup[], version: number) {
    this.#socket = socket
    this.#groups = groups
    this.#version = version
    socket.on('data', (bytes: Buffer) => this.#receive(bytes))
    // The worker has gone, and asks again elsewhere.
    socket.on('error', () => {})
  }

  endWhenIdle(): void {
    this.#endsWhenIdle = true
    if (this.#open === 0) this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #receive(bytes: Buffer): void {
    this.#isReading = true
    try {
      this.#reader.read(bytes, (question) => this.#take(question))
    } catch {
      this.#socket.destroy()
    }
    this.#isReading = false
    this.#flush()
  }

  #take(question: Question): void {
    this.#open++
    if (question.version !== this.#version) {
      this.#verdicts.outdated(question)
      this.#answered()
      return
    }
    const group = this.#groups[question.group]
    if (group === undefined) {
      this.#fail(question, undefined, new RangeError('no such hook'))
      return
    }
    const head = new QuestionHead(question, group.head)
    try {
      const result = group.decide(head, question)
      if (result === undefined) this.#pass(question)
      else if (isPromise(result)) {
        result.then(
          (verdict) => this.#decided(question, head, group, verdict as HookVerdict | undefined),
          (error) => this.#fail(question, head, error),
        )
      } else this.#decided(question, head, group, result)
    } catch (error) {
      this.#fail(question, head, error)
    }
  }

  #pass(question: Question): void {
    this.#verdicts.pass(question)
    this.#answered()
  }

  #decided(
    question: Question,
    head: QuestionHead,
    group: ServedGroup,
    verdict: HookVerdict | undefined,
  ): void {
    if (verdict === undefined) {
      this.#pass(question)
      return
    }
    try {
      const wire = wireVerdict(verdict, group.verdict)
      if (!isPromise(wire)) this.#say(question, wire)
      else {
        wire.then(
          (later) => this.#say(question, later),
          (error) => this.#fail(question, head, error),
        )
      }
    } catch (error) {
      this.#fail(question, head, error)
    }
  }

  #say(question: Question, verdict: WireVerdict): void {
    this.#verdicts.write(question, verdict)
    this.#answered()
  }

  #fail(question: Question, head: QuestionHead | undefined, error: unknown): void {
    head?.report('error', { err: asError(error) }, 'a hook failed')
    this.#say(question, failure(question.requestId))
  }

  #answered(): void {
    this.#open--
    // Verdicts of one batch go out together, and so do those that come later in one turn.
    if (this.#isReading || this.#willFlush) return
    this.#willFlush = true
    queueMicrotask(() => {
      this.#willFlush = false
      this.#flush()
    })
  }

  #flush(): void {
    const bytes = this.#verdicts.take()
    if (bytes !== undefined && !this.#socket.destroyed) this.#socket.write(bytes)
    if (this.#endsWhenIdle && this.#open === 0) this.#socket.end()
  }
}

function failure(requestId: string): WireVerdict {
  const added = [
    fieldLine('Content-Type', 'text/plain; charset=utf-8'),
    fieldLine('X-Content-Type-Options', 'nosniff'),
    fieldLine('Cache-Control', 'no-store'),
  ].join('')
  return {
    kind: 'failed',
    status: 500,
    remember: 0,
    upstream: undefined,
    request: noEdits,
    response: { removed: '', added },
    target: '',
    claims: '',
    body: `500 Internal Server Error\nrequest ${requestId}\n`,
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | null)?.then === 'function'
}
