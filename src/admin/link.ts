// What a gateway has of its admin listener: makes it, where the configuration has one, and answers
// its questions from what the gateway gives. Main thread.

import type { ResolvedConfig } from '../config/resolved.ts'
import type { FileQuestions } from '../files/questions.ts'
import type { NativeGateway } from '../native/interface.ts'
import { AdminServer } from './server.ts'
import type { AdminSubject, Eviction } from './subject.ts'

export interface AdminSources extends Omit<AdminSubject, 'evict'> {
  native: Pick<NativeGateway, 'match'>
  questions: Pick<FileQuestions, 'evict'>
}

export function linkAdmin(
  resolved: ResolvedConfig,
  sources: AdminSources,
): AdminServer | undefined {
  if (!resolved.admin) return undefined
  const evict = ({ path, host, beneath }: Eviction) => {
    const { route, rest } = sources.native.match('GET', host || 'localhost', path)
    return route < 0 || rest === null ? 0 : sources.questions.evict(route, rest, beneath)
  }
  return new AdminServer(resolved.admin, { ...sources, evict })
}
