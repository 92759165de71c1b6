// A process of gateways as the measuring process has it.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { extensionOf } from '../../config/own-files.ts'
import type { Figures, FromServer, GatewaySettings, ToServer } from './messages.ts'

const program = fileURLToPath(new URL(`./server${extensionOf(import.meta.url)}`, import.meta.url))

export class ServerProcess {
  readonly #child: ChildProcess
  #ports: Record<string, number> = {}

  private constructor() {
    this.#child = fork(program, { execArgv: ['--disable-warning=ExperimentalWarning'] })
  }

  /** Rejects with an Error that says why a gateway does not start. */
  static async start(gateways: GatewaySettings[]): Promise<ServerProcess> {
    const server = new ServerProcess()
    const answer = await server.#ask({ type: 'start', gateways })
    if (answer.type === 'ready') {
      server.#ports = answer.ports
      return server
    }
    server.stop()
    throw new Error(answer.type === 'failed' ? answer.message : 'a gateway said nothing of use')
  }

  /** Of the gateway of that name. */
  port(name: string): number {
    return this.#ports[name] ?? 0
  }

  async figures(name: string): Promise<Figures> {
    const answer = await this.#ask({ type: 'figures', name })
    if (answer.type === 'figures') return answer.figures
    throw new Error('a gateway has no figures')
  }

  stop(): void {
    this.#child.kill('SIGKILL')
  }

  async #ask(message: ToServer): Promise<FromServer> {
    const gone = new AbortController()
    const onGone = () => gone.abort(new Error('a gateway of the benchmark ended'))
    this.#child.once('exit', onGone)
    try {
      const answered = once(this.#child, 'message', { signal: gone.signal })
      this.#child.send(message)
      const [answer] = await answered
      return answer as FromServer
    } finally {
      this.#child.off('exit', onGone)
    }
  }
}
