// Passes the core's events to whoever they concern. Main thread. Must never let a fault in one of
// them lose the others of its batch.

import type { FileQuestions } from '../files/questions.ts'
import type { NativeEvent } from '../native/interface.ts'
import { type Logger, logFault } from '../telemetry/log.ts'
import type { Generations } from './generations.ts'

export interface Receivers {
  logger: Logger
  questions: FileQuestions
  generations: Generations
  /** The core has ended. */
  end(): void
}

export function takeEvents(events: readonly NativeEvent[], receivers: Receivers): void {
  for (const event of events) {
    try {
      take(event, receivers)
    } catch (error) {
      const fields = { code: 'internal-error', err: error }
      receivers.logger.error(fields, `an event of type ${event.type} could not be handled`)
    }
  }
}

function take(event: NativeEvent, { logger, questions, generations, end }: Receivers): void {
  switch (event.type) {
    case 'question':
      questions.ask(event)
      break
    case 'looked':
      questions.looked(event)
      break
    case 'encoded':
      questions.encoded(event)
      break
    case 'touched':
      questions.touched(event.answers)
      break
    case 'stale':
      questions.stale(event.answers)
      break
    case 'fault':
      logFault(logger, event)
      if (event.code === 'out-of-descriptors') questions.relieve()
      break
    case 'adopted':
      generations.onAdopted(event.generation)
      break
    case 'retired':
      generations.onRetired(event.generation)
      break
    case 'ended':
      end()
      break
  }
}
