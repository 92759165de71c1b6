// Runs the tests and sums them up: C++ units, the corpus of every fuzz target, then ava.
//
//   npm test [-- files]   everything but test/long, or only these ava files
//   npm run test:asan     units, fuzz corpora and behaviour on AddressSanitizer and UBSan
//   npm run test:tsan     the units, multi-worker ones included, under ThreadSanitizer
//   npm run test:long     what takes minutes: test/long

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

interface Plan {
  configuration: 'Release' | 'Asan' | 'Tsan'
  native: boolean
  /** Folders of test/ whose files ava runs. */
  folders: string[]
  timeout: string
}

const plans: Record<string, Plan> = {
  all: {
    configuration: 'Release',
    native: true,
    folders: ['unit', 'behaviour', 'regression', 'tidy', 'package'],
    timeout: '60s',
  },
  asan: {
    configuration: 'Asan',
    native: true,
    folders: ['behaviour', 'regression'],
    timeout: '5m',
  },
  tsan: { configuration: 'Tsan', native: true, folders: [], timeout: '5m' },
  long: { configuration: 'Release', native: false, folders: ['long'], timeout: '60m' },
}

interface Sum {
  passed: number
  failed: number
}

interface Command {
  name: string
  argv: string[]
  env?: NodeJS.ProcessEnv
  /** What one line of output adds to the sum. */
  count: (line: string, sum: Sum) => void
}

const root = new URL('..', import.meta.url).pathname
process.chdir(root)

function assertPinnedNode(): void {
  const tools = JSON.parse(readFileSync('tools/per-cpu/package.json', 'utf8'))
  const pinned = tools.optionalDependencies[`node-linux-${process.arch}`]
  if (process.version === `v${pinned}`) return
  console.error(`sluice: tests run on Node ${pinned}, not ${process.version}: use npm test`)
  process.exit(1)
}

function build(configuration: string): void {
  const targets = ['sluice', 'unit_tests', 'fuzz'].filter(
    (target) => configuration !== 'Tsan' || target === 'unit_tests',
  )
  const args = ['scripts/build-native.mjs', '--build', `--configuration=${configuration}`]
  const { status } = spawnSync(process.execPath, [...args, ...targets], { stdio: 'inherit' })
  if (status !== 0) process.exit(1)
}

function sanitizerEnvironment(configuration: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    // Node frees little at exit; leaks are looked for in the units, which free everything.
    ASAN_OPTIONS: 'detect_stack_use_after_return=1:strict_string_checks=1',
    UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
    TSAN_OPTIONS: 'halt_on_error=1:second_deadlock_stack=1',
    SLUICE_ADDON: `${root}native/build/${configuration}/sluice.node`,
  }
}

/** ThreadSanitizer of older compilers does not know the memory layout of newer kernels. */
function withoutAddressRandomisation(argv: string[]): string[] {
  const prefix = ['setarch', process.arch === 'arm64' ? 'aarch64' : 'x86_64', '-R']
  const [command = '', ...args] = [...prefix, 'true']
  return spawnSync(command, args).status === 0 ? [...prefix, ...argv] : argv
}

function unitTests(configuration: string): Command {
  const argv = [`native/build/${configuration}/unit_tests`]
  return {
    name: 'C++ units',
    argv: configuration === 'Tsan' ? withoutAddressRandomisation(argv) : argv,
    env: sanitizerEnvironment(configuration),
    count(line, sum) {
      const [, passed, failed] = /^(\d+) passed, (\d+) failed$/.exec(line) ?? []
      sum.passed += Number(passed ?? 0)
      sum.failed += Number(failed ?? 0)
    },
  }
}

function corpusReplays(configuration: string): Command[] {
  const targets = globSync('test/fuzz/*_fuzz.cc').map((path) => path.slice(10, -3))
  return targets.sort().map((target) => {
    const corpus = `test/fuzz/corpus/${target.replace(/_fuzz$/, '')}`
    return {
      name: `corpus of ${target}`,
      argv: [`native/build/${configuration}/${target}`, ...(existsSync(corpus) ? [corpus] : [])],
      env: sanitizerEnvironment(configuration),
      count(line, sum) {
        if (line.startsWith('replayed ')) sum.passed += 1
      },
    }
  })
}

function ava(plan: Plan, files: string[]): Command {
  const options = [`--timeout=${plan.timeout}`]
  const env = { ...process.env }
  if (plan.configuration === 'Asan') {
    Object.assign(env, sanitizerEnvironment('Asan'))
    env.ASAN_OPTIONS += ':detect_leaks=0'
    const library = spawnSync('g++', ['-print-file-name=libasan.so'], { encoding: 'utf8' })
    env.LD_PRELOAD = library.stdout.trim()
  }
  return {
    name: 'ava',
    argv: [process.execPath, 'node_modules/ava/entrypoints/cli.js', ...options, ...files],
    env,
    count(line, sum) {
      if (/^ +✔ /.test(line)) sum.passed += 1
      if (/^ +✘ /.test(line)) sum.failed += 1
    },
  }
}

/** What starts a process for each case and hardly enters the core. */
const mostlyProcesses = /\/cli(-bench|-explain)?\.test\.ts$/

function filesOf({ folders, configuration }: Plan): string[] {
  const files = folders.flatMap((folder) => globSync(`test/${folder}/**/*.test.ts`)).sort()
  return configuration === 'Asan' ? files.filter((file) => !mostlyProcesses.test(file)) : files
}

/** Shows the output as it comes and counts it; a bad exit is at least one failure. */
async function run(command: Command): Promise<Sum> {
  console.log(`── ${command.name}`)
  const sum: Sum = { passed: 0, failed: 0 }
  const [file = '', ...args] = command.argv
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'], env: command.env })
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  for await (const line of createInterface({ input: child.stdout })) {
    command.count(line, sum)
    if (!/^\d+ passed, \d+ failed$/.test(line)) console.log(line)
  }
  const status = await closed
  if (status !== 0 && sum.failed === 0) sum.failed = 1
  if (status !== 0) console.log(`✘ ${command.name} failed (exit ${status ?? child.signalCode})`)
  return sum
}

async function main(args: string[]): Promise<void> {
  const option = args.find((arg) => arg.startsWith('--'))?.slice(2) ?? 'all'
  const only = args.filter((arg) => !arg.startsWith('--'))
  const plan = plans[option]
  if (!plan) throw new Error(`no such plan: ${option} (${Object.keys(plans).join(', ')})`)
  assertPinnedNode()
  build(plan.configuration)
  const commands: Command[] = []
  if (plan.native && only.length === 0) {
    commands.push(unitTests(plan.configuration))
    if (plan.configuration !== 'Tsan') commands.push(...corpusReplays(plan.configuration))
  }
  const files = only.length > 0 ? only : filesOf(plan)
  if (files.length > 0) commands.push(ava(plan, files))
  const total: Sum = { passed: 0, failed: 0 }
  for (const command of commands) {
    const { passed, failed } = await run(command)
    total.passed += passed
    total.failed += failed
  }
  console.log(`\n${total.passed} passed, ${total.failed} failed`)
  process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1
}

await main(process.argv.slice(2))
