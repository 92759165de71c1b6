// What others can ask of a running gateway over the socket in its run directory: who it is, and to
// reload. One line of JSON each way. Main thread. Only the user whose gateway it is gets there (the
// directory is 0700). Must never keep the process alive, nor let a slow or mad client cost memory.

import { createServer, connect as dial, type Server, type Socket } from 'node:net'
import {
  controlSocket,
  makeRunDirectory,
  removeRunDirectory,
  sweepRunDirectories,
} from '../app/run-directory.ts'
import { ConfigError } from '../config/errors.ts'
import type { ReloadResult } from './generations.ts'

/** Who a gateway is. */
export interface About {
  pid: number
  /** The configuration file, absolute; '' for an object. */
  file: string
  /** URLs. */
  addresses: string[]
  generation: number
}

/** What came of a reload that was asked for. */
export type ReloadAnswer =
  | { ok: true; generation: number; changed: boolean; addresses: string[]; warnings: string[] }
  /** `isConfig`: the configuration is wrong. */
  | { ok: false; message: string; isConfig: boolean }

export interface ControlActions {
  about(): About
  reload(): Promise<ReloadAnswer>
}

interface Answers {
  about: About
  reload: ReloadAnswer
}
type Question = keyof Answers

const mostBytes = 4_096
const mostConnections = 16
const requestPatienceMs = 10_000

/** The run directory of a gateway, from listen() to its end. */
export class Control {
  readonly directory: string
  readonly #server: Server

  /** Throws when there is nowhere to make it. */
  constructor(actions: ControlActions) {
    this.directory = makeRunDirectory()
    this.#server = createServer((socket) => void serve(socket, actions))
    this.#server.maxConnections = mostConnections
    this.#server.unref()
  }

  /** Resolves when it can be asked, and what killed gateways left is gone. */
  async start(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#server.once('error', reject)
    this.#server.listen(controlSocket(this.directory), resolve)
    await promise
    await sweepRunDirectories(this.directory)
  }

  /** Another process serves the configuration, and is asked from now on. */
  leave(): void {
    this.#server.close()
  }

  close(): void {
    this.leave()
    removeRunDirectory(this.directory)
  }
}

async function serve(socket: Socket, actions: ControlActions): Promise<void> {
  socket.unref()
  socket.on('error', () => socket.destroy())
  socket.setTimeout(requestPatienceMs, () => socket.destroy())
  try {
    const question = (await lineOf(socket)) as { ask?: string } | null
    socket.setTimeout(0)
    if (question?.ask === 'about') return void socket.end(`${JSON.stringify(actions.about())}\n`)
    if (question?.ask !== 'reload') return void socket.destroy()
    socket.end(`${JSON.stringify(await actions.reload())}\n`)
  } catch {
    socket.destroy()
  }
}

/** The first line, parsed. */
async function lineOf(socket: Socket, most = mostBytes): Promise<unknown> {
  let text = ''
  for await (const chunk of socket.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += chunk
    const end = text.indexOf('\n')
    if (end >= 0) return JSON.parse(text.slice(0, end))
    if (text.length > most) break
  }
  throw new Error('no answer')
}

/** Asks the gateway of a run directory. Rejects when nobody is there, or it does not answer. */
export async function askGateway<Q extends Question>(
  directory: string,
  ask: Q,
  patienceMs: number,
): Promise<Answers[Q]> {
  const socket = dial(controlSocket(directory))
  socket.setTimeout(patienceMs, () => socket.destroy(new Error('it does not answer')))
  socket.write(`${JSON.stringify({ ask })}\n`)
  try {
    return (await lineOf(socket, Number.POSITIVE_INFINITY)) as Answers[Q]
  } finally {
    socket.destroy()
  }
}

/** For whoever asked. */
export function confirmation({ addresses, ...result }: ReloadResult): ReloadAnswer {
  return { ok: true, ...result, addresses: addresses.map(({ url }) => url) }
}

/** For whoever asked: the same text that `sluice check` prints. */
export function refusal(error: unknown): ReloadAnswer {
  const message = error instanceof Error ? error.message : String(error)
  return { ok: false, message, isConfig: error instanceof ConfigError }
}
