// What the control plane and the process of the relays say to each other over their channel. Plain
// data. Types, and the bytes that a relay greets with (native/proxy/relay.h). Pure.

import type { ResolvedTargetTls, ResolvedUpstream } from '../config/resolved.ts'
import type { NativeEndpoint } from '../native/values.ts'

/** A target that a relay stands for. */
export interface RelayedTarget {
  /** As NativeTarget.id; names its socket. */
  id: number
  endpoint: NativeEndpoint
  /** host[:port] of its URL. */
  authority: string
  secure: boolean
}

/** How the targets of an upstream are spoken to. */
export interface RelayedUpstream {
  name: string
  /** 'bytes': TLS around what the worker says; 'undici': HTTP is spoken here. */
  speaks: 'bytes' | 'undici'
  allowH2: boolean
  tls: ResolvedTargetTls
  /** Milliseconds for a connection of undici. */
  connectTimeout: number
  /** Milliseconds that undici keeps a connection. */
  idle: number
}

export type ToRelays =
  | { type: 'start'; directory: string }
  /** Answered by 'placed' or 'failed'. */
  | { type: 'place'; target: RelayedTarget; manner: RelayedUpstream }
  | { type: 'remove'; ids: number[] }

export type FromRelays =
  | { type: 'placed'; id: number }
  | { type: 'failed'; message: string }
  | { type: 'trouble'; upstream: string; target: string; message: string }

/** The name of a target's socket in the directory. */
export function relaySocket(id: number): string {
  return `target-${id}.sock`
}

/** What a relay greets a worker with when it has its connection. */
export const relayReady = 6
/** And one that speaks HTTP itself: it may answer with a fault. */
export const relaySpeaks = 7

/** Why there is no connection, or no response. */
export const faults = { refused: 1, late: 2, tls: 3, closed: 4, nonsense: 5 } as const

export type Fault = (typeof faults)[keyof typeof faults]

/** The field that says that a response is none of the target, and why. */
export const faultField = 'x-sluice-fault'

/** A worker waits for connections itself, as its route says; only undici needs to be told. */
const connectTimeout = 10_000

export function mannerOf({
  name,
  transport,
  allowH2,
  tls,
  keepAlive,
}: Pick<
  ResolvedUpstream,
  'name' | 'transport' | 'allowH2' | 'tls' | 'keepAlive'
>): RelayedUpstream {
  const speaks = transport === 'undici' || (transport === 'auto' && allowH2) ? 'undici' : 'bytes'
  return { name, speaks, allowH2, tls, connectTimeout, idle: keepAlive.idle }
}
