// One call of a handler: what it knows besides the request. Runs in the app. Everything in it costs
// nothing until it is asked for.

import type {
  FileInit,
  ForwardOptions,
  Handler,
  HandlerContext,
  HandlerLog,
  PathParams,
} from '../config/functions.ts'
import type { ChannelMessage } from '../native/publication.ts'
import type { Instruction } from './answer.ts'
import type { ClientAddressOf } from './client-address.ts'
import { fileAnswer, fileField, requestIdField } from './contract.ts'
import type { Door } from './door.ts'
import type { Exchange } from './host.ts'
import { isHandlerRequest } from './light-request.ts'
import type { ReadParams } from './params.ts'

/** A handler() route in the app. */
export interface HandlerRoute {
  key: string
  handle: Handler
  params: ReadParams
  /** Whether context.file() has files. */
  hasRoot: boolean
  app: AppSurroundings
}

/** What all handlers of an app share. */
export interface AppSurroundings {
  secret: string
  /** Of the configuration; the only target of one has its name, too. */
  upstreamNamed: (name: string) => string | undefined
  /** The way to them; undefined: there are none. */
  door: Door | undefined
  clientAddress: ClientAddressOf
  log: AppLog
  publish: AppPublish
}

/** Where messages for channels go. Throws when there is no such channel. */
export type AppPublish = (channel: string, message: ChannelMessage) => void

/** Where lines of handlers go, with their fields. */
export type AppLog = (level: keyof HandlerLog, fields: object, message: string) => void

const instructions = new WeakMap<Response, Instruction>()

export class HandlerCall implements HandlerContext {
  readonly #exchange: Exchange
  readonly #route: HandlerRoute
  #params: PathParams | undefined
  #controller: AbortController | undefined
  #over: AbortController | undefined

  constructor(exchange: Exchange, route: HandlerRoute) {
    this.#exchange = exchange
    this.#route = route
  }

  get params(): PathParams {
    this.#params ??= this.#route.params(this.#exchange.target)
    return this.#params
  }

  get clientAddress(): string {
    return this.#route.app.clientAddress(this.#exchange.field('x-forwarded-for'))
  }

  get requestId(): string {
    return this.#exchange.field(requestIdField) ?? ''
  }

  /** Of the URL that the client asked for. */
  get scheme(): string {
    return this.#exchange.field('x-forwarded-proto') === 'https' ? 'https' : 'http'
  }

  get signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal
    const controller = new AbortController()
    this.#controller = controller
    const abort = () => controller.abort(new DOMException('the client went away', 'AbortError'))
    if (this.#exchange.isGone) abort()
    const before = this.#exchange.onGone
    this.#exchange.onGone = () => {
      before?.()
      abort()
    }
    return controller.signal
  }

  get log(): HandlerLog {
    const at = (level: keyof HandlerLog) => (fields: object | string, message?: string) => {
      if (typeof fields === 'string') this.report(level, {}, fields)
      else this.report(level, fields, message ?? '')
    }
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  }

  // Getters, so that they can be taken out of the context.
  get file(): HandlerContext['file'] {
    return (path, init) => this.#file(path, init)
  }

  get publish(): HandlerContext['publish'] {
    return (channel, message) => this.#route.app.publish(channel, message)
  }

  get proxy(): HandlerContext['proxy'] {
    return async (request, options) => this.#proxy(request, options)
  }

  /** A line in the log about this request. */
  report(level: keyof HandlerLog, fields: object, message: string): void {
    const { requestId } = this
    this.#route.app.log(level, { ...fields, requestId, route: this.#route.key }, message)
  }

  /** Passes the request on, its target as it came, by the way that is known as `upstream`. */
  async ask(asked: { request: Request; keepsLength: boolean }, upstream: string) {
    const { door } = this.#route.app
    const { target } = this.#exchange
    if (door === undefined) throw new Error('there is no way to an upstream')
    this.#over = new AbortController()
    const signal = AbortSignal.any([this.signal, this.#over.signal])
    return door.ask({ ...asked, exchange: this.#exchange, target, upstream, signal })
  }

  /** Nobody wants what ask() has begun. */
  giveUp(reason: unknown): void {
    this.#over?.abort(reason)
  }

  /** What the gateway is to do for this answer, if file() made it. */
  instructionOf(response: Response): Instruction | undefined {
    return instructions.get(response)
  }

  #file(path: string, { status = 200, headers = {} }: FileInit = {}): Response {
    const { hasRoot, app } = this.#route
    if (!hasRoot) {
      throw new TypeError("file() needs the option 'root' of handler(): where the files are")
    }
    const segments = path.split('/')
    const isName = (name: string) => !['', '.', '..'].includes(name) && !name.includes('\0')
    // As the gateway answers for a path that leads out of a root.
    if (!segments.every(isName)) return new Response('404 Not Found\n', { status: 404 })
    const response = new Response(null, { status, headers })
    instructions.set(response, [fileField, fileAnswer(app.secret, path)])
    return response
  }

  #proxy(request: Request, { upstream: wanted, target = '' }: ForwardOptions): Promise<Response> {
    const { door, upstreamNamed } = this.#route.app
    const upstream = upstreamNamed(wanted)
    if (door === undefined || upstream === undefined) {
      throw new TypeError(`no upstream of the configuration is called '${wanted}'`)
    }
    if (target !== '' && !/^\/[!-~]*$/.test(target)) {
      throw new TypeError("the target of proxy() is a path that begins with '/', percent-encoded")
    }
    const { signal } = this
    const keepsLength = isHandlerRequest(request)
    const asked = { exchange: this.#exchange, request, target, upstream, keepsLength, signal }
    return door.ask(asked)
  }
}
