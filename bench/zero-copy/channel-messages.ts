// The messages of the channel benchmark, and how each server frames them on the wire: known to
// whoever sends and to whoever checks what has come, byte for byte.

/** What a message is made from; longer than any by `shifts`. */
const shifts = 65_536
let pattern = Buffer.alloc(0)

function patternOf(bytes: number): Buffer {
  if (pattern.length < bytes + shifts) {
    pattern = Buffer.allocUnsafe(bytes + shifts)
    for (let at = 0; at < pattern.length; at++) pattern[at] = (at * 2_654_435_761) >>> 24
  }
  return pattern
}

/** Puts message `number` into `into`: no two numbers have the same bytes. */
export function fillMessage(into: Buffer, number: number): void {
  const shift = (number * 4_099) % shifts
  patternOf(into.length).copy(into, 0, shift, shift + into.length)
  into.writeUInt32LE(number, 0)
}

/** How a message stands on the wire. */
export type Framing = 'chunk' | 'frame'

/** All bytes that a client gets for message `number`. */
export function wireOf(framing: Framing, number: number, bytes: number): Buffer {
  const message = Buffer.allocUnsafe(bytes)
  fillMessage(message, number)
  if (framing === 'frame') return Buffer.concat([frameHead(bytes), message])
  return Buffer.concat([Buffer.from(`${bytes.toString(16)}\r\n`), message, Buffer.from('\r\n')])
}

// RFC 6455 §5.2: final, binary, not masked.
function frameHead(bytes: number): Buffer {
  if (bytes < 126) return Buffer.from([0x82, bytes])
  if (bytes < 65_536) return Buffer.from([0x82, 126, bytes >> 8, bytes & 0xff])
  const head = Buffer.alloc(10)
  head.set([0x82, 127])
  head.writeBigUInt64BE(BigInt(bytes), 2)
  return head
}

/** Nanoseconds that every process of this machine counts from the same moment. */
export function nowNs(): number {
  return Number(process.hrtime.bigint())
}
