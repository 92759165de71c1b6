// The command line: which command, its exit code, and what is printed when it fails. Run as a program
// by bin/sluice. Exit codes: 0 fine, 1 failed at run time, 2 bad usage or bad configuration.

import { type Command, parseInvocation, UsageError } from './cli/command.ts'
import { commands } from './cli/commands.ts'
import { commandHelp, generalHelp } from './cli/help.ts'
import { packageInfo } from './cli/package-info.ts'
import { ConfigError } from './config/errors.ts'
import { didYouMean } from './config/suggest.ts'

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
  console.error(
    `sluice: ${ours ? error.message : (error instanceof Error && error.stack) || error}`,
  )
  if (error instanceof UsageError) console.error('sluice --help shows what there is')
  return error instanceof UsageError || error instanceof ConfigError ? 2 : 1
}

process.exitCode = await dispatch(process.argv.slice(2)).catch(report)
