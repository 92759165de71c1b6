// A process of its own that encodes files: it is given bytes over descriptor 3 and gives encoded
// bytes back, one file at a time (native/files/encoder.h has the frames). It yields to everything
// else on the machine, is the first to go when memory runs out, and ends when the gateway does.
// Must never need a path, a secret or a descriptor of the gateway.

import { readSync, writeFileSync, writeSync } from 'node:fs'
import { setPriority, constants as system } from 'node:os'
import * as zlib from 'node:zlib'

const connection = 3
const headBytes = 16

/** What a coding saves at least, as a share of the file; else it is not worth a second copy. */
const leastSaved = 1 / 20

/** Larger files are encoded with less effort: the best level takes a second for this many bytes. */
const bestEffortBytes = 512 * 1024

const { constants } = zlib

/** By their numbers in native/http/accept.h. */
const encoders: Record<number, (content: Buffer) => Buffer> = {
  1: (content) => zlib.gzipSync(content, { level: 9 }),
  2: (content) => {
    // No higher: RFC 9659 §3 has browsers refuse windows beyond 8 MB.
    const level = content.length <= bestEffortBytes ? 19 : 12
    return zlib.zstdCompressSync(content, {
      params: { [constants.ZSTD_c_compressionLevel]: level },
      pledgedSrcSize: content.length,
    })
  },
  3: (content) => {
    const quality = content.length <= bestEffortBytes ? 11 : 9
    return zlib.brotliCompressSync(content, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: quality,
        [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
      },
    })
  },
}

/** `count` bytes, or undefined when the other side has ended. */
function read(count: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(count)
  for (let have = 0; have < count; ) {
    const got = readSync(connection, bytes, have, count - have, null)
    if (got === 0) return undefined
    have += got
  }
  return bytes
}

function write(bytes: Uint8Array): void {
  for (let sent = 0; sent < bytes.length; ) sent += writeSync(connection, bytes, sent)
}

function answer(content: Buffer, coding: number): void {
  const encoded = encoders[coding]?.(content) ?? content
  const helps = encoded.length <= content.length * (1 - leastSaved)
  const head = Buffer.alloc(headBytes)
  head.writeUInt32LE(helps ? 0 : 1, 0)
  head.writeUInt32LE(helps ? zlib.crc32(encoded) : 0, 4)
  head.writeBigUInt64LE(BigInt(helps ? encoded.length : 0), 8)
  write(head)
  if (helps) write(encoded)
}

function yieldToOthers(): void {
  try {
    // Not the very lowest: where every processor is busy, that would be none at all.
    setPriority(system.priority.PRIORITY_BELOW_NORMAL)
    writeFileSync('/proc/self/oom_score_adj', '1000')
  } catch {
    // A sandbox that forbids it: it runs all the same.
  }
}

function serve(): void {
  for (let head = read(headBytes); head; head = read(headBytes)) {
    const content = read(Number(head.readBigUInt64LE(8)))
    if (content === undefined) return
    answer(content, head.readUInt32LE(0))
  }
}

// Ctrl-C in a terminal reaches every process of the group; the gateway says when to end.
process.on('SIGINT', () => {})
process.title = 'sluice-encoder'
yieldToOthers()
try {
  serve()
} catch (error) {
  // The gateway has gone while something was on its way to it.
  if (!['EPIPE', 'ECONNRESET'].includes(String((error as NodeJS.ErrnoException).code))) throw error
}
process.exit()
