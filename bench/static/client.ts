// Drives client.cc: builds it, checks what a server answers before anything is measured, runs it.

import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { clientCore, startOn } from './quiet.ts'
import { type Row, requestsOf } from './rows.ts'
import type { RunningServer } from './servers.ts'

export interface Load {
  answers: number
  bytes: number
  /** How often the client waited: answers / waits well above 1 says that it had to queue. */
  waits: number
  seconds: number
}

/** Compiles one of this folder's C++ programs into `folder` and returns its path. */
export function compile(name: string, folder: string): string {
  const source = new URL(`${name}.cc`, import.meta.url).pathname
  const program = join(folder, name)
  execFileSync('g++', ['-std=c++20', '-O2', '-o', program, source], { stdio: 'inherit' })
  return program
}

export class Client {
  readonly #program: string
  readonly #folder: string

  constructor(folder: string) {
    this.#program = compile('client', folder)
    this.#folder = folder
  }

  /** Asks for `seconds`, then for what is still under way. */
  async run(row: Row, server: RunningServer, seconds: number): Promise<Load> {
    const etag = row.conditional ? await etagOf(server.port, row.targets[0] ?? '/') : ''
    const file = join(this.#folder, 'requests')
    writeFileSync(
      file,
      requestsOf(row, server.port, etag)
        .map((text) => `${text}\0`)
        .join(''),
    )
    const args = [server.port, row.connections, seconds, file].map(String)
    const child = startOn(clientCore, this.#program, args)
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
    if (output === '') throw new Error(`${row.name}, ${server.name}: ${errors.trim()}`)
    return JSON.parse(output) as Load
  }
}

async function text(stream: NodeJS.ReadableStream | null): Promise<string> {
  return stream === null ? '' : (await buffer(stream)).toString()
}

async function ask(port: number, path: string, headers = {}): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  get({ port, host: '127.0.0.1', path, agent: false, headers }, resolve).on('error', reject)
  return promise
}

async function etagOf(port: number, path: string): Promise<string> {
  const reply = await ask(port, path)
  reply.destroy()
  return reply.headers.etag ?? ''
}

/** Throws unless the server answers every target of the row with the file's bytes. */
export async function verify(row: Row, server: RunningServer, site: string): Promise<void> {
  for (const path of row.targets) {
    const reply = await ask(server.port, path)
    const body = await buffer(reply)
    if (reply.statusCode === 200 && body.equals(readFileSync(join(site, path)))) continue
    throw new Error(`${server.name} answers ${path} with ${reply.statusCode} or other bytes`)
  }
  if (row.status === undefined) return
  const [path = '/'] = row.targets
  const headers = { 'If-None-Match': await etagOf(server.port, path) }
  const reply = await ask(server.port, path, headers)
  reply.resume()
  if (reply.statusCode === row.status) return
  throw new Error(`${server.name} answers ${row.name} with ${reply.statusCode}`)
}

/** Whether a command is there to be run. */
export function has(command: string): boolean {
  return spawnSync('which', [command]).status === 0
}
