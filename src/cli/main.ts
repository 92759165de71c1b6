// From arguments to an exit code: which command, and what is said when it fails.

import { ConfigError } from '../config/errors.ts'
import { didYouMean } from '../config/suggest.ts'
import { packageInfo } from '../telemetry/package-info.ts'
import { type Command, parseInvocation, UsageError } from './command.ts'
import { commands } from './commands.ts'
import { commandHelp, generalHelp } from './help.ts'

/** Runs the command that the arguments name; resolves with the exit code, never rejects. */
export function main(args: string[]): Promise<number> {
  noticeLostOutput()
  return dispatch(args).catch(report)
}

// The console drops what cannot be written: a script would take half a configuration for all of it.
function noticeLostOutput(): void {
  process.stdout.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return // whoever read it has seen enough
    console.error(`sluice: standard output cannot be written: ${error.message}`)
    process.once('exit', () => {
      process.exitCode ||= 1
    })
  })
}

/** Throws UsageError. */
function commandNamed(name: string): Command {
  const command = commands.find((candidate) => candidate.name === name)
  if (command !== undefined) return command
  const names = ['help', ...commands.map((candidate) => candidate.name)]
  throw new UsageError(`unknown command '${name}'${didYouMean(name, names)}`)
}

async function dispatch(args: string[]): Promise<number> {
  const [first = 'run', ...rest] = args
  if (first === '--version') return say(`sluice ${packageInfo().version}`)
  if (first === '--help' || first === '-h') return say(generalHelp(commands))
  if (first === 'help') {
    const [topic] = rest
    return say(topic === undefined ? generalHelp(commands) : commandHelp(commandNamed(topic)))
  }
  // Options without a command belong to `run`.
  const isOption = first.startsWith('-')
  const command = commandNamed(isOption ? 'run' : first)
  const invocation = parseInvocation(command, isOption ? args : rest)
  if (invocation.options.help !== undefined) return say(commandHelp(command))
  return command.run(invocation)
}

function say(text: string): number {
  console.log(text)
  return 0
}

// Errors of ours have a code and a message for people; anything else is a fault, with its stack.
function report(error: unknown): number {
  const code = (error as { code?: unknown } | null)?.code
  const ours = error instanceof Error && String(code).startsWith('ERR_SLUICE_')
  const fault = error instanceof Error ? error.stack : String(error)
  console.error(`sluice: ${ours ? error.message : fault}`)
  if (error instanceof UsageError) console.error('sluice --help shows what there is')
  return error instanceof UsageError || error instanceof ConfigError ? 2 : 1
}
