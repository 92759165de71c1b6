// What the control plane and a child process that is an app say to each other over their channel.
// Plain data; the channel copies it as structured clones. Types only.

import type { Problem } from '../config/errors.ts'
import type { HandlerLog } from '../config/functions.ts'
import type { ResolvedConfig } from '../config/resolved.ts'
import type { Publication } from '../native/publication.ts'
import type { AppSockets } from './contract.ts'

/** The first thing that an app is told. */
export interface StartMessage {
  type: 'start'
  /** The configuration file as it was named, and without symbolic links. */
  file: string
  realFile: string
  /** What the gateway has read from it: the app must read the same. */
  resolved: ResolvedConfig
  /** Directory of the sockets, ours alone; the name of a socket begins with the generation. */
  runDirectory: string
  generation: number
  secret: string
}

export type ToApp =
  | StartMessage
  /** Answered at once, unless the app's loop is blocked. */
  | { type: 'ping'; sequence: number }

export type FromApp =
  | { type: 'ready'; sockets: AppSockets; host: string }
  /** It cannot start; it exits. */
  | { type: 'failed'; problems: readonly Problem[] }
  | { type: 'pong'; sequence: number }
  | { type: 'log'; lines: LogLine[] }
  | { type: 'publish'; channel: string; publication: Publication }

/** A line of a handler's log. `fields` are plain data. */
export interface LogLine {
  level: keyof HandlerLog
  fields: object
  message: string
}
