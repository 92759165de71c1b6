// A request that a handler is asked about over the channel of hooks (hook-server.ts): a small
// answer that is whole goes back as a verdict. Any other is held: the verdict says so, the worker
// comes for it over the handlers' socket, and from then on this is that exchange. Runs in the app.
// A held answer that nobody comes for must not live on.

import { heldField, ownPrefix } from './contract.ts'
import { entriesOf, fieldIn, noEdits, type Question, type WireVerdict } from './hook-messages.ts'
import type { BodyFlow, BodySink, Exchange } from './host.ts'

/** Of a body; larger ones are cheaper over the socket. Tests have none go as verdicts. */
export const verdictBound = { bytes: 16 * 1024 }

const mostLineBytes = 32 * 1024
/** More than workers wait for a connection to the app. */
const fetchPatienceMs = 30_000

const plain: Omit<WireVerdict, 'kind' | 'status'> = {
  remember: 0,
  upstream: undefined,
  request: noEdits,
  response: noEdits,
  target: '',
  claims: '',
  body: '',
}

/** Answers that wait for their requests, by number. */
export class HeldExchanges {
  readonly #held = new Map<string, QuestionExchange>()
  #last = 0

  hold(exchange: QuestionExchange): string {
    const number = String(++this.#last)
    this.#held.set(number, exchange)
    const timer = setTimeout(() => {
      if (this.#held.delete(number)) exchange.leave()
    }, fetchPatienceMs)
    timer.unref()
    return number
  }

  /** Whose request it is gets it; false: its handler has to be asked. */
  fetch(number: string, exchange: Exchange): boolean {
    const held = this.#held.get(number)
    this.#held.delete(number)
    held?.attach(exchange)
    return held !== undefined
  }
}

export class QuestionExchange implements Exchange {
  readonly hasBody = false
  readonly #question: Question
  readonly #held: HeldExchanges
  readonly #say: (verdict: WireVerdict) => void
  readonly #attached = Promise.withResolvers<void>()
  #fields: string | undefined
  #target: string | undefined
  #isGone = false
  onGone: (() => void) | undefined
  #real: Exchange | undefined
  /** What was done before there was a real one. */
  #done: ((real: Exchange) => void)[] = []
  #isHeld = false

  /** `say` is called at most once. */
  constructor(question: Question, held: HeldExchanges, say: (verdict: WireVerdict) => void) {
    this.#question = question
    this.#held = held
    this.#say = say
  }

  get method(): string {
    return this.#question.method
  }

  get target(): string {
    this.#target ??= this.#question.target
    return this.#target
  }

  get rawFields(): readonly string[] {
    return entriesOf(this.#text).flat()
  }

  get #text(): string {
    this.#fields ??= this.#question.fields
    return this.#fields
  }

  get isGone(): boolean {
    return this.#isGone
  }

  field(name: string): string | undefined {
    return fieldIn(this.#text, name)
  }

  receive(sink: BodySink): BodyFlow {
    sink.end()
    return { pause() {}, resume() {}, cancel() {} }
  }

  /** The client has gone, or nobody comes for the answer. */
  leave(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#done = []
    this.onGone?.()
    this.#attached.resolve()
  }

  /** The request that was to fetch the answer is there. */
  attach(real: Exchange): void {
    this.#real = real
    if (real.isGone) {
      this.leave()
      return
    }
    real.onGone = () => this.leave()
    const done = this.#done
    this.#done = []
    for (const act of done) act(real)
    this.#attached.resolve()
  }

  answer(
    status: number,
    fields: readonly string[],
    body: Uint8Array | string,
    release?: () => void,
  ): void {
    const size = body.length
    const isSmall =
      typeof body === 'string' ? size * 3 <= verdictBound.bytes : size <= verdictBound.bytes
    const lines = isSmall ? linesOf(fields) : undefined
    if (lines === undefined || this.#isHeld) {
      this.#act((real) => real.answer(status, fields, body, release))
      return
    }
    this.#say({ ...plain, kind: 'answer', status, response: { removed: '', added: lines }, body })
    release?.()
  }

  begin(status: number, fields: readonly string[], length: string | undefined): void {
    this.#act((real) => real.begin(status, fields, length))
  }

  flush(): void {
    this.#act((real) => real.flush())
  }

  write(bytes: Uint8Array): boolean {
    if (this.#real !== undefined) return this.#real.write(bytes)
    this.#act((real) => real.write(bytes))
    return false
  }

  async drained(): Promise<void> {
    await this.#attached.promise
    if (!this.#isGone) await this.#real?.drained()
  }

  end(): void {
    this.#act((real) => real.end())
  }

  abort(): void {
    this.#act((real) => real.abort())
  }

  #act(act: (real: Exchange) => void): void {
    if (this.#real !== undefined) {
      act(this.#real)
      return
    }
    if (this.#isGone) return
    this.#done.push(act)
    if (this.#isHeld) return
    this.#isHeld = true
    const added = `${heldField}: ${this.#held.hold(this)}\r\n`
    this.#say({ ...plain, kind: 'change', status: 0, request: { removed: '', added } })
  }
}

/** Names and values in turn as lines; undefined: the gateway has to look at them on its own way. */
function linesOf(fields: readonly string[]): string | undefined {
  let lines = ''
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at] ?? ''
    const lower = name.toLowerCase()
    if (lower === 'date' || lower === 'content-length' || lower.startsWith(ownPrefix)) return
    lines += `${name}: ${fields[at + 1]}\r\n`
  }
  // A verdict beyond all bounds would end the channel, with the questions of others.
  return lines.length <= mostLineBytes ? lines : undefined
}
