// Lines of handlers on their way to the gateway's log: sent together once a turn, and bounded,
// since a log must not fill the memory of either side. Runs in the app.

import type { AppLog } from './call.ts'
import type { LogLine } from './messages.ts'

/** Lines that wait or are on their way; more are dropped and counted. */
const mostLines = 1_000

/** `send` calls back when its lines have left. */
export function logChannel(send: (lines: LogLine[], onSent: () => void) => void): AppLog {
  let waiting: LogLine[] = []
  let onTheirWay = 0
  let dropped = 0
  const flush = () => {
    const lines = waiting
    waiting = []
    onTheirWay += lines.length
    if (dropped > 0)
      lines.push({ level: 'warn', fields: { dropped }, message: 'log lines dropped' })
    dropped = 0
    const count = lines.length
    send(lines, () => {
      onTheirWay -= count
    })
  }
  return (level, fields, message) => {
    if (waiting.length + onTheirWay >= mostLines) {
      dropped++
      return
    }
    if (waiting.length === 0) setImmediate(flush)
    waiting.push({ level, fields: plain(fields), message })
  }
}

// Structured clones know no functions; a line with one must not be lost, or throw into a handler.
function plain(fields: object): object {
  try {
    return structuredClone(fields)
  } catch {
    return { fields: String(fields) }
  }
}
