// Between a gateway's core and its app: starts whatever runs the functions, and tells the core
// where they listen. Main thread. There is none when the configuration has no functions.

import { realpathSync } from 'node:fs'
import { appUpstreams } from '../config/compile-app.ts'
import { asksApp } from '../config/compile-hooks.ts'
import type { ResolvedConfig } from '../config/resolved.ts'
import type { NativeGateway } from '../native/interface.ts'
import type { PublishTo } from '../native/publication.ts'
import type { NativeTarget } from '../native/upstreams.ts'
import type { Logger } from '../telemetry/log.ts'
import { type AppSockets, appTarget } from './contract.ts'
import type { AppFunctions } from './functions.ts'
import { LocalApp } from './local.ts'
import { type AppRunner, AppSupervisor } from './supervisor.ts'

export interface LinkSettings {
  secret: string
  logger: Logger
  native: Pick<NativeGateway, 'setTargets' | 'setHookSocket' | 'stats'>
  publish: PublishTo
  ids: TargetIds
  runDirectory(): string
  nextNumber(): number
}

export type AppLink = AppRunner

/**
 * What runs the functions of a configuration; undefined: it has none. With `functions` they run
 * here, otherwise in a process of their own.
 */
export function linkApp(
  resolved: ResolvedConfig,
  functions: AppFunctions | undefined,
  { secret, logger, native, publish, ids, runDirectory, nextNumber }: LinkSettings,
): AppLink | undefined {
  const upstreams = appUpstreams(resolved)
  const hasHooks = asksApp(resolved)
  if (upstreams.length === 0 && !hasHooks) return undefined
  const settings = {
    realFile: functions === undefined ? realpathSync(resolved.file) : '',
    secret,
    runDirectory,
    nextNumber,
    logger,
    publish,
    onSockets(sockets: AppSockets | undefined) {
      for (const { index, mount } of upstreams) {
        const target = sockets && appTarget(sockets, secret, mount ?? -1)
        native.setTargets(index, target ? [targetAt(target.socketPath, ids.next())] : [])
      }
      if (hasHooks) native.setHookSocket(sockets?.hooks ?? '')
    },
    isWaitedFor() {
      const { upstreams: all, workers } = native.stats()
      if (workers.some(({ hooks }) => hooks.open > 0)) return true
      return upstreams.some(({ index }) => {
        const active = all[index]?.targets.some((target) => target.active > 0) ?? false
        return active || (all[index]?.queued ?? 0) > 0
      })
    },
  }
  if (functions === undefined) return new AppSupervisor(resolved, settings)
  return new LocalApp(resolved, functions, settings)
}

/**
 * Of one gateway, whatever apps it has had. Apart from those of the configuration's own upstreams
 * (src/proxy), which count from 1.
 */
export class TargetIds {
  #last = 2 ** 48

  next(): number {
    return ++this.#last
  }
}

function targetAt(path: string, id: number): NativeTarget {
  return {
    id,
    address: { kind: 'unix', path },
    authority: 'localhost',
    relayed: '',
    weight: 1,
    maxConnections: 0,
    backup: false,
    state: 'up',
  }
}
