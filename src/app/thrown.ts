// What a log can hold of anything that was thrown. Pure.

/** The error itself, or one that says what was thrown instead. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  return new Error(`${shownThrown(thrown)} was thrown instead of an Error`)
}

function shownThrown(thrown: unknown): string {
  const isPlain = typeof thrown !== 'object' && typeof thrown !== 'function'
  return isPlain || thrown === null ? String(thrown).slice(0, 200) : `a ${typeof thrown}`
}
