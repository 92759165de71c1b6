// The part of config/compile.ts that is about forwarding: upstreams and proxy() routes, as the core
// takes them. Pure.

import type {
  NativeFieldEdits,
  NativeProxy,
  NativeTarget,
  NativeUpstream,
} from '../native/upstreams.ts'
import { fieldLines } from './fields.ts'
import type {
  ResolvedFieldEdits,
  ResolvedFileSet,
  ResolvedProxy,
  ResolvedUpstream,
} from './resolved.ts'

// What the core takes for "any size".
export const unlimitedBytes = 2 ** 50

/** What a route is compiled with. */
export interface ProxyReferences {
  /** Its number in the core. */
  upstream: number
  /** Whether one of its targets is https:. */
  isSecure: boolean
  /** What workers ask about a root as. */
  filesOf: (root: ResolvedFileSet) => number
  /** The same of an upstream that is mirrored to. */
  mirrorOf: (name: string) => { upstream: number; isSecure: boolean }
}

export function compileProxy(
  action: ResolvedProxy,
  { upstream, isSecure, filesOf, mirrorOf }: ProxyReferences,
): NativeProxy {
  const { accelRedirect } = action
  const { kind, stripPrefix, rewrite, headers, retry, halfClose } = action
  const automatic = isSecure ? 'target' : 'preserve'
  const host = action.host === 'auto' ? automatic : action.host
  const { forwarded, via, requestId, bodyBytes } = action
  return {
    kind,
    upstream,
    mode: action.transfer,
    stripPrefix,
    rewrite,
    host: host === 'preserve' || host === 'target' ? host : { fixed: host },
    request: compileEdits(headers.request),
    response: compileEdits(headers.response),
    forwarded: {
      xForwarded: forwarded === 'x-forwarded' || forwarded === 'both',
      forwarded: forwarded === 'forwarded' || forwarded === 'both',
      via,
      requestId,
    },
    timeouts: action.timeout,
    retry,
    bodyBytes: bodyBytes === false ? unlimitedBytes : bodyBytes,
    halfClose,
    file: accelRedirect
      ? {
          field: 'x-accel-redirect',
          secret: '',
          prefix: accelRedirect.prefix,
          files: filesOf(accelRedirect.root),
          mode: filesMode(accelRedirect.root),
        }
      : null,
    mirrors: action.mirror.map(({ target, percent, timeout, maxBehind }) => {
      const { upstream: mirrored, isSecure: hasName } = mirrorOf(target)
      return {
        upstream: mirrored,
        share: Math.round(percent * 10_000),
        targetHost: action.host === 'auto' ? hasName : action.host === 'target',
        timeout,
        maxBehind,
      }
    }),
  }
}

/** What moves files. */
export function filesMode({ sendfile, transfer }: ResolvedFileSet): 'auto' | 'copy' {
  return sendfile ? transfer : 'copy'
}

function compileEdits({ set, add, remove }: ResolvedFieldEdits): NativeFieldEdits {
  const replaced = Object.keys(set).map((name) => name.toLowerCase())
  const names = new Set([...remove, ...replaced])
  return { remove: [...names], add: fieldLines(set) + fieldLines(add) }
}

const versions = { v1: 1, v2: 2 } as const

export function compileUpstream(
  upstream: ResolvedUpstream,
  targets: NativeTarget[],
): NativeUpstream {
  const { name, balance, key, keepAlive, queue, ejection, slowStart, proxyProtocol } = upstream
  const { failures, percent, time, failFast } = ejection
  return {
    name,
    balance,
    key,
    keepAlive,
    queue: { ...queue, withoutTargets: false },
    passive: { failures, percent, eject: time, failFast },
    slowStart,
    proxyProtocol: proxyProtocol === false ? 0 : versions[proxyProtocol],
    targets,
  }
}
