// One app as a child process, as the control plane sees it: started, spoken to, ended. Main thread.
// It has a process group of its own, so that what it has started goes with it. It must never
// outlive the gateway: its channel ends, and where the system can it is killed by the kernel.

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Problem } from '../config/errors.ts'
import { extensionOf } from '../config/own-files.ts'
import type { PublishTo } from '../native/publication.ts'
import { childCommand, childEnvironment } from './child.ts'
import type { AppSockets } from './contract.ts'
import { forwardLines } from './lines.ts'
import type { FromApp, LogLine, StartMessage, ToApp } from './messages.ts'

/** What an app does by itself. */
export interface AppEvents {
  onReady(sockets: AppSockets, host: string): void
  onFailed(problems: readonly Problem[]): void
  onPong(sequence: number): void
  onLog(lines: LogLine[]): void
  onPublish: PublishTo
  /** A line that it printed. */
  onPrinted(line: string, to: 'stdout' | 'stderr'): void
  onPrintedTooMuch(count: number): void
  /** It has ended ('exit code 1', 'SIGKILL') or could not be started. Once, the last event. */
  onGone(how: string): void
}

// An app that has ended may have said why; its channel is read to its end, for so long.
const lastWordsMs = 1_000

export class AppProcess {
  readonly #child: ChildProcess

  constructor(start: StartMessage, events: AppEvents) {
    const program = new URL(`./main${extensionOf(import.meta.url)}`, import.meta.url)
    const [command = '', ...args] = childCommand(fileURLToPath(program))
    this.#child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
      env: childEnvironment(),
    })
    this.#listen(events)
    this.tell(start)
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Never throws: an app that is going does not listen. */
  tell(message: ToApp): void {
    if (this.#child.connected) this.#child.send(message, () => {})
  }

  /** To the process alone. */
  terminate(): void {
    this.#child.kill('SIGTERM')
  }

  /** To all that it has started, too. */
  kill(): void {
    const { pid } = this.#child
    if (pid === undefined) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has gone by itself.
    }
  }

  #listen(events: AppEvents): void {
    const child = this.#child
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = child[name]
      if (stream === null) continue
      forwardLines(stream, (line) => events.onPrinted(line, name), events.onPrintedTooMuch)
    }
    child.on('message', (message: FromApp) => receive(message, events))
    let isGone = false
    const gone = (how: string) => {
      if (isGone) return
      isGone = true
      // Whatever it has left behind.
      this.kill()
      events.onGone(how)
    }
    child.on('error', (error) => gone(error.message))
    // What it said last may still be on its way: the channel ends behind it.
    child.on('exit', (code, signal) => {
      const how = signal ?? `exit code ${code}`
      if (!child.connected) return gone(how)
      child.once('disconnect', () => gone(how))
      setTimeout(() => gone(how), lastWordsMs).unref()
    })
  }
}

function receive(message: FromApp, events: AppEvents): void {
  switch (message.type) {
    case 'ready':
      events.onReady(message.sockets, message.host)
      break
    case 'failed':
      events.onFailed(message.problems)
      break
    case 'pong':
      events.onPong(message.sequence)
      break
    case 'log':
      events.onLog(message.lines)
      break
    case 'publish':
      events.onPublish(message.channel, message.publication)
      break
  }
}
