// How the core moves bytes: sizes in bytes.

export interface NativeTransfer {
  /** 'copy' turns every zero-copy path into its copying twin. */
  mode: 'auto' | 'copy'
  /** Files up to this many bytes are held in memory and sent by one send(2). */
  memoryBytes: number
  /** Proxied bodies that have, or go on for, at least this many bytes in one piece are spliced. */
  spliceBytes: number
  /** Room of the pipes that they go through. */
  pipeBytes: number
  /** A file that is copied is read in pieces of this size. */
  copyBytes: number
}
