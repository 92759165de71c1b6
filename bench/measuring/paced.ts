// Drives paced.cc, a client that asks at a fixed rate: builds it, runs it, reads how long answers
// took.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compile, runClient } from './client.ts'

/** Microseconds, from the moment at which each request was due. */
export interface Latency {
  answers: number
  p50: number
  p99: number
  p999: number
  most: number
}

export interface Pace {
  connections: number
  /** Requests a second. */
  rate: number
  seconds: number
}

export class PacedClient {
  readonly #program: string
  readonly #folder: string

  constructor(folder: string) {
    this.#program = compile(new URL('paced.cc', import.meta.url), folder)
    this.#folder = folder
  }

  async run(port: number, request: string, pace: Pace): Promise<Latency> {
    const file = join(this.#folder, 'paced-request')
    writeFileSync(file, request)
    const { connections, rate, seconds } = pace
    const args = [port, connections, Math.round(rate), seconds, file].map(String)
    return runClient<Latency>(this.#program, args)
  }
}
