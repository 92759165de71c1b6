// sluice reload: tells a running gateway to read its configuration again, and says what came of
// it. The gateway is found by its run directory (app/run-directory.ts).

import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { runDirectories } from '../app/run-directory.ts'
import { findConfig } from '../config/load.ts'
import { type About, askGateway } from '../gateway/control.ts'
import { type Command, type Invocation, UsageError } from './command.ts'
import { reloadLine } from './reloading.ts'

const aboutPatienceMs = 5_000
// Evaluation and start of the app have their own deadlines, and requests theirs.
const reloadPatienceMs = 10 * 60_000

export const reload: Command = {
  name: 'reload',
  usage: '',
  summary: 'tell a running gateway to read its configuration again',
  details: `Finds the gateway of this user that serves the configuration file here, or the one that
--config or --pid names. Exits with 0 when the configuration is served, with 2 when it is wrong (the
gateway goes on with the one before), with 1 when there is no such gateway or it could not reload.`,
  options: {
    config: { value: 'FILE', help: 'the configuration file that it serves' },
    pid: { value: 'PID', help: 'its process id' },
  },
  words: [0, 0],
  run: async (invocation) => {
    const found = await runningGateways()
    const { directory } = choose(found, invocation)
    const answer = await askGateway(directory, 'reload', reloadPatienceMs)
    if (!answer.ok) {
      console.error(`sluice: not reloaded: ${answer.message}`)
      return answer.isConfig ? 2 : 1
    }
    for (const warning of answer.warnings) console.error(`sluice: ${warning}`)
    console.log(reloadLine(answer))
    return 0
  },
}

interface Found extends About {
  directory: string
}

async function runningGateways(): Promise<Found[]> {
  const asked = runDirectories().map(async (directory): Promise<Found[]> => {
    try {
      return [{ directory, ...(await askGateway(directory, 'about', aboutPatienceMs)) }]
    } catch {
      return []
    }
  })
  return (await Promise.all(asked)).flat()
}

/** There is not the one gateway that was meant. */
class NoGatewayError extends Error {
  readonly code = 'ERR_SLUICE_NO_GATEWAY'
}

function choose(found: Found[], { options }: Invocation): Found {
  const { config, pid } = options
  if (pid !== undefined && !/^\d+$/.test(pid)) throw new UsageError('--pid needs a process id')
  const file = config ?? (pid === undefined ? configHere() : undefined)
  const fits = found.filter(
    (one) =>
      (pid === undefined || one.pid === Number(pid)) &&
      (file === undefined || isSameFile(one.file, file)),
  )
  const [one, ...more] = fits
  if (one !== undefined && more.length === 0) return one
  if (one !== undefined) {
    throw new NoGatewayError(`several gateways run, name one with --pid:\n${list(fits)}`)
  }
  const wanted = [file && `serves ${resolve(file)}`, pid && `is process ${pid}`].filter(Boolean)
  const which = wanted.length > 0 ? ` that ${wanted.join(' and ')}` : ''
  const others = found.length > 0 ? `; there are:\n${list(found)}` : ' of this user'
  throw new NoGatewayError(`no gateway runs${which}${others}`)
}

function list(found: Found[]): string {
  const lines = found.map(({ pid, file, addresses }) => {
    return `  ${pid} ${file || '(no configuration file)'} ${addresses.join(' ')}`
  })
  return lines.join('\n')
}

function configHere(): string | undefined {
  try {
    return findConfig(process.cwd())
  } catch {
    return undefined
  }
}

function isSameFile(one: string, other: string): boolean {
  if (one === '' || one === resolve(other)) return one !== ''
  try {
    return realpathSync(one) === realpathSync(other)
  } catch {
    return false
  }
}
