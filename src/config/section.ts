// A section is a table of options: an object in the configuration whose keys, kinds, defaults and
// meaning stand in config/schema.ts. Reading one reports unknown keys and fills in the defaults.

import type { Kind } from './kinds.ts'
import { isPlainObject, type Place } from './place.ts'
import { didYouMean } from './suggest.ts'

export interface Option<T> {
  kind: Kind<T>
  /** As a person would write it; a function when the machine decides; undefined: none. */
  default: unknown
  /** The default in words, where its value says too little. */
  defaultText?: string
  /** It has to be there; there is no default then. */
  required?: boolean
  /** What it is for, in one or two sentences. */
  doc: string
}

/** One option for every key of the resolved object. */
export type Section<T> = { readonly [Key in keyof T]-?: Option<T[Key]> }

/** Reads an object by its table. Every wrong or unknown key is reported. */
export function readSection<T extends object>(
  section: Section<T>,
  value: unknown,
  place: Place,
): T | undefined {
  if (!isPlainObject(value)) return place.mismatch('an object', value)
  const known = Object.keys(section) as (keyof T & string)[]
  const strangers = Object.keys(value).filter((key) => !Object.hasOwn(section, key))
  for (const key of strangers) place.at(key).report(`unknown option${didYouMean(key, known)}`)
  let complete = strangers.length === 0
  const read: Partial<T> = {}
  for (const key of known) {
    const result = readOption(section[key], value[key], place.at(key))
    if (result.wrong) complete = false
    else if (result.value !== undefined) read[key] = result.value
  }
  return complete ? (read as T) : undefined
}

function readOption<T>(option: Option<T>, given: unknown, place: Place) {
  const value = given === undefined ? defaultOf(option) : given
  if (value === undefined) {
    if (option.required) place.report(`expected ${option.kind.expected}, got nothing`)
    return { wrong: option.required === true, value: undefined }
  }
  const read = option.kind.read(value, place)
  return { wrong: read === undefined, value: read }
}

function defaultOf(option: Option<unknown>): unknown {
  return typeof option.default === 'function' ? option.default() : option.default
}

/** A section as the value of an option. */
export function section<T extends object>(table: Section<T>, typescript: string): Kind<T> {
  return {
    expected: 'an object',
    typescript,
    read: (value, place) => readSection(table, value, place),
  }
}

/** A bare value stands for the section's option `key`: `listen: 8080`. */
export function shorthand<T extends object>(
  table: Section<T>,
  typescript: string,
  key: keyof T & string,
): Kind<T> {
  const bare = table[key].kind
  const expected = `${bare.expected}, or an object`
  return {
    expected,
    typescript: `${bare.typescript} | ${typescript}`,
    read(value, place) {
      if (isPlainObject(value)) return readSection(table, value, place)
      const canBeBare = typeof value !== 'object' || bare.typescript.includes('[]')
      if (!canBeBare) return place.mismatch(expected, value)
      // Read here first, so that the message names what was written, not the option it stands for.
      if (bare.read(value, place) === undefined) return undefined
      return readSection(table, { [key]: value }, place)
    },
  }
}
