// From the resolved configuration to the one that the core takes. Pure.

import { logFields, type NativeAccessLog } from '../native/access-log.ts'
import type {
  NativeAction,
  NativeConfig,
  NativeListener,
  NativeRoute,
} from '../native/interface.ts'
import { fieldLines, routeFields } from './fields.ts'
import type {
  ResolvedAccessLog,
  ResolvedConfig,
  ResolvedListener,
  ResolvedRoute,
} from './resolved.ts'

/** The index of a route is the same in both. */
export function compileConfig(config: ResolvedConfig): NativeConfig {
  return {
    workers: config.workers,
    listeners: config.listen.map(compileListener),
    limits: config.limits,
    timeouts: config.timeouts,
    // A file that the cache has no room for in memory is held by descriptor, so that it can be
    // kept.
    transfer: {
      ...config.transfer,
      memoryBytes: Math.min(config.transfer.memoryBytes, config.cache.bytes),
    },
    accessLog: config.accessLog ? compileAccessLog(config.accessLog) : null,
    serverName: config.serverName,
    upstreams: [],
    routes: config.routes.map(compileRoute),
  }
}

function compileAccessLog(log: ResolvedAccessLog): NativeAccessLog {
  const { format, fields = logFields, sample, to, redact } = log
  const shares = [sample.none, 1, sample['2xx'], sample['3xx'], sample['4xx'], sample['5xx']]
  return {
    format,
    fields,
    sample: shares as unknown as NativeAccessLog['sample'],
    to,
    redact: redact.map((name) => name.toLowerCase()),
  }
}

function compileListener({ host = '127.0.0.1', port = 0, path }: ResolvedListener): NativeListener {
  return path === undefined ? { kind: 'tcp', host, port } : { kind: 'unix', path }
}

function compileRoute({ key, method, host, path, action }: ResolvedRoute): NativeRoute {
  return { key, method, host, path, action: compileAction(action) }
}

function compileAction(action: ResolvedRoute['action']): NativeAction {
  switch (action.kind) {
    case 'files':
      return {
        kind: 'files',
        root: action.root,
        mode: action.sendfile ? action.transfer : 'copy',
        fields: routeFields(action),
        otherwise: action.otherwise ? compileAction(action.otherwise) : null,
      }
    case 'respond': {
      const { kind, status, body } = action
      return { kind, status, fields: fieldLines(action.headers), body }
    }
    case 'redirect': {
      const { kind, status, location, keepQuery } = action
      return { kind, status, fields: fieldLines(action.headers), location, keepQuery }
    }
  }
}
