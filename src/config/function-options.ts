// The options of handler() and mount(), as in options.ts. Written from the tables of
// schema*.ts: change those, then run scripts/generate-config-docs.ts.

import type { FilesRoot } from './files-root.ts'
import type { Hooks } from './hooks.ts'
import type { PathParams } from './path-params.ts'
import type { Duration, Size } from './units.ts'

/** Options of handler(). */
export interface HandlerOptions<Params = PathParams> {
  /**
   * From the end of a request to the head of its answer; then 504. 0: no limit. Default:
   * `'timeouts.handler'`.
   */
  timeout?: Duration
  /** Body of a request; more is answered with 413. Default: `'limits.bodyBytes'`. */
  bodyBytes?: Size
  /**
   * The files that context.file() answers with: a directory, or files('directory', { … }) for
   * options such as cacheControl. Nobody else reaches them. Default: none.
   */
  root?: FilesRoot
  /** What requests pass before the action. See docs/HOOKS.md. Default: none. */
  hooks?: Hooks<Params>
}

/** Options of mount(). */
export interface MountOptions<Params = PathParams> {
  /**
   * From the end of a request to the head of its answer; then 504. 0: no limit. Default:
   * `'timeouts.handler'`.
   */
  timeout?: Duration
  /** Body of a request; more is answered with 413. Default: `'limits.bodyBytes'`. */
  bodyBytes?: Size
  /** What requests pass before the action. See docs/HOOKS.md. Default: none. */
  hooks?: Hooks<Params>
}
