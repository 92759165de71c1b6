// A quiet place to measure in: an own network namespace (its loopback only, congestion control
// reno: the machine's default may pace), one core for the server and one for the client, a spinner
// of the lowest priority on each so that neither sleeps and changes its clock, and the whole
// benchmark ahead of other work where the kernel allows that. What it starts dies with it.

import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { processTree } from './process-tree.ts'

export const serverCore = 0
export const clientCore = 1

const insideVariable = 'SLUICE_BENCH_INSIDE'

/**
 * Runs this program again inside a namespace of its own. Resolves with its exit code, or undefined
 * when this is that program.
 */
export async function enterNamespace(): Promise<number | undefined> {
  if (process.env[insideVariable] !== undefined) return prepareNamespace()
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
  const raiseLimit = ['sh', '-c', 'ulimit -n "$(ulimit -Hn)"; exec "$@"', 'sh']
  const again = [...raiseLimit, process.execPath, ...process.argv.slice(1)]
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', 'unshare', '--net', ...user, ...again],
    // A session of its own is a scheduling group of its own (autogroup).
    { stdio: 'inherit', detached: true, env: { ...process.env, [insideVariable]: '1' } },
  )
  process.on('SIGINT', () => child.kill('SIGINT'))
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}

async function prepareNamespace(): Promise<undefined> {
  const ip = spawn('ip', ['link', 'set', 'lo', 'up'], { stdio: 'inherit' })
  await once(ip, 'exit')
  writeFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'reno')
  writeFileSync('/proc/sys/net/ipv4/ip_local_port_range', '20000 60999')
  raisePriority('self', -15)
  return undefined
}

/** What a server has started in sessions of their own goes ahead of other work, as it does. */
export function raiseTree(pid: number): void {
  for (const one of processTree(pid)) raisePriority(one, -15)
}

/** Of a whole session; without effect where autogroups are off or it is not allowed. */
export function raisePriority(process: number | 'self', nice: number): void {
  try {
    writeFileSync(`/proc/${process}/autogroup`, String(nice))
  } catch {}
}

/** Starts a program on one core, or a list of them; it is killed when this process ends. */
export function startOn(
  core: number | string,
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  const pinned = ['--pdeathsig', 'KILL', 'taskset', '-c', String(core), command, ...args]
  return spawn('setpriv', pinned, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
}

/** What runs only where nobody else wants the core, and leaves it at once to who wakes up. */
export function startIdly(
  core: number,
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  return startOn(core, 'chrt', ['--idle', '0', command, ...args], options)
}

/**
 * Keeps both cores awake; returns what ends that. In the scheduling group of the benchmark: between
 * groups a thread that wakes waits until who has the core has used its slice up, a millisecond.
 */
export function startSpinners(): () => void {
  const spin = ['-c', 'while :; do :; done']
  const spinners = [serverCore, clientCore].map((core) =>
    startIdly(core, 'sh', spin, { stdio: 'ignore' }),
  )
  return () => spinners.forEach((spinner) => void spinner.kill('SIGKILL'))
}

/**
 * Has the machine's memory be there: in a virtual machine the first touch of a page that no program
 * had before traps into its host: several microseconds, for which a writer of new files would pay.
 */
export function touchMemory(): void {
  spawnSync(process.execPath, ['-e', `Buffer.alloc(${2 ** 31}, 1)`], { stdio: 'inherit' })
}

/** Resolves when the process has ended; kills it when it does not. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  const impatience = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await ended
  clearTimeout(impatience)
}

export interface Machine {
  cpu: string
  cores: number
  kernel: string
  /** Other work on the machine: processes that wanted a core, averaged over the last minute. */
  load: number
}

export function describeMachine(): Machine {
  const cpuInfo = readFileSync('/proc/cpuinfo', 'utf8')
  return {
    cpu: /^model name\s*: (.*)$/m.exec(cpuInfo)?.[1] ?? 'unknown',
    cores: cpuInfo.match(/^processor\s*:/gm)?.length ?? 1,
    kernel: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
    load: Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]),
  }
}
