// The table of commands, in the order of the help.

import { bench } from './bench.ts'
import { check } from './check.ts'
import type { Command } from './command.ts'
import { doctor } from './doctor.ts'
import { explain } from './explain.ts'
import { hashPassword } from './hash-password.ts'
import { print } from './print.ts'
import { proxy } from './proxy.ts'
import { reload } from './reload.ts'
import { run } from './run.ts'
import { serve } from './serve.ts'
import { status } from './status.ts'

export const commands: readonly Command[] = [
  run,
  check,
  print,
  explain,
  reload,
  serve,
  proxy,
  status,
  doctor,
  bench,
  hashPassword,
]
