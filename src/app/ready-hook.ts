// What a ready-made hook is in the app.

import type { HookVerdict } from '../config/hooks.ts'
import type { QuestionHead } from './hook-head.ts'

/** Decides about one request. */
export type ReadyMade = (
  head: QuestionHead,
) => HookVerdict | undefined | Promise<HookVerdict | undefined>
