// Sockets that the process as a whole deals with: those of the admin listener, those that are
// handed to a successor or come from a predecessor, and words to a service manager. Here
// descriptors are plain numbers: such a socket lives as long as its listener, in no cache.

import type { NativeAddress } from './values.ts'

export interface NativeSockets {
  /** A listening socket at (host, port) or (path, null). Throws with a `code`. */
  bindSocket(at: string, port: number | null): { fd: number; address: NativeAddress }
  /** Where a stream socket is bound; null: it is none. */
  socketAddress(fd: number): NativeAddress | null
  /** Connects to a unix socket; reads and writes on it block, for at most `patienceMs`. */
  connectTo(path: string, patienceMs: number): number
  /** User id of the process at the other end of a unix socket. */
  peerUser(fd: number): number
  /** One message with text and at most 200 descriptors, which stay the caller's too. */
  sendDescriptors(socket: number, text: string, descriptors: readonly number[]): void
  /** Waits for one message; '' at the end of the stream. */
  receiveDescriptors(socket: number): { text: string; descriptors: number[] }
  /** One datagram to a unix socket; a path that begins with '@' is abstract. Never waits. */
  sendDatagram(path: string, text: string): void
}
