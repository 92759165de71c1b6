// The part of RFC 6455 that an echo needs: frames of a client are unmasked and sent back as they
// are, a close is answered. No extensions; a frame of more than 1 MiB ends the connection.

import type { Duplex } from 'node:stream'

const mostBytes = 1024 * 1024
const closing = 8

/** `head` is what came with the request. */
export function echoFrames(socket: Duplex, head: Buffer): void {
  let received = head
  const take = (): void => {
    for (;;) {
      const frame = readFrame(received)
      if (frame === 'too large') return void socket.destroy()
      if (frame === undefined) return
      received = received.subarray(frame.size)
      socket.write(unmasked(frame))
      if (frame.code === closing) return void socket.end()
    }
  }
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    take()
  })
  socket.on('error', () => socket.destroy())
  take()
}

interface Frame {
  /** First byte: the last of a message or not, and the kind. */
  first: number
  code: number
  payload: Buffer
  /** Of the whole frame as it came. */
  size: number
}

function readFrame(bytes: Buffer): Frame | undefined | 'too large' {
  if (bytes.length < 2) return undefined
  const first = bytes.readUInt8(0)
  const short = bytes.readUInt8(1) & 0x7f
  const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0
  const maskAt = 2 + lengthBytes
  if (bytes.length < maskAt + 4) return undefined
  const length =
    lengthBytes === 8
      ? Number(bytes.readBigUInt64BE(2))
      : lengthBytes === 2
        ? bytes.readUInt16BE(2)
        : short
  if (length > mostBytes) return 'too large'
  const size = maskAt + 4 + length
  if (bytes.length < size) return undefined
  const mask = bytes.subarray(maskAt, maskAt + 4)
  const payload = Buffer.from(bytes.subarray(maskAt + 4, size))
  for (let i = 0; i < length; i++)
    payload.writeUInt8(payload.readUInt8(i) ^ mask.readUInt8(i % 4), i)
  return { first, code: first & 0x0f, payload, size }
}

function unmasked({ first, payload }: Frame): Buffer {
  const { length } = payload
  if (length < 126) return Buffer.concat([Buffer.from([first, length]), payload])
  if (length < 65_536) {
    return Buffer.concat([Buffer.from([first, 126, length >> 8, length & 0xff]), payload])
  }
  const head = Buffer.alloc(10)
  head.writeUInt8(first, 0)
  head.writeUInt8(127, 1)
  head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, payload])
}
