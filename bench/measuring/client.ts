// Drives client.cc: builds it, gives it the requests of a row, reads what it counted.

import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { basename, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { clientCore, startOn } from './quiet.ts'
import type { RunningServer } from './servers.ts'

/** What a client asked for and got in one turn. */
export interface Load {
  answers: number
  /** Received, and sent where that is more than heads. */
  bytes: number
  /** How often the client waited: answers / waits well above 1 says that it had to queue. */
  waits: number
  seconds: number
  /** Seconds of CPU time of the client (and of what else works on its core). */
  cpu: number
}

/** Compiles a C++ program into `folder` and returns its path. */
export function compile(source: URL, folder: string): string {
  const program = join(folder, basename(source.pathname, '.cc'))
  execFileSync('g++', ['-std=c++20', '-O2', '-o', program, source.pathname], { stdio: 'inherit' })
  return program
}

/** Runs a program that prints what it did as JSON, on the client's core. */
export async function runClient<Said = Load>(
  program: string,
  args: readonly string[],
): Promise<Said> {
  const child = startOn(clientCore, program, args)
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
  if (output === '') throw new Error(errors.trim())
  return JSON.parse(output) as Said
}

export class Client {
  readonly #program: string
  readonly #folder: string

  constructor(folder: string) {
    this.#program = compile(new URL('client.cc', import.meta.url), folder)
    this.#folder = folder
  }

  /** Asks for `seconds`, then for what is still under way. */
  async run(
    requests: readonly string[],
    connections: number,
    server: RunningServer,
    seconds: number,
  ): Promise<Load> {
    const file = join(this.#folder, 'requests')
    writeFileSync(file, requests.map((request) => `${request}\0`).join(''))
    return runClient(this.#program, [server.port, connections, seconds, file].map(String))
  }
}

async function text(stream: NodeJS.ReadableStream | null): Promise<string> {
  return stream === null ? '' : (await buffer(stream)).toString()
}

/** One request on a connection of its own. */
export async function ask(port: number, path: string, headers = {}): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  get({ port, host: '127.0.0.1', path, agent: false, headers }, resolve).on('error', reject)
  return promise
}

/** Whether a command is there to be run. */
export function has(command: string): boolean {
  return spawnSync('which', [command]).status === 0
}
