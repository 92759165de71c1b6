// Encodes files by a process of its own, which lives while there is something to encode. Main
// thread: it starts and ends the process and says what is to be encoded; the bytes travel between
// the core and the process. Must never hold the process for longer than it is of use, nor start one
// again and again that cannot live.

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ContentCoding, EncodedEvent, NativeGateway } from '../native/interface.ts'

export type EncoderCore = Pick<NativeGateway, 'connectEncoder' | 'disconnectEncoder' | 'encode'>

export interface EncoderOptions {
  native: EncoderCore
  /** Absolute; '': large encodings are kept in memory. */
  directory: string
  /** Encoding does not work; said at most once in a while. */
  onTrouble: (message: string) => void
}

/** An idle process is ended after this. */
const restMs = 5_000
/** One that has not finished a file by then is ended: the largest takes a fraction of it. */
const patienceMs = 5 * 60_000
/** After this many failures in a row there is a pause. */
const failuresInARow = 3
const pauseMs = 60_000

const extension = extname(import.meta.url)
const program = fileURLToPath(new URL(`./encoder-process${extension}`, import.meta.url))

export class Encoder {
  readonly #options: EncoderOptions
  readonly #jobs = new Map<number, (event: EncodedEvent) => void>()
  #lastJob = 0
  #process: ChildProcess | undefined
  #resting: NodeJS.Timeout | undefined
  #failures = 0
  #pausedUntil = 0
  #closed = false

  constructor(options: EncoderOptions) {
    this.#options = options
  }

  /** False for a while after several failures in a row. */
  get works(): boolean {
    return Date.now() >= this.#pausedUntil
  }

  /** Encodes an open file. Never rejects; the caller owns the file in the event. */
  async encode(file: number, coding: ContentCoding): Promise<EncodedEvent> {
    clearTimeout(this.#resting)
    const id = ++this.#lastJob
    const { promise, resolve } = Promise.withResolvers<EncodedEvent>()
    this.#jobs.set(id, resolve)
    const timer = setTimeout(() => this.#end(), patienceMs)
    try {
      this.#start()
      this.#options.native.encode(id, { file, coding, directory: this.#options.directory })
    } catch (error) {
      this.encoded(failure(id, (error as NodeJS.ErrnoException).code ?? 'EIO'))
    }
    const event = await promise
    clearTimeout(timer)
    this.#judge(event)
    return event
  }

  /** The core says what became of a job. False when nobody waits for it. */
  encoded(event: EncodedEvent): boolean {
    const settle = this.#jobs.get(event.id)
    this.#jobs.delete(event.id)
    settle?.(event)
    return settle !== undefined
  }

  /** There is nothing to do for now. */
  rest(): void {
    clearTimeout(this.#resting)
    this.#resting = setTimeout(() => this.#end(), restMs)
    this.#resting.unref()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#resting)
    this.#end()
    for (const id of this.#jobs.keys()) this.encoded(failure(id, 'ECANCELED'))
  }

  /** A process that is connected to the core, if there is none. Throws when there can be none. */
  #start(): void {
    if (this.#process) return
    const fd = this.#options.native.connectEncoder()
    try {
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
        stdio: ['ignore', 'ignore', 'inherit', fd],
        env: environment(),
        cwd: '/',
      })
      child.unref()
      child.once('error', () => this.#gone(child))
      child.once('exit', () => this.#gone(child))
      this.#process = child
    } finally {
      closeSync(fd)
    }
  }

  /** The core has seen the end of the connection: what was under way has failed. */
  #gone(child: ChildProcess): void {
    if (this.#process === child) this.#process = undefined
  }

  #end(): void {
    const child = this.#process
    this.#process = undefined
    if (!child) return
    this.#options.native.disconnectEncoder()
    child.kill('SIGKILL')
  }

  #judge({ outcome, error }: EncodedEvent): void {
    if (this.#closed) return
    if (outcome !== 'failed') {
      this.#failures = 0
      return
    }
    this.#end()
    this.#failures++
    if (this.#failures % failuresInARow !== 0) return
    this.#pausedUntil = Date.now() + pauseMs
    this.#options.onTrouble(
      `files cannot be encoded (${error}): they are sent as they are, for a minute at least`,
    )
  }
}

/** What a program needs to be loaded; whatever secrets there are stay here. */
function environment(): NodeJS.ProcessEnv {
  const isNeeded = ([name]: [string, unknown]) => /^(LD|ASAN|UBSAN|TSAN)_/.test(name)
  return Object.fromEntries(Object.entries(process.env).filter(isNeeded))
}

function failure(id: number, error: string): EncodedEvent {
  const nothing = { file: 0, size: 0, heldBytes: 0, hasDescriptor: false }
  return { type: 'encoded', id, outcome: 'failed', ...nothing, error }
}
