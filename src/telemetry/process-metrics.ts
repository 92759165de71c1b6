// The metrics that every Prometheus client has of its process, under their usual names. Main
// thread; reads /proc, which is no disk.

import { readdirSync, readFileSync } from 'node:fs'
import type { Exposition } from './exposition.ts'

const startedS = Date.now() / 1000 - process.uptime()

export function addProcess(page: Exposition): void {
  const { user, system } = process.cpuUsage()
  page.counter('process_cpu_seconds', 'CPU time of the process.', [[{}, (user + system) / 1e6]])
  page.gauge('process_resident_memory_bytes', 'Memory of the process.', [
    [{}, process.memoryUsage.rss()],
  ])
  page.gauge('process_start_time_seconds', 'When it began, in Unix time.', [[{}, startedS]])
  const open = openDescriptors()
  if (open !== undefined) page.gauge('process_open_fds', 'Open descriptors.', [[{}, open]])
  const most = mostDescriptors()
  if (most !== undefined) page.gauge('process_max_fds', 'Their limit.', [[{}, most]])
  const { active } = performance.eventLoopUtilization()
  page.counter('sluice_main_loop_busy_seconds', 'Time that the main thread had something to do.', [
    [{}, active / 1000],
  ])
}

function openDescriptors(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length - 1 // the one that reads
  } catch {
    return undefined
  }
}

function mostDescriptors(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8')
    const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? []
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}

/** How many of them files in the cache may have, so that connections get theirs. */
export function cachedDescriptors(): number {
  return Math.floor((mostDescriptors() ?? 1024) * 0.75)
}
