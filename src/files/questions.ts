// The desk where the workers' questions about files() routes arrive and are answered: each path is
// decided once, however many workers and requests wait for it. Main thread.
// Must never leave a question without an answer, whatever fails: a request is parked behind it.

import type { ResolvedFileSet } from '../config/resolved.ts'
import type {
  EncodedEvent,
  LookedEvent,
  NativeAnswer,
  NativeGateway,
  QuestionEvent,
} from '../native/interface.ts'
import type { CacheStats, CompressionStats, QuestionStats } from '../telemetry/stats.ts'
import { AnswerTable } from './answers.ts'
import { FileCache, type FileCacheBounds, type OpenFile } from './cache.ts'
import { Compression } from './compression.ts'
import { type Decision, decide, failure } from './decide.ts'
import type { EncoderCore } from './encoder.ts'
import { Outbox } from './outbox.ts'

export interface FileQuestionsOptions {
  native: EncoderCore & Pick<NativeGateway, 'look' | 'answer' | 'forget' | 'release'>
  /** What may be asked about at start, by number: files() routes, and roots that are no route. */
  routes: ReadonlyMap<number, ResolvedFileSet>
  bounds: FileCacheBounds & { answers: number; directory: string }
  /** Something of ours failed; the question was answered with a 500. */
  onFault: (message: string, error: unknown) => void
  /** Files cannot be compressed; they are sent as they are. */
  onTrouble: (message: string) => void
  /** Clock in milliseconds, for tests. */
  clock?: { now(): number }
}

/** Distinct paths that may be undecided at once; beyond it a question gets a 503. */
const maxPending = 16_384
const idleSweepMs = 10_000

export class FileQuestions {
  readonly #options: FileQuestionsOptions
  readonly #outbox: Outbox
  readonly #files: FileCache
  readonly #answers: AnswerTable
  readonly #compression: Compression
  /** Who waits for the decision on a route and path. */
  readonly #pending = new Map<string, QuestionEvent[]>()
  readonly #sweep: NodeJS.Timeout
  readonly #routes: Map<number, ResolvedFileSet>
  readonly #counts = { asked: 0, joined: 0, refused: 0, failed: 0 }
  #closed = false

  constructor(options: FileQuestionsOptions) {
    const { native, bounds, clock } = options
    this.#options = options
    this.#routes = new Map(options.routes)
    this.#outbox = new Outbox(native)
    this.#files = new FileCache({
      native,
      outbox: this.#outbox,
      bounds,
      onDropped: (answers) => this.#answers.forget(answers),
      ...(clock ? { clock } : {}),
    })
    this.#answers = new AnswerTable(this.#files, this.#outbox, bounds.answers)
    this.#compression = new Compression({
      native,
      files: this.#files,
      directory: bounds.directory,
      onMade: (answers) => this.#answers.forget(answers),
      onTrouble: options.onTrouble,
      clock: clock ?? Date,
    })
    this.#sweep = setInterval(() => this.#files.purgeIdle(), idleSweepMs)
    this.#sweep.unref()
  }

  /** Takes a question; its answer follows, now or when the disk has spoken. Never throws. */
  ask(question: QuestionEvent): void {
    if (this.#closed) return
    this.#counts.asked++
    const key = `${question.route}\0${question.path}`
    const waiting = this.#pending.get(key)
    if (waiting) {
      this.#counts.joined++
      waiting.push(question)
      return
    }
    if (this.#pending.size >= maxPending) {
      this.#counts.refused++
      this.#deliver([question], this.#answers.admit(key, failure('EAGAIN'), []))
      return
    }
    const asking = [question]
    this.#pending.set(key, asking)
    void this.#decide(key, question, asking)
  }

  /** Questions about this route may come from now on. */
  addRoute(route: number, files: ResolvedFileSet): void {
    this.#routes.set(route, files)
  }

  /**
   * These routes have left: what is remembered of them is forgotten. With `isOver` no question of
   * theirs comes any more; until then what is under way is still answered.
   */
  dropRoutes(routes: ReadonlySet<number>, { isOver }: { isOver: boolean }): void {
    if (routes.size === 0 || this.#closed) return
    this.#answers.forgetRoutes(routes)
    if (isOver) for (const route of routes) this.#routes.delete(route)
  }

  looked(event: LookedEvent): void {
    this.#files.looked(event)
  }

  encoded(event: EncodedEvent): void {
    const isWaited = this.#compression.encoded(event)
    if (!isWaited && event.file !== 0) this.#outbox.release(event.file)
  }

  touched(answers: number[]): void {
    for (const wish of this.#answers.touched(answers)) this.#compression.want(wish)
  }

  stale(answers: number[]): void {
    this.#answers.stale(answers)
  }

  /**
   * Forgets the answer to a path (as in QuestionEvent) of a route, or to all that begin with it.
   * How many there were.
   */
  evict(route: number, path: string, beneath: boolean): number {
    const wanted = `${route}\0${path}`
    return this.#answers.evict((key) => (beneath ? key.startsWith(wanted) : key === wanted))
  }

  /** The process has run out of descriptors: closes some of the cache's. */
  relieve(): void {
    this.#files.relieve()
  }

  /** Closes files that nobody asked for in a minute; the desk does so itself from time to time. */
  purgeIdle(): void {
    this.#files.purgeIdle()
  }

  /** Gives back everything and answers nothing more. Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#sweep)
    this.#pending.clear()
    this.#compression.close()
    this.#answers.close()
    this.#files.close()
    this.#outbox.flush()
  }

  /** What stats() says of files on this side. */
  counts(): { questions: QuestionStats; cache: CacheStats; compression: CompressionStats } {
    const { confirmed, ...answers } = this.#answers.counts()
    return {
      questions: { ...this.#counts, confirmed, pending: this.#pending.size },
      cache: { ...this.#files.counts(), ...answers },
      compression: this.#compression.counts(),
    }
  }

  async #decide(key: string, question: QuestionEvent, asking: QuestionEvent[]): Promise<void> {
    const pinned: OpenFile[] = []
    let answer: NativeAnswer
    let wish: Decision['wish']
    try {
      const decision = this.#compression.complete(await this.#ponder(question, pinned), pinned)
      answer = this.#answers.admit(key, decision, pinned)
      wish = decision.wish
    } catch (error) {
      answer = this.#failed(key, `cannot decide ${question.path}`, error)
    }
    this.#pending.delete(key)
    this.#deliver(asking, answer)
    for (const file of pinned) this.#files.unpin(file)
    if (wish) this.#compression.want(wish)
  }

  async #ponder(question: QuestionEvent, pinned: OpenFile[]): Promise<Decision> {
    const route = this.#routes.get(question.route)
    if (!route) throw new Error(`route ${question.route} serves no files`)
    return decide(route, question.path, async (where) => {
      const found = await this.#files.look(where)
      if (found.open) pinned.push(found.open)
      return found
    })
  }

  #deliver(questions: QuestionEvent[], answer: NativeAnswer): void {
    for (const question of questions) {
      if (this.#closed) return
      try {
        this.#options.native.answer(question.worker, question.id, answer)
      } catch (error) {
        this.#apologize(question, error)
      }
    }
  }

  /** The core did not take an answer: it gets one that has nothing in it to refuse. */
  #apologize(question: QuestionEvent, error: unknown): void {
    const apology = this.#failed('', `the core refuses the answer to ${question.path}`, error)
    try {
      this.#options.native.answer(question.worker, question.id, apology)
    } catch {
      // It takes nothing any more; what is parked ends by its own timeout.
    }
  }

  #failed(key: string, message: string, error: unknown): NativeAnswer {
    this.#counts.failed++
    this.#options.onFault(message, error)
    return this.#answers.admit(key, failure('EIO'), [])
  }
}
