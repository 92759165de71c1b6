// The part of the resolved configuration that is about files. Plain data, as in resolved.ts.

import type { ContentCoding } from '../native/interface.ts'

/** Which encodings are made of which files. */
export interface ResolvedCompress {
  codings: ContentCoding[]
  /** Of a file. */
  minBytes: number
  maxBytes: number
}

/** What a route takes in. */
export interface ResolvedUpload {
  enabled: boolean
  /** Bytes of a file; absent: limits.bodyBytes. */
  bodyBytes?: number
  /** Bytes of all files; 0: no limit. */
  quota: number
  replace: boolean
  delete: boolean
  directories: boolean
  fsync: boolean
}

/** Files beneath a directory, and how they are served. */
export interface ResolvedFileSet {
  kind: 'files'
  /** Absolute. */
  root: string
  index: string[]
  /** Beneath the root; '': none. */
  fallback: string
  cleanUrls: boolean | 'redirect'
  list: boolean
  /** Files beneath the root, by status. */
  errors: Record<string, string>
  /** Names that begin with a dot are served (never by default; '/.well-known/' always). */
  dotfiles: boolean
  /** Patterns of names that are not served. */
  hide: string[]
  /** Patterns of files that are also served under a name with a version in it. */
  cacheBusting: string[]
  symlinks: 'inside' | 'follow'
  /** Encoded files beside a file are sent to clients that take them. */
  precompressed: boolean
  compress: ResolvedCompress
  upload: ResolvedUpload
  /** Fields added to every answer, and, by pattern, to those of the files that fit. */
  headers: Record<string, string | Record<string, string>>
  /** A value for every file, or values by pattern. */
  cacheControl: string | Record<string, string>
  transfer: 'auto' | 'copy'
  /** false: read and sent, whatever `transfer` says. */
  sendfile: boolean
}
