// Why a gateway could not listen, in the words of whatever could not be had. Main thread.

import type { ResolvedConfig } from '../config/resolved.ts'
import { AccessLogError } from '../native/access-log.ts'
import { ListenError } from '../native/listening.ts'

/** `thrown`: by the core. */
export function whyNotListening({ accessLog, listen }: ResolvedConfig, thrown: unknown): Error {
  const cause = thrown as NodeJS.ErrnoException & { call?: string }
  if (cause.call === 'access log' && accessLog) return new AccessLogError(accessLog.to, cause)
  return new ListenError(listen, cause)
}
