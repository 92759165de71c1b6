// The kinds of value that an option can have. A kind says what it expects (for messages), how it is
// written (for the types and the documentation) and reads a value, reporting what is wrong.

import { type Place, shown } from './place.ts'
import { didYouMean } from './suggest.ts'
import { parseDuration, parseSize, showDuration, showSize } from './units.ts'

export interface Kind<T> {
  /** Ends the sentence "expected …". */
  expected: string
  /** The TypeScript type of what a person writes. */
  typescript: string
  /** The value made uniform, or undefined after reporting what is wrong. */
  read(value: unknown, place: Place): T | undefined
}

/** A whole number within bounds. */
export function count(min: number, max: number): Kind<number> {
  const expected = `a whole number from ${min} to ${max}`
  return measure('number', expected, min, max, (value) =>
    Number.isSafeInteger(value) ? (value as number) : undefined,
  )
}

/** Bounds in milliseconds; reads to milliseconds. */
export function duration(min: number, max: number): Kind<number> {
  const range = `from ${showDuration(min)} to ${showDuration(max)}`
  const expected = `milliseconds or a duration such as '5s' or '2m', ${range}`
  return measure('Duration', expected, min, max, parseDuration)
}

/** Bounds in bytes; reads to bytes. */
export function size(min: number, max: number): Kind<number> {
  const range = `from ${showSize(min)} to ${showSize(max)}`
  const expected = `bytes or a size such as '64kb' or '1mb', ${range}`
  return measure('Size', expected, min, max, parseSize)
}

function measure(
  typescript: string,
  expected: string,
  min: number,
  max: number,
  parse: (value: unknown) => number | undefined,
): Kind<number> {
  return {
    expected,
    typescript,
    read(value, place) {
      const number = parse(value)
      const fits = number !== undefined && number >= min && number <= max
      return fits ? number : place.mismatch(expected, value)
    },
  }
}

export function boolean(): Kind<boolean> {
  const expected = 'true or false'
  return {
    expected,
    typescript: 'boolean',
    read: (value, place) => (typeof value === 'boolean' ? value : place.mismatch(expected, value)),
  }
}

/** One of a few words. */
export function choice<const T extends readonly (string | boolean)[]>(
  ...words: T
): Kind<T[number]> {
  const quoted = words.map((word) => (typeof word === 'string' ? `'${word}'` : String(word)))
  const expected = quoted.join(' or ')
  return {
    expected,
    typescript: quoted.join(' | '),
    read(value, place) {
      const word = words.find((candidate) => candidate === value)
      if (word !== undefined) return word
      const texts = words.filter((known) => typeof known === 'string')
      const suggestion = typeof value === 'string' ? didYouMean(value, texts) : ''
      return place.mismatch(expected, value, suggestion)
    },
  }
}

/** A string that `wrong` has nothing to say against; what it says becomes the message. */
export function text(expected: string, wrong: (value: string) => string | undefined): Kind<string> {
  return {
    expected,
    typescript: 'string',
    read(value, place) {
      if (typeof value !== 'string') return place.mismatch(expected, value)
      const reason = wrong(value)
      if (reason === undefined) return value
      return place.report(`expected ${expected}, got ${shown(value)}: ${reason}`)
    },
  }
}

/** One or a list of them; reads to a list. */
export function oneOrMany<T>(kind: Kind<T>, fewest: number): Kind<T[]> {
  const expected = `${kind.expected}, or a list of such`
  const element = kind.typescript.includes('|') ? `(${kind.typescript})` : kind.typescript
  return {
    expected,
    typescript: `${kind.typescript} | readonly ${element}[]`,
    read(value, place) {
      if (!Array.isArray(value)) {
        const only = kind.read(value, place)
        return only === undefined ? undefined : [only]
      }
      if (value.length < fewest) return place.mismatch(expected, value)
      const items = value.map((item, index) => kind.read(item, place.at(index)))
      return items.every((item) => item !== undefined) ? items : undefined
    },
  }
}

/** `false` stands for `meaning`. */
export function falseFor<T, Off>(kind: Kind<T>, meaning: Off): Kind<T | Off> {
  return {
    expected: `${kind.expected}, or false`,
    typescript: `${kind.typescript} | false`,
    read: (value, place) => (value === false ? meaning : kind.read(value, place)),
  }
}

/** `false` stands for the empty list. */
export function orNone<T>(kind: Kind<T[]>): Kind<T[]> {
  return falseFor(kind, [])
}

/** `false` stands for the empty text. */
export function orNothing(kind: Kind<string>): Kind<string> {
  return falseFor(kind, '')
}

/** `false` stands for 0, which is no limit. */
export function orNoLimit(kind: Kind<number>): Kind<number> {
  return falseFor(kind, 0)
}

/** `reason` may refuse what `kind` has read, looking at all of it. */
export function refined<T>(kind: Kind<T>, refine: (value: T, place: Place) => T | undefined) {
  return {
    ...kind,
    read(value: unknown, place: Place): T | undefined {
      const read = kind.read(value, place)
      return read === undefined ? undefined : refine(read, place)
    },
  }
}
