// Durations and sizes as people write them: '5s', '64kb'. A bare number is milliseconds or bytes.

/** `'250ms'`, `'5s'`, `'2m'`, `'1h'`, `'1d'`, or a number of milliseconds. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/** `'512b'`, `'64kb'`, `'1mb'`, `'2gb'` (1 kb is 1024 bytes), or a number of bytes. */
export type Size = number | `${number}${'b' | 'kb' | 'mb' | 'gb'}`

const durations: Record<string, number> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
const sizes: Record<string, number> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }

/** Milliseconds, or undefined when the value is not a duration. */
export function parseDuration(value: unknown): number | undefined {
  return parse(value, durations)
}

/** Bytes, or undefined when the value is not a size. */
export function parseSize(value: unknown): number | undefined {
  return parse(value, sizes)
}

/** The shortest exact spelling: 5000 is '5s', 1500 is '1500ms'. */
export function showDuration(milliseconds: number): string {
  return show(milliseconds, durations, 'ms')
}

/** The shortest exact spelling: 65536 is '64kb'. */
export function showSize(bytes: number): string {
  return show(bytes, sizes, 'b')
}

function parse(value: unknown, units: Record<string, number>): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined
  if (typeof value !== 'string') return undefined
  const parts = /^(\d+(?:\.\d+)?) ?([a-z]+)$/i.exec(value)
  const unit = units[parts?.[2]?.toLowerCase() ?? '']
  if (unit === undefined) return undefined
  const whole = Math.round(Number(parts?.[1]) * unit)
  return Number.isSafeInteger(whole) ? whole : undefined
}

function show(value: number, units: Record<string, number>, smallest: string): string {
  if (value === 0) return `0${smallest}`
  const fitting = Object.entries(units).filter(([, factor]) => value % factor === 0)
  const [name, factor] = fitting.at(-1) ?? [smallest, 1]
  return `${value / factor}${name}`
}
