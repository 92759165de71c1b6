// A native gateway without sockets or disk, for tests of what TypeScript decides. Looks are settled
// by the test, or at once. It holds TypeScript to the contract: a file is released exactly once, an
// answer never sends a released one, and ids are never used twice.

import { openSync } from 'node:fs'
import type {
  EncodedEvent,
  EncodeJob,
  LookAt,
  LookedEvent,
  NativeAddon,
  NativeAddress,
  NativeAnswer,
  NativeEvent,
  NativeGateway,
  NativeMatch,
  NativeStats,
  QuestionEvent,
} from '../../src/native/interface.ts'
import type { NativeTarget } from '../../src/native/upstreams.ts'

/** What a path of the pretended disk holds. */
export type Entry = Partial<Pick<LookedEvent, 'outcome' | 'heldBytes' | 'identity' | 'error'>>

interface Asked {
  id: number
  root: string
  path: string
}

export class FakeNative implements NativeGateway {
  /** By 'root/path'. */
  readonly disk = new Map<string, Entry>()
  readonly looks: Asked[] = []
  readonly answers: { worker: number; question: number; answer: NativeAnswer }[] = []
  readonly forgotten: number[] = []
  readonly broken: string[] = []
  /** What setTargets() said last, by upstream. */
  readonly targets = new Map<number, NativeTarget[]>()
  /** Where looked events go; the test sets it. */
  onLooked: (event: LookedEvent) => void = () => {}
  /** Files that can be open by descriptor at once; a look beyond it fails with EMFILE. */
  descriptors = Number.POSITIVE_INFINITY
  /** false: looks wait for settle(). */
  automatic = true
  readonly #open = new Set<number>()
  readonly #answerIds = new Map<number, string>()
  #lastFile = 0
  #lastQuestion = 0
  #waiting: Asked[] = []

  /** Ids of files that nobody gave back. */
  get open(): number[] {
    return [...this.#open]
  }

  look(id: number, { root, path }: LookAt): void {
    const asked = { id, root, path }
    this.looks.push(asked)
    this.#waiting.push(asked)
    if (this.automatic) queueMicrotask(() => this.settle())
  }

  answer(worker: number, question: number, answer: NativeAnswer): void {
    const { file, fields, variants, looks } = answer
    const shown = JSON.stringify([file, fields, variants, looks.map(showLook)])
    const before = this.#answerIds.get(answer.id)
    if (before !== undefined && before !== shown) this.broken.push(`answer ${answer.id} used twice`)
    this.#answerIds.set(answer.id, shown)
    if (answer.remember && this.forgotten.includes(answer.id)) {
      this.broken.push(`answer ${answer.id} given after it was forgotten`)
    }
    for (const sent of [file, ...variants.map((variant) => variant.file)]) {
      if (sent === 0 || this.#open.has(sent)) continue
      this.broken.push(`answer ${answer.id} sends file ${sent}, which is not open`)
    }
    this.answers.push({ worker, question, answer })
  }

  forget(answers: number[]): void {
    this.forgotten.push(...answers)
  }

  reloadCertificates(): [] {
    return []
  }

  certificates(): [] {
    return []
  }

  rotateTickets(): void {}

  ticketKeys(): Uint8Array {
    return new Uint8Array()
  }

  adoptTickets(): void {}

  /** What setHookSocket() said last. */
  hookSocket = ''
  setHookSocket(path: string): void {
    this.hookSocket = path
  }

  setTargets(upstream: number, targets: NativeTarget[]): void {
    this.targets.set(upstream, targets)
  }

  /** Jobs that were given, in order; the test answers them. */
  readonly jobs: { id: number; job: EncodeJob }[] = []
  connectEncoder(): number {
    return openSync('/dev/null', 'r')
  }

  disconnectEncoder(): void {
    this.calls.push('disconnectEncoder')
  }

  encode(id: number, job: EncodeJob): void {
    if (!this.#open.has(job.file)) this.broken.push(`file ${job.file} encoded but not open`)
    this.jobs.push({ id, job })
  }

  replace(): NativeAddress[] {
    this.calls.push('replace')
    return [{ kind: 'tcp', host: '127.0.0.1', port: 1 }]
  }

  endGeneration(generation: number): void {
    this.calls.push(`endGeneration ${generation}`)
  }

  release(files: number[]): void {
    for (const file of files) {
      if (!this.#open.delete(file)) this.broken.push(`file ${file} released but not open`)
    }
  }

  /** An event for a job: its encoding is a file of `size` bytes that is open from now on. */
  made(id: number, size: number): EncodedEvent {
    const file = ++this.#lastFile
    this.#open.add(file)
    const rest = { size, heldBytes: size, hasDescriptor: false, error: '' }
    return { type: 'encoded', id, outcome: 'made', file, ...rest }
  }

  /** Answers the first `count` waiting looks from the pretended disk. */
  settle(count: number = this.#waiting.length): void {
    for (const { id, root, path } of this.#waiting.splice(0, count)) {
      const entry = this.#find(`${root}/${path}`)
      const { outcome = 'file', heldBytes = 0, error = '' } = entry
      const identity = entry.identity ?? (outcome === 'absent' ? 0n : 1n)
      const file = outcome === 'file' ? ++this.#lastFile : 0
      if (file !== 0) this.#open.add(file)
      const found = { outcome, file, size: heldBytes, mtimeMs: 0, identity, heldBytes, error }
      this.onLooked({ type: 'looked', id, ...found, entries: [], hasMore: false })
    }
  }

  #find(name: string): Entry {
    const entry = this.disk.get(name) ?? { outcome: 'absent' }
    const needsDescriptor = (entry.outcome ?? 'file') === 'file' && !entry.heldBytes
    if (!needsDescriptor || this.#open.size < this.descriptors) return entry
    return { outcome: 'failed', error: 'EMFILE', identity: 0n }
  }

  /** Calls of listen(), drain() and close(), in order. */
  readonly calls: string[] = []
  listen: () => NativeAddress[] = () => {
    this.calls.push('listen')
    return [{ kind: 'tcp', host: '127.0.0.1', port: 1 }]
  }

  drain(): void {
    this.calls.push('drain')
  }

  close(): void {
    this.calls.push('close')
  }

  listeningSockets(): number[][] {
    return []
  }

  leaveListeners(): void {
    this.calls.push('leaveListeners')
  }

  beat(): number {
    return 0
  }

  reopenLogs(): void {
    this.calls.push('reopenLogs')
  }

  publish(): number {
    return 1
  }

  match(): NativeMatch {
    return { route: -1, allow: [], rest: null, error: '' }
  }

  stats(): NativeStats {
    const io = { threads: 0, done: 0, waiting: 0, syscalls: {} }
    const watched = { folders: 0, paths: 0, changes: 0 }
    const files = { descriptors: 0, heldBytes: 0 }
    const accessLog = { lines: 0, bytes: 0, dropped: 0 }
    return {
      workers: [],
      traffic: [],
      upstreams: [],
      channels: [],
      files,
      watched,
      accessLog,
      io,
    }
  }

  /** A question as a worker would ask it. */
  question(path: string, { worker = 0, route = 0 } = {}): QuestionEvent {
    return { type: 'question', worker, id: ++this.#lastQuestion, route, path }
  }
}

function showLook({ root, path, identity }: NativeAnswer['looks'][number]): string {
  return `${root}/${path}=${identity}`
}

function pretended(): never {
  throw new Error('a pretended core has no sockets')
}

/** An addon whose only gateway is `native`; `emit` sends it a batch of events. */
export function fakeAddon(native: FakeNative): {
  addon: NativeAddon
  emit: (...events: NativeEvent[]) => void
} {
  let onEvents: (events: NativeEvent[]) => void = () => {}
  const addon: NativeAddon = {
    createGateway(_config, receive) {
      onEvents = receive
      native.onLooked = (event) => receive([event])
      return native
    },
    capabilities: () => [],
    usableCpus: () => 1,
    checkTls: () => [],
    tlsLibrary: 'OpenSSL 0.0',
    buildKind: 'fake',
    bindSocket: pretended,
    socketAddress: pretended,
    connectTo: pretended,
    peerUser: pretended,
    sendDescriptors: pretended,
    receiveDescriptors: pretended,
    sendDatagram: pretended,
  }
  return { addon, emit: (...events) => onEvents(events) }
}
