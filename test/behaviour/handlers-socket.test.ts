// The same of handlers whose answers workers fetch over the handlers' socket, all of them: here no
// answer is small enough for a verdict.

import { verdictBound } from '../../src/app/question-exchange.ts'

verdictBound.bytes = -1
await import('../support/handler-tests.ts')
