// What a process and its children have used, from /proc: CPU time, memory of their own, switches.
// Nothing is sampled: two readings and their difference.

import { readdirSync, readFileSync } from 'node:fs'

/** A process and all that descend from it. */
export function processTree(root: number): number[] {
  const pids = [root]
  for (const pid of pids) {
    for (const task of tasksOf(pid)) {
      const children = read(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean)
      pids.push(...children.map(Number))
    }
  }
  return pids
}

export interface CpuTime {
  /** Nanoseconds on a core, over every thread of the tree. */
  usedNs: number
  /** Nanoseconds of wanting a core that another program had. */
  waitedNs: number
}

export function cpuTime(root: number): CpuTime {
  const column = (index: number) => (path: string) =>
    Number(read(`${path}/schedstat`).split(' ')[index] ?? 0)
  return { usedNs: sumOverTasks(root, column(0)), waitedNs: sumOverTasks(root, column(1)) }
}

/** How often a thread of the tree was put on a core because it had something to do. */
export function wakeUps(root: number): number {
  return sumOverTasks(root, (path) => field(`${path}/status`, 'voluntary_ctxt_switches'))
}

/** Memory that only this tree uses, in bytes: what would be free if it ended. */
export function ownMemory(root: number): number {
  return sumOverProcesses(
    root,
    (path) =>
      field(`${path}/smaps_rollup`, 'Private_Clean') +
      field(`${path}/smaps_rollup`, 'Private_Dirty'),
  )
}

/** Resident memory, shared libraries included, in bytes. */
export function residentMemory(root: number): number {
  return sumOverProcesses(root, (path) => field(`${path}/smaps_rollup`, 'Rss'))
}

function sumOverProcesses(root: number, measure: (path: string) => number): number {
  return processTree(root).reduce((sum, pid) => sum + measure(`/proc/${pid}`) * 1024, 0)
}

function sumOverTasks(root: number, measure: (path: string) => number): number {
  let sum = 0
  for (const pid of processTree(root)) {
    for (const task of tasksOf(pid)) sum += measure(`/proc/${pid}/task/${task}`)
  }
  return sum
}

function tasksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

/** A number from a file of "Name: number" lines; 0 when it is not there. */
function field(path: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(read(path))?.[1] ?? 0)
}

/** Empty when the process has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
