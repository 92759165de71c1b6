// A Response that costs little as long as nobody looks into it: text or bytes, a status and plain
// fields are noted and written as they are; whatever else is asked of it makes the real one, which
// for undici is a stream, a Headers and a dozen objects. Put in the place of the global only in a
// process that is an app, never in somebody's program.

const RealResponse = globalThis.Response

type Body = ConstructorParameters<typeof Response>[0]
type Init = ConstructorParameters<typeof Response>[1]

/** What can be written without looking into a Response. */
export interface PlainAnswer {
  status: number
  /** Names and values in turn, as they were given. */
  fields: readonly string[]
  body: string | Uint8Array
}

const plainAnswers = new WeakMap<object, PlainAnswer>()

/** What was noted of a Response, unless somebody has looked into it since. */
export function plainAnswerOf(response: Response): PlainAnswer | undefined {
  return plainAnswers.get(response)
}

// RFC 9110 §5.6.2, §5.5; what does not fit is left to the real one, which knows what to say.
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const value = /^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?$/

class LightResponse {
  readonly #body: unknown
  readonly #init: Init
  #real: Response | undefined

  constructor(body?: unknown, init?: Init) {
    this.#body = body
    this.#init = init
    const plain = plainAnswer(body, init)
    if (plain === undefined) this.#real = new RealResponse(body as Body, init as Init)
    else plainAnswers.set(this, plain)
  }

  static json(data: unknown, init?: Init): Response {
    const text: string | undefined = JSON.stringify(data)
    const isPlain = text !== undefined && init?.headers === undefined
    if (!isPlain) return RealResponse.json(data, init as Init)
    const headers = { 'content-type': 'application/json' }
    return new LightResponse(text, { ...init, headers }) as unknown as Response
  }

  /** The real one, from now on. */
  static realOf(light: LightResponse): Response {
    const plain = plainAnswers.get(light)
    plainAnswers.delete(light)
    // The bytes are those of the moment when it was made.
    const body = plain && typeof plain.body !== 'string' ? plain.body : light.#body
    light.#real ??= new RealResponse(body as Body, light.#init as Init)
    return light.#real
  }
}

// Everything that a Response has is asked of the real one.
for (const [name, property] of Object.entries(
  Object.getOwnPropertyDescriptors(RealResponse.prototype),
)) {
  const { get, value: method, enumerable = true } = property
  if (name === 'constructor') continue
  const ask = get ?? (typeof method === 'function' ? (method as () => unknown) : undefined)
  if (ask === undefined) continue
  const forward = function (this: LightResponse, ...args: []): unknown {
    return ask.apply(LightResponse.realOf(this), args)
  }
  const own = get ? { get: forward } : { value: forward, writable: true }
  Object.defineProperty(LightResponse.prototype, name, { configurable: true, enumerable, ...own })
}
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
  }
}

function isType(name: string): boolean {
  return name.length === 12 && name.toLowerCase() === 'content-type'
}

function plainBody(body: unknown): string | Uint8Array | undefined {
  if (typeof body === 'string') return body
  if (body === null || body === undefined) return ''
  // Its owner may use the memory for something else before it has been written.
  return body instanceof Uint8Array ? new Uint8Array(body) : undefined
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
