// The part of the boundary that is about hooks: what stands before and around the action of a
// route, as the core takes it. User code is only named here, by the index of its group.

import type { NativeFieldEdits } from './upstreams.ts'

export type NativeHookStep =
  | { kind: 'addresses'; allows: boolean; networks: string[] }
  | { kind: 'answer'; status: number; fields: string; body: Uint8Array; except: string[] }
  | { kind: 'cors'; anyOrigin: boolean; origins: string[]; preflight: string; fields: string }
  | {
      kind: 'limit'
      /** Steps with the same number share their buckets. */
      rule: number
      capacity: number
      /** One token more in so much time; at least 64. */
      intervalUs: number
      by: { kind: 'address' | 'header' | 'claim'; name: string }
      announces: boolean
      name: string
      /** The line of RateLimit-Policy. */
      policy: string
    }
  | { kind: 'ask'; group: number; remember: { ms: number; by: string[] } | null }

export interface NativeHooks {
  /** Of all plans of a configuration: numbers of groups are only good with it. */
  version: number
  /** Indices of upstreams that user code may choose, in the order in which it counts them. */
  upstreams: number[]
  /** Every request passes them in this order. */
  steps: NativeHookStep[]
  /** Of every answer. */
  response: NativeFieldEdits
  /** Groups that are asked about the head of an answer, and about errors of the gateway's own. */
  onResponse: number | null
  onError: number | null
  /** The handler, where it is asked as hooks are; milliseconds for its answer, 0: any. */
  handler: { group: number; patience: number } | null
}

/** Questions to user code, open ones, and what kept requests from it. */
export interface NativeHookStats {
  asked: number
  /** Gauge: waiting for a verdict now. */
  open: number
  /** Verdicts that were remembered, so that nobody was asked. */
  remembered: number
  /** Requests refused by a rate limit, and by address. */
  limited: number
  denied: number
}
