// The log: one JSON line per event on stderr, by pino. Main thread; stdout stays free for the lines
// that scripts wait for. Must never throw into whoever logs.

import { pino } from 'pino'
import { errorInfo } from '../native/errors.ts'
import type { FaultEvent, NativeCapability } from '../native/interface.ts'

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** What the gateway needs of a logger; a pino logger is one. */
export interface Logger {
  /** From which level on lines are written, if it can be asked and set. */
  level?: string
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/**
 * A logger that writes JSON lines to stderr. `level` defaults to SLUICE_LOG, else 'info'; a word in
 * SLUICE_LOG that is no level counts as 'info'.
 */
export function createLogger(level: LogLevel = levelFrom(process.env.SLUICE_LOG)): Logger {
  // Synchronous: the last line before an exit is the one that matters. Faults are rate-limited.
  return pino({ level, base: { pid: process.pid } }, pino.destination({ dest: 2, sync: true }))
}

/** The level that `word` names, else 'info'. */
export function levelFrom(word: string | undefined): LogLevel {
  return logLevels.find((level) => level === word) ?? 'info'
}

/**
 * Logs a fault of the core: an error when it is ours, a warning when a peer or a limit caused it.
 */
export function logFault(logger: Logger, { code, message, worker }: FaultEvent): void {
  const info = errorInfo(code)
  const ours = info?.source === 'internal' && info.status === 500
  logger[ours ? 'error' : 'warn']({ code, worker }, message)
}

/** One line for what the kernel or its filters refuse here, and what is used instead. */
export function logFallbacks(
  logger: Logger,
  capabilities: readonly NativeCapability[],
  listeners: readonly { tls?: unknown }[],
): void {
  const speaksTls = listeners.some(({ tls }) => tls !== undefined)
  const matters = (name: string) => speaksTls || name !== 'kTLS'
  const refused = capabilities.filter(({ name, available }) => !available && matters(name))
  if (refused.length === 0) return
  const shown = refused.map(({ name, error, detail }) => `${name} (${error}): ${detail}`)
  logger.info({ code: 'fallback' }, `refused here, with what is done instead: ${shown.join('; ')}`)
}
