// What TypeScript and the core tell each other of encoded files: part of interface.ts.

/** A content coding that a file can be held in, by its name in Content-Encoding. */
export type ContentCoding = 'br' | 'zstd' | 'gzip'

/** An open file in a content coding. */
export interface NativeVariant {
  coding: ContentCoding
  file: number
}

/** A file that is to be encoded. */
export interface EncodeJob {
  /** Id of an open file. */
  file: number
  coding: ContentCoding
  /** Where what does not fit into memory is kept, without a name; '': in memory all the same. */
  directory: string
}

/** The outcome of NativeGateway.encode(). */
export interface EncodedEvent {
  type: 'encoded'
  id: number
  /**
   * 'useless': hardly smaller than the file. 'changed': the file has another content by now, or may
   * have without its times telling. 'failed': the process ended, or there is no room.
   */
  outcome: 'made' | 'useless' | 'changed' | 'failed'
  /** Id of the encoded file when it was made, else 0. The caller owns it: release() it once. */
  file: number
  /** Bytes of the encoded file. */
  size: number
  /** Bytes that are held for it, in memory or in a file without a name. */
  heldBytes: number
  hasDescriptor: boolean
  /** errno name when failed, else ''. */
  error: string
}
