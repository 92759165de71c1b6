// Many clients of one stream, in a process of their own: each compares every byte with the pattern
// that the stream repeats. `fork('crowd-clients.ts')`; support/crowd.ts talks to it.

import { connect } from 'node:net'

export interface CrowdOrder {
  port: number
  target: string
  count: number
  /** In base64; the stream begins with it, and repeats it. */
  pattern: string
}

/** `least` and `most`: bytes that the clients have, without heads. */
export interface CrowdReport {
  joined: number
  least: number
  most: number
  wrong: number
  ended: number
}

const endOfHead = Buffer.from('\r\n\r\n')
const room = Buffer.allocUnsafeSlow(256 * 1024)
const got: number[] = []
let wrong = 0
let ended = 0

function begin({ port, target, count, pattern }: CrowdOrder): void {
  const once = Buffer.from(pattern, 'base64')
  // Whatever comes in one read is somewhere in it as a whole.
  const times = Math.ceil(room.length / once.length) + 1
  const repeated = Buffer.concat(Array.from({ length: times }, () => once))
  for (let client = 0; client < count; client++) {
    let head: Buffer | undefined = Buffer.alloc(0)
    const check = (bytes: Buffer) => {
      const at = got[client] ?? 0
      const from = at % once.length
      if (!bytes.equals(repeated.subarray(from, from + bytes.length))) wrong += 1
      got[client] = at + bytes.length
    }
    const callback = (size: number) => {
      if (head === undefined) {
        check(room.subarray(0, size))
        return true
      }
      head = Buffer.concat([head, room.subarray(0, size)])
      const end = head.indexOf(endOfHead)
      if (end < 0) return true
      if (!head.toString('latin1').startsWith('HTTP/1.1 200 ')) wrong += 1
      got[client] = 0
      const rest = head.subarray(end + endOfHead.length)
      head = undefined
      check(rest)
      return true
    }
    const socket = connect({ port, host: '127.0.0.1', onread: { buffer: room, callback } })
    // Without framing: the bytes of the stream and nothing else.
    socket.write(`GET ${target} HTTP/1.0\r\nHost: crowd\r\n\r\n`)
    socket.on('error', () => {})
    socket.on('close', () => {
      ended += 1
    })
  }
}

function report(): CrowdReport {
  const counts = Object.values(got)
  return {
    joined: counts.length,
    least: counts.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY),
    most: counts.reduce((one, other) => Math.max(one, other), 0),
    wrong,
    ended,
  }
}

process.on('message', (order: CrowdOrder | 'report') => {
  if (order === 'report') process.send?.(report())
  else begin(order)
})
process.on('disconnect', () => process.exit())
