// What workers and the app say to each other about hooks, as bytes on a unix socket; the layout
// stands in native/worker/hook_messages.h, whose twin this is. Pure. A question is read only as far
// as somebody asks for it: the bytes that came are kept until then.

import type { HookFieldEdits } from '../config/hooks.ts'

/** Bytes of a question before its texts; the request id is the first of them. */
const headBytes = 40
const idBytes = 32

const withdrawalBytes = 12

export const kinds = ['request', 'response', 'error', 'handler'] as const

/** One question in the bytes that brought it. */
export class Question {
  readonly #bytes: Buffer
  readonly #at: number
  readonly #texts: number

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.#at = at
    this.#texts = at + headBytes + idBytes
  }

  get slot(): number {
    return this.#bytes.readUInt32LE(this.#at + 4)
  }

  get serial(): number {
    return this.#bytes.readUInt32LE(this.#at + 8)
  }

  get group(): number {
    return this.#bytes.readUInt16LE(this.#at + 12)
  }

  /** Of the plans that the number of the group is from. */
  get version(): number {
    return this.#bytes.readUInt32LE(this.#at + 36)
  }

  /** Whether the client spoke TLS. */
  get isSecure(): boolean {
    return this.#bytes[this.#at + 15] === 1
  }

  get kind(): (typeof kinds)[number] | undefined {
    return kinds[this.#bytes[this.#at + 14] ?? 0]
  }

  /** Of a response or an error. */
  get status(): number {
    return this.#bytes.readUInt16LE(this.#at + 16)
  }

  get requestId(): string {
    const from = this.#at + headBytes
    return this.#bytes.toString('latin1', from, from + idBytes)
  }

  get method(): string {
    return this.#bytes.toString('latin1', this.#texts, this.#texts + this.#methodBytes)
  }

  get target(): string {
    const from = this.#texts + this.#methodBytes
    return this.#bytes.toString('latin1', from, from + this.#targetBytes)
  }

  get host(): string {
    const from = this.#texts + this.#methodBytes + this.#targetBytes
    return this.#bytes.toString('latin1', from, from + this.#hostBytes)
  }

  get address(): string {
    const from = this.#texts + this.#methodBytes + this.#targetBytes + this.#hostBytes
    return this.#bytes.toString('latin1', from, from + this.#addressBytes)
  }

  /** '\nname:value' for each field, then '\n'; names in lower case. */
  get fields(): string {
    const from = this.#fieldsAt
    return this.#bytes.toString('latin1', from, from + this.#bytes.readUInt32LE(this.#at + 28))
  }

  /** The fields of a response in the same form, or the name of an error. */
  get more(): string {
    const from = this.#fieldsAt + this.#bytes.readUInt32LE(this.#at + 28)
    return this.#bytes.toString('latin1', from, from + this.#bytes.readUInt32LE(this.#at + 32))
  }

  get #methodBytes(): number {
    return this.#bytes.readUInt16LE(this.#at + 18)
  }

  get #targetBytes(): number {
    return this.#bytes.readUInt32LE(this.#at + 20)
  }

  get #hostBytes(): number {
    return this.#bytes.readUInt16LE(this.#at + 24)
  }

  get #addressBytes(): number {
    return this.#bytes.readUInt16LE(this.#at + 26)
  }

  get #fieldsAt(): number {
    const before = this.#methodBytes + this.#targetBytes + this.#hostBytes + this.#addressBytes
    return this.#texts + before
  }
}

/** Whole questions of a stream, however they arrive. */
export class QuestionReader {
  #rest: Buffer | undefined

  /** Calls `take` for every question that is complete now, `withdraw` with the slots of others. */
  read(
    bytes: Buffer,
    take: (question: Question) => void,
    withdraw: (slot: number, serial: number) => void,
  ): void {
    const all = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes])
    let at = 0
    while (all.length - at >= withdrawalBytes) {
      const size = all.readUInt32LE(at)
      const isWithdrawal = size === withdrawalBytes
      if (!isWithdrawal && size < headBytes + idBytes) {
        throw new RangeError('a question of no size')
      }
      if (all.length - at < size) break
      if (isWithdrawal) withdraw(all.readUInt32LE(at + 4), all.readUInt32LE(at + 8))
      else take(new Question(all, at))
      at += size
    }
    this.#rest = at === all.length ? undefined : Buffer.from(all.subarray(at))
  }
}

/** The value of a field in the form of Question.fields; undefined: there is none. */
export function fieldIn(fields: string, name: string): string | undefined {
  const wanted = `\n${name}:`
  let at = fields.indexOf(wanted)
  if (at < 0) return undefined
  let from = at + wanted.length
  const first = fields.slice(from, fields.indexOf('\n', from))
  at = fields.indexOf(wanted, from)
  if (at < 0) return first
  const values = [first]
  for (; at >= 0; at = fields.indexOf(wanted, from)) {
    from = at + wanted.length
    values.push(fields.slice(from, fields.indexOf('\n', from)))
  }
  return values.join(name === 'cookie' ? '; ' : ', ')
}

/** Every field of that form. */
export function entriesOf(fields: string): [name: string, value: string][] {
  return fields
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1)]
    })
}

/** A verdict as it goes out. */
export interface WireVerdict {
  kind: 'answer' | 'change' | 'failed'
  status: number
  /** Milliseconds; undefined: as the hook says. */
  remember: number | undefined
  /** Index; undefined: the route's. */
  upstream: number | undefined
  request: WireEdits
  response: WireEdits
  target: string
  claims: string
  body: Uint8Array | string
}

export interface WireEdits {
  /** A name in each line. */
  removed: string
  /** 'Name: value\r\n' lines. */
  added: string
}

const asConfigured = 0xff_ff_ff_ff
const noUpstream = 0xff_ff_ff_ff
const passBytes = 20
const verdictHead = 24
const kindNumbers = { answer: 1, change: 2, failed: 3 } as const

/** Gathers verdicts until they go out together. */
export class VerdictWriter {
  #room = Buffer.allocUnsafe(4096)
  #used = 0

  /** Nothing to say. */
  pass(question: Question, remember: number = asConfigured): void {
    const at = this.#reserve(passBytes)
    this.#begin(at, passBytes, question, 0, 0, remember)
  }

  /** The group is of another configuration. */
  outdated(question: Question): void {
    const at = this.#reserve(passBytes)
    this.#begin(at, passBytes, question, 255, 0, asConfigured)
  }

  write(question: Question, verdict: WireVerdict): void {
    const { request, response, target, claims, body } = verdict
    const texts = [request.removed, request.added, response.removed, response.added, target, claims]
    const parts = [...texts.map((text) => Buffer.from(text, 'latin1')), Buffer.from(body as string)]
    const size = parts.reduce((sum, part) => sum + 4 + part.length, verdictHead)
    const at = this.#reserve(size)
    const { kind, status, remember = asConfigured, upstream = noUpstream } = verdict
    this.#begin(at, size, question, kindNumbers[kind], status, remember)
    this.#room.writeUInt32LE(upstream, at + 20)
    let to = at + verdictHead
    for (const part of parts) {
      to = this.#room.writeUInt32LE(part.length, to)
      to += part.copy(this.#room, to)
    }
  }

  /** What was gathered; undefined: nothing. */
  take(): Buffer | undefined {
    if (this.#used === 0) return undefined
    const bytes = this.#room.subarray(0, this.#used)
    // Those bytes belong to the socket from now on.
    this.#room = Buffer.allocUnsafe(4096)
    this.#used = 0
    return bytes
  }

  #begin(
    at: number,
    size: number,
    { slot, serial }: Question,
    kind: number,
    status: number,
    remember: number,
  ): void {
    const room = this.#room
    room.writeUInt32LE(size, at)
    room.writeUInt32LE(slot, at + 4)
    room.writeUInt32LE(serial, at + 8)
    room[at + 12] = kind
    room[at + 13] = 0
    room.writeUInt16LE(status, at + 14)
    room.writeUInt32LE(remember, at + 16)
  }

  #reserve(bytes: number): number {
    const at = this.#used
    this.#used += bytes
    if (this.#used > this.#room.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#room.length * 2, this.#used))
      this.#room.copy(larger, 0, 0, at)
      this.#room = larger
    }
    return at
  }
}

export const noEdits: WireEdits = { removed: '', added: '' }

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const fieldValue = /^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?$/
/** Of a connection, or of how a body is framed; and the gateway's own. */
const notTheirs = new RegExp(
  '^(?:connection|content-length|keep-alive|proxy-connection|te|trailer|transfer-encoding' +
    '|upgrade|x-sluice-.*)$',
  'i',
)

/** Throws a TypeError that says what is wrong with a field. */
export function fieldLine(name: string, value: string): string {
  checkName(name)
  if (typeof value !== 'string' || !fieldValue.test(value)) {
    throw new TypeError(`the value of the header field '${name}' cannot be sent`)
  }
  return `${name}: ${value}\r\n`
}

function checkName(name: string): void {
  if (!token.test(name)) throw new TypeError(`'${name}' is not the name of a header field`)
  if (notTheirs.test(name)) throw new TypeError(`a hook cannot change the header field '${name}'`)
}

/** Throws a TypeError that says what is wrong with them. */
export function wireEdits(edits: HookFieldEdits | undefined, refused: string[] = []): WireEdits {
  if (edits === undefined) return noEdits
  const { set = {}, add = {}, remove = [] } = edits
  const names = [...Object.keys(set), ...remove]
  const touched = [...names, ...Object.keys(add)]
  const wrong = touched.find((name) => refused.includes(name.toLowerCase()))
  if (wrong !== undefined) throw new TypeError(`a hook cannot change the header field '${wrong}'`)
  for (const name of names) checkName(name)
  let added = ''
  for (const [name, value] of Object.entries(set)) added += fieldLine(name, value)
  for (const [name, values] of Object.entries(add)) {
    for (const value of typeof values === 'string' ? [values] : values) {
      added += fieldLine(name, value)
    }
  }
  return { removed: names.map((name) => `${name.toLowerCase()}\n`).join(''), added }
}
