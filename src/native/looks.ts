// Paths that the core looks at. Only types.

/** Where to look, and how. */
export interface LookAt {
  root: string
  /** Relative, no leading slash; '' is the root itself. */
  path: string
  /** Symlinks may lead out of the root. */
  follow: boolean
  /** A directory's entries are wanted, and its identity is theirs. */
  list: boolean
}

/** A path that an answer rests on, and what was there (identity of a LookedEvent). */
export interface Look extends LookAt {
  identity: bigint
}
