// Statuses as people write them: 200, or '2xx' for all that begin with a 2. Pure.

/** One status, or a class of them. */
export type StatusPattern = number | '2xx' | '3xx' | '4xx' | '5xx'

/** Whether a value is one. */
export function isStatusPattern(value: unknown): value is StatusPattern {
  if (typeof value === 'string') return /^[2-5]xx$/.test(value)
  return Number.isInteger(value) && (value as number) >= 200 && (value as number) <= 599
}

/** Whether `status` is meant by `pattern`. */
export function matchesStatus(pattern: StatusPattern, status: number): boolean {
  if (typeof pattern === 'number') return status === pattern
  return Math.floor(status / 100) === Number(pattern[0])
}
