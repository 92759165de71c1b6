// What a command is, and how its arguments become values: strict, with a suggestion for every slip.

import { parseArgs } from 'node:util'
import { didYouMean } from '../config/suggest.ts'

/** One option of a command line. */
export interface CommandOption {
  /** What stands after it in the help, such as 'FILE'; without one it is a switch. */
  value?: string
  /** One line of help. */
  help: string
}

/** What a command is given. */
export interface Invocation {
  /** Arguments that are no options, at most as many as the command takes. */
  words: string[]
  /** Values of the options that were given; switches are ''. */
  options: Record<string, string | undefined>
}

export interface Command {
  name: string
  /** Its arguments in the help, such as '[METHOD] URL'. */
  usage: string
  /** One line for the list of commands. */
  summary: string
  /** What else its own help says. */
  details: string
  options: Record<string, CommandOption>
  /** How many words it takes, at least and at most. */
  words: readonly [least: number, most: number]
  /** Resolves with the exit code. */
  run(invocation: Invocation): Promise<number>
}

/** Somebody called us wrongly: one line, exit code 2. */
export class UsageError extends Error {
  readonly code = 'ERR_SLUICE_USAGE'
  override name = 'UsageError'
}

/** Reads the arguments of a command. Throws UsageError. */
export function parseInvocation(command: Command, args: string[]): Invocation {
  const known: Command['options'] = { ...command.options, help: { help: 'show this' } }
  const options = Object.fromEntries(
    Object.entries(known).map(([name, { value }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  )
  const { tokens } = parseArgs({
    args,
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const invocation: Invocation = { words: [], options: {} }
  for (const token of tokens) {
    if (token.kind === 'positional') invocation.words.push(token.value)
    if (token.kind === 'option') {
      // '--config --port' is a forgotten value; '--config=--port' would be a file of that name.
      const swallowed = token.inlineValue === false && token.value.startsWith('-')
      const value = swallowed ? undefined : token.value
      invocation.options[token.name] = optionValue(token.name, token.rawName, value, known)
    }
  }
  // Whoever asks for help need not have got the rest right.
  if (invocation.options.help === undefined) checkWords(command, invocation.words)
  return invocation
}

function optionValue(
  name: string,
  rawName: string,
  value: string | undefined,
  known: Record<string, CommandOption>,
): string {
  const option = Object.hasOwn(known, name) ? known[name] : undefined
  if (option === undefined) {
    const names = Object.keys(known).map((key) => `--${key}`)
    throw new UsageError(`unknown option '${rawName}'${didYouMean(rawName, names)}`)
  }
  if (option.value === undefined) {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`)
    return ''
  }
  if (value === undefined || value === '') throw new UsageError(`${rawName} needs ${option.value}`)
  return value
}

function checkWords({ name, usage, words: [least, most] }: Command, words: string[]): void {
  if (words.length < least) throw new UsageError(`${name} needs ${usage}`)
  const surplus = words[most]
  if (surplus !== undefined) throw new UsageError(`unexpected argument '${surplus}'`)
}
