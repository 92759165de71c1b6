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
import type { Serve } from './host.ts'
import { type HeldExchanges, QuestionExchange } from './question-exchange.ts'
import { asError } from './thrown.ts'

/** A function that decides about requests. */
export type AskedHook = (
  head: QuestionHead,
  question: Question,
) => HookVerdict | undefined | Promise<unknown>

/** What is asked by one number; see config/compile-hooks.ts. */
export type ServedGroup = ServedHooks | ServedHandler

export interface ServedHooks {
  decide: AskedHook
  head: HeadSurroundings
  verdict: VerdictSettings
}

/** A function that answers. */
export interface ServedHandler {
  handle: Serve
}

export class HookServer {
  readonly #server: Server
  readonly #groups: readonly ServedGroup[]
  readonly #version: number
  readonly #held: HeldExchanges
  readonly #connections = new Set<HookConnection>()

  constructor(groups: readonly ServedGroup[], version: number, held: HeldExchanges) {
    this.#groups = groups
    this.#version = version
    this.#held = held
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
    const connection = new HookConnection(socket, this.#groups, this.#version, this.#held)
    this.#connections.add(connection)
    socket.on('close', () => this.#connections.delete(connection))
  }
}

/** A question with whoever answers it. */
interface Handling {
  question: Question
  exchange: QuestionExchange
}

class HookConnection {
  readonly #socket: Socket
  readonly #groups: readonly ServedGroup[]
  readonly #version: number
  readonly #held: HeldExchanges
  /** Handlers that have not answered, by the slot of their question. */
  readonly #handling = new Map<number, Handling>()
  readonly #reader = new QuestionReader()
  readonly #verdicts = new VerdictWriter()
  #isReading = false
  #willFlush = false
  #open = 0
  #endsWhenIdle = false

  constructor(
    socket: Socket,
    groups: readonly ServedGroup[],
    version: number,
    held: HeldExchanges,
  ) {
    this.#held = held
    this.#socket = socket
    this.#groups = groups
    this.#version = version
    socket.on('data', (bytes: Buffer) => this.#receive(bytes))
    // The worker has gone, and asks again elsewhere.
    socket.on('error', () => {})
    socket.on('close', () => {
      for (const { exchange } of this.#handling.values()) exchange.leave()
      this.#handling.clear()
    })
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
      this.#reader.read(
        bytes,
        (question) => this.#take(question),
        (slot, serial) => this.#withdraw(slot, serial),
      )
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
    if ('handle' in group) {
      this.#handle(question, group)
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

  #handle(question: Question, { handle }: ServedHandler): void {
    const { slot } = question
    const exchange = new QuestionExchange(question, this.#held, (verdict) => {
      if (this.#handling.get(slot)?.exchange !== exchange) return
      this.#handling.delete(slot)
      this.#say(question, verdict)
    })
    this.#handling.set(slot, { question, exchange })
    handle(exchange)
  }

  /** The client has gone; the worker keeps the slot until it has heard something. */
  #withdraw(slot: number, serial: number): void {
    const handling = this.#handling.get(slot)
    if (handling === undefined || handling.question.serial !== serial) return
    this.#handling.delete(slot)
    this.#pass(handling.question)
    handling.exchange.leave()
  }

  #pass(question: Question): void {
    this.#verdicts.pass(question)
    this.#answered()
  }

  #decided(
    question: Question,
    head: QuestionHead,
    group: ServedHooks,
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
    // After all that a turn has settled.
    process.nextTick(() => {
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
