// A Response that costs little as long as nobody looks into it: text or bytes, a status and plain
// fields are noted and written as they are; whatever else is asked of it makes the real one, which
// for undici is a stream, a Headers and a dozen objects. Put in the place of the global only in a
// process that is an app, never in somebody's program.

import { giveBack, isPooled, pooledCopy } from './byte-pool.ts'
import { forwardMembers } from './light-members.ts'

const RealResponse = globalThis.Response

type Body = ConstructorParameters<typeof Response>[0]
type Init = ConstructorParameters<typeof Response>[1]

/** What can be written without looking into a Response. */
export interface PlainAnswer {
  status: number
  /** Names and values in turn, as they were given. */
  fields: readonly string[]
  body: string | Uint8Array
  /** Nobody reads the body again; to be called once the host has done with it. */
  release: (() => void) | undefined
}

/** What was noted of a Response, unless somebody has looked into it since. */
export function plainAnswerOf(response: Response): PlainAnswer | undefined {
  return LightResponse.plainOf(response)
}

/** The same, to be written: as with a stream, that goes once. */
export function takePlainAnswer(response: Response): PlainAnswer | undefined {
  return LightResponse.take(response)
}

/** Whether its body has been written or read already. */
export function isUsed(response: Response): boolean {
  return LightResponse.isUsed(response)
}

// RFC 9110 §5.6.2, §5.5; what does not fit is left to the real one, which knows what to say.
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const value = /^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?$/

class LightResponse {
  readonly #body: unknown
  readonly #init: Init
  #plain: PlainAnswer | undefined
  #isTaken = false
  #real: Response | undefined

  constructor(body?: unknown, init?: Init) {
    this.#body = body
    this.#init = init
    this.#plain = plainAnswer(body, init)
    if (this.#plain === undefined) this.#real = new RealResponse(body as Body, init as Init)
  }

  static json(data: unknown, init?: Init): Response {
    const text: string | undefined = JSON.stringify(data)
    const isPlain = text !== undefined && init?.headers === undefined
    if (!isPlain) return RealResponse.json(data, init as Init)
    const headers = { 'content-type': 'application/json' }
    return new LightResponse(text, { ...init, headers }) as unknown as Response
  }

  static plainOf(response: object): PlainAnswer | undefined {
    return #plain in response ? response.#plain : undefined
  }

  static take(response: object): PlainAnswer | undefined {
    if (!(#plain in response)) return undefined
    const plain = response.#plain
    const isEmpty = response.#body === null || response.#body === undefined
    if (plain === undefined || isEmpty) return plain
    response.#plain = undefined
    response.#isTaken = true
    return plain
  }

  static isUsed(response: Response): boolean {
    if (!(#plain in response)) return response.bodyUsed
    if (response.#plain !== undefined) return false
    return response.#isTaken || response.#real?.bodyUsed === true
  }

  /** The real one, from now on. */
  static realOf(light: LightResponse): Response {
    const plain = light.#plain
    light.#plain = undefined
    // The bytes are those of the moment when it was made.
    const body = plain && typeof plain.body !== 'string' ? plain.body : light.#body
    light.#real ??= new RealResponse(body as Body, light.#init as Init)
    return light.#real
  }
}

forwardMembers(LightResponse.prototype, RealResponse.prototype, LightResponse.realOf)
Object.setPrototypeOf(LightResponse.prototype, RealResponse.prototype)
Object.setPrototypeOf(LightResponse, RealResponse)
Object.defineProperty(LightResponse, 'name', { value: 'Response' })

// As of the real one; a class that extends Response has its own instances.
Object.defineProperty(LightResponse, Symbol.hasInstance, {
  value(this: unknown, candidate: unknown) {
    if (this === LightResponse) return candidate instanceof RealResponse
    return Function.prototype[Symbol.hasInstance].call(this as typeof Response, candidate)
  },
})

/** From now on `new Response()` in this process is cheap. */
export function installLightResponse(): void {
  globalThis.Response = LightResponse as unknown as typeof Response
}

function plainAnswer(body: unknown, init: Init): PlainAnswer | undefined {
  const { status = 200, statusText = '', headers } = init ?? {}
  const isOrdinary = Number.isInteger(status) && status >= 200 && status <= 599
  if (!isOrdinary || statusText !== '' || [204, 205, 304].includes(status)) return undefined
  const fields = plainFields(headers)
  const bytes = plainBody(body)
  if (fields === undefined || bytes === undefined) return undefined
  const hasType =
    typeof body !== 'string' || fields.some((name, at) => at % 2 === 0 && isType(name))
  return {
    status,
    fields: hasType ? fields : [...fields, 'content-type', 'text/plain;charset=UTF-8'],
    body: bytes,
    release: isCopy(bytes) ? () => giveBack(bytes) : undefined,
  }
}

function isType(name: string): boolean {
  return name.length === 12 && name.toLowerCase() === 'content-type'
}

function plainBody(body: unknown): string | Uint8Array | undefined {
  if (typeof body === 'string') return body
  if (body === null || body === undefined) return ''
  if (!(body instanceof Uint8Array)) return undefined
  // Its owner may use the memory for something else before it has been written.
  return isPooled(body.length) ? pooledCopy(body) : new Uint8Array(body)
}

function isCopy(body: string | Uint8Array): body is Uint8Array<ArrayBuffer> {
  return typeof body !== 'string' && isPooled(body.length)
}

function plainFields(headers: unknown): string[] | undefined {
  if (headers === undefined) return []
  if (typeof headers !== 'object' || Object.getPrototypeOf(headers) !== Object.prototype) {
    return undefined
  }
  const entries = Object.entries(headers as Record<string, unknown>)
  const seen = new Set<string>()
  for (const [name, content] of entries) {
    const lower = name.toLowerCase()
    const fits = typeof content === 'string' && value.test(content) && token.test(name)
    // Of two spellings of a name the real one makes a list; the length is the host's.
    if (!fits || seen.has(lower) || lower === 'content-length') return undefined
    seen.add(lower)
  }
  return entries.flat() as string[]
}
