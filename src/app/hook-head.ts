// The head of a request as hooks see it: read from the bytes of a question when it is asked for.
// Runs in the app.

import type { HandlerLog, PathParams } from '../config/functions.ts'
import type { RequestHead } from '../config/hooks.ts'
import type { AppLog } from './call.ts'
import { entriesOf, fieldIn, type Question } from './hook-messages.ts'
import type { ReadParams } from './params.ts'

/** What all questions of a group have in common. */
export interface HeadSurroundings {
  routeKey: string
  params: ReadParams
  log: AppLog
  /** Header fields that a remembered verdict may rest on; undefined: all. */
  by: readonly string[] | undefined
}

export class QuestionHead implements RequestHead {
  readonly #question: Question
  readonly #around: HeadSurroundings
  #fields: string | undefined
  #target: string | undefined

  constructor(question: Question, around: HeadSurroundings) {
    this.#question = question
    this.#around = around
  }

  get method(): string {
    return this.#question.method
  }

  get target(): string {
    this.#target ??= this.#question.target
    return this.#target
  }

  get path(): string {
    const { target } = this
    const end = target.indexOf('?')
    return end < 0 ? target : target.slice(0, end)
  }

  get query(): string {
    const { target } = this
    const end = target.indexOf('?')
    return end < 0 ? '' : target.slice(end)
  }

  get host(): string {
    return this.#question.host
  }

  get params(): PathParams {
    return this.#around.params(this.target)
  }

  get clientAddress(): string {
    this.#checkRemembered('clientAddress')
    return this.#question.address
  }

  get requestId(): string {
    return this.#question.requestId
  }

  header(name: string): string | undefined {
    const { by } = this.#around
    const lower = name.toLowerCase()
    if (by !== undefined && !by.includes(lower))
      this.#checkRemembered(`the header field '${lower}'`)
    this.#fields ??= this.#question.fields
    return fieldIn(this.#fields, lower)
  }

  get headers(): Headers {
    this.#checkRemembered('headers')
    return new Headers(entriesOf(this.#question.fields))
  }

  get log(): HandlerLog {
    const at = (level: keyof HandlerLog) => (fields: object | string, message?: string) => {
      if (typeof fields === 'string') this.report(level, {}, fields)
      else this.report(level, fields, message ?? '')
    }
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  }

  /** A line in the log about this request. */
  report(level: keyof HandlerLog, fields: object, message: string): void {
    const { requestId } = this
    this.#around.log(level, { ...fields, requestId, route: this.#around.routeKey }, message)
  }

  /** The same head for a function that none of this binds: those of the app itself. */
  unbound(): QuestionHead {
    return new QuestionHead(this.#question, { ...this.#around, by: undefined })
  }

  // Somebody else would get the verdict of this client.
  #checkRemembered(what: string): void {
    if (this.#around.by === undefined) return
    throw new TypeError(`the verdict is remembered, and ${what} is not in 'remember.by'`)
  }
}
