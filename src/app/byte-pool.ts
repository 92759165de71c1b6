// Memory for copies of large bodies, used again: to allocate 64 KiB outside of V8's heap for every
// answer keeps its collector busy for longer than the copy takes. A piece goes back only when
// nobody can read or write it any more; whoever is not sure lets it go to the collector instead.

const smallestBits = 14
const largestBits = 20
/** Of all free pieces. */
const mostFreeBytes = 8 * 1024 * 1024

const free: Uint8Array<ArrayBuffer>[][] = []
let freeBytes = 0

/** Bodies of fewer bytes are not worth it, larger ones would hold too much. */
export function isPooled(length: number): boolean {
  return length > 1 << smallestBits && length <= 1 << largestBits
}

/** `bytes` copied into memory of the pool; isPooled() of their length is true. */
export function pooledCopy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const bits = 32 - Math.clz32(bytes.length - 1)
  const piece = free[bits]?.pop()
  if (piece !== undefined) freeBytes -= piece.length
  const room = piece ?? new Uint8Array(1 << bits)
  const copy = room.subarray(0, bytes.length)
  copy.set(bytes)
  return copy
}

/** Gives back what pooledCopy() made; once. */
export function giveBack({ buffer }: Uint8Array<ArrayBuffer>): void {
  const { byteLength } = buffer
  if (freeBytes + byteLength > mostFreeBytes) return
  freeBytes += byteLength
  const bits = 31 - Math.clz32(byteLength)
  free[bits] ??= []
  free[bits].push(new Uint8Array(buffer))
}
