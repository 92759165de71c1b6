// Has files encoded that clients asked for and that nobody has encoded: each once, one after the
// other, in the background. Main thread. Answers are given without waiting for it; those that rest
// on a file are made anew when its encodings are there.
// Must never have the same content encoded twice while what it made is kept, nor pin a file that
// only waits for its turn.

import { LRUCache } from 'lru-cache'
import type { ContentCoding, EncodedEvent, NativeVariant } from '../native/interface.ts'
import type { CompressionStats } from '../telemetry/stats.ts'
import type { FileCache, OpenFile } from './cache.ts'
import type { Decision } from './decide.ts'
import { Encoder, type EncoderOptions } from './encoder.ts'
import { type EncodingWish, codings as order } from './variants.ts'

export interface CompressionOptions extends EncoderOptions {
  files: FileCache
  /** These answers could be given encoded by now. */
  onMade: (answers: number[]) => void
  clock: { now(): number }
}

/** Files that may wait at once; beyond it they are asked for again when they are served again. */
const maxWaiting = 16_384
/** The core takes no younger ones: their content may change without its times changing. */
const youngMs = 3_000
/** What was made and then evicted, or could not be made, is tried again after this. */
const againMs = 10 * 60_000
const maxSettled = 65_536

export class Compression {
  readonly #options: CompressionOptions
  readonly #encoder: Encoder
  readonly #waiting = new Map<string, EncodingWish>()
  /** By coding and path, of which content it is known what came of it. */
  readonly #settled = new LRUCache<string, bigint>({
    maxSize: maxSettled,
    sizeCalculation: () => 1,
  })
  readonly #counts = { made: 0, useless: 0, changed: 0, failed: 0, refused: 0 }
  readonly #bytes = { bytesIn: 0, bytesOut: 0 }
  #running = false
  #closed = false

  constructor(options: CompressionOptions) {
    this.#options = options
    this.#encoder = new Encoder(options)
  }

  /** Adds what has been made to the variants of `decision`; its files are pinned in `pinned`. */
  complete(decision: Decision, pinned: OpenFile[]): Decision {
    const { wish, ...rest } = decision
    const source = pinned.find(({ id }) => id === decision.file)
    if (!wish || !source) return rest
    const variants = [...decision.variants]
    const missing: ContentCoding[] = []
    for (const coding of wish.codings) {
      const made = this.#options.files.encodingOf(source, coding)
      if (made) {
        pinned.push(made)
        variants.push({ coding, file: made.id })
      } else missing.push(coding)
    }
    const completed = { ...rest, variants: sorted(variants, pinned) }
    if (missing.length === 0) return completed
    return { ...completed, wish: { ...wish, codings: missing } }
  }

  /** Has it encoded, now or later, unless that is known to be of no use. */
  want(wish: EncodingWish): void {
    if (this.#closed || this.#options.clock.now() - wish.mtimeMs < youngMs) return
    const codings = wish.codings.filter((coding) => !this.#isSettled(wish, coding))
    if (codings.length === 0) return
    const key = `${codings}\0${pathKey(wish)}`
    if (this.#waiting.has(key)) return
    if (this.#waiting.size >= maxWaiting || !this.#encoder.works) {
      this.#counts.refused++
      return
    }
    this.#waiting.set(key, { ...wish, codings })
    void this.#run()
  }

  /** The outcome of a job. False when nobody waits for it. */
  encoded(event: EncodedEvent): boolean {
    return this.#encoder.encoded(event)
  }

  close(): void {
    this.#closed = true
    this.#waiting.clear()
    this.#encoder.close()
  }

  counts(): CompressionStats {
    return { waiting: this.#waiting.size, ...this.#counts, ...this.#bytes }
  }

  async #run(): Promise<void> {
    if (this.#running) return
    this.#running = true
    for (const [key, wish] of this.#waiting) {
      if (this.#encoder.works) await this.#fulfil(wish)
      else this.#counts.refused++
      this.#waiting.delete(key)
    }
    this.#running = false
    if (!this.#closed) this.#encoder.rest()
  }

  async #fulfil(wish: EncodingWish): Promise<void> {
    const { files, onMade } = this.#options
    let source: OpenFile | null = null
    try {
      source = (await files.look(wish.where)).open
      if (this.#closed || !source) return
      // Another content: whoever asks for it has it encoded.
      const isSame = source.identity === wish.identity
      const made = isSame ? await this.#encodeAll(source, wish) : false
      if (made) onMade(files.answersOn(source))
    } catch (error) {
      this.#options.onTrouble(`a file cannot be encoded: ${(error as Error).message}`)
    } finally {
      if (source) files.unpin(source)
    }
  }

  /** True when something was made that was not there. */
  async #encodeAll(source: OpenFile, wish: EncodingWish): Promise<boolean> {
    let made = false
    for (const coding of wish.codings) {
      if (this.#isSettled(wish, coding)) continue
      const event = await this.#encoder.encode(source.id, coding)
      if (this.#closed) return false
      this.#counts[event.outcome]++
      if (event.outcome === 'made') {
        this.#bytes.bytesIn += source.size
        this.#bytes.bytesOut += event.size
        made = this.#options.files.admitEncoding(source, coding, event) || made
      }
      this.#settle(wish, coding, event)
    }
    return made
  }

  #settle(wish: EncodingWish, coding: ContentCoding, { outcome }: EncodedEvent): void {
    if (outcome === 'changed') return
    const lasts = outcome === 'useless' ? 0 : againMs
    this.#settled.set(`${coding}\0${pathKey(wish)}`, wish.identity, { ttl: lasts })
  }

  #isSettled(wish: EncodingWish, coding: ContentCoding): boolean {
    return this.#settled.get(`${coding}\0${pathKey(wish)}`) === wish.identity
  }
}

function pathKey({ where: { root, path, follow } }: EncodingWish): string {
  return `${follow ? 'f' : ''}\0${root}\0${path}`
}

/** The smallest first. */
function sorted(variants: NativeVariant[], pinned: OpenFile[]): NativeVariant[] {
  const sizes = new Map(pinned.map(({ id, size }) => [id, size]))
  const size = ({ file }: NativeVariant) => sizes.get(file) ?? 0
  return variants.sort(
    (one, other) =>
      size(one) - size(other) || order.indexOf(one.coding) - order.indexOf(other.coding),
  )
}
