// The files that a configuration was made of. Types only.

/** A file that was read to evaluate a configuration, and what it held. */
export interface ModuleState {
  /** Absolute, without symbolic links. */
  path: string
  /** Of its bytes; '' when it could not be read, or was not there. */
  hash: string
}
