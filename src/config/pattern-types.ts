// Route keys judged by the compiler: the same rules as config/patterns.ts, as far as types can say
// them, so that an editor underlines a wrong key with the reason.

import type { methods } from './patterns.ts'

/** Anything that could be a route key: it has a path. */
export type RouteKey = `${string}/${string}`

/** Shown by the compiler in place of the type that a wrong route would have. */
export interface WrongRoute<Reason extends string> {
  readonly wrong: Reason
}

/** Every route as it is, or the reason why it cannot be. */
export type CheckedRoutes<Routes> = {
  readonly [Key in keyof Routes]: Key extends string ? Checked<Key, Routes[Key]> : never
}

type Method = (typeof methods)[number]

// A key that is only known to be a string is left to the checks at load.
type Checked<Key extends string, Action> = string extends Key
  ? Action
  : KeyProblem<Key> extends infer Problem extends string
    ? WrongRoute<Problem>
    : Action extends { readonly kind: 'files' }
      ? FilesKey<Key, Action>
      : Action

type FilesKey<Key extends string, Action> = Key extends `${string}/*`
  ? Action
  : WrongRoute<"the key of a files() route ends in '*': it says what is looked up">

// The problem with a key, or null.
type KeyProblem<Key extends string> = Key extends `${infer Before} ${infer Target}`
  ? Before extends Method
    ? TargetProblem<Target>
    : Before extends `${string}/${string}`
      ? 'a space in a path is written %20'
      : `unknown method '${Before}'`
  : TargetProblem<Key>

type TargetProblem<Target extends string> = Target extends `${infer Host}/${infer Path}`
  ? HostProblem<Host> extends infer Problem extends string
    ? Problem
    : PathProblem<Path>
  : `a route key needs a path: '${Target}/*'?`

type HostProblem<Host extends string> = Host extends `*.${infer Name}`
  ? NameProblem<Name>
  : NameProblem<Host>

type NameProblem<Name extends string> = Name extends `${string}*${string}`
  ? "'*' in a host stands for its first labels: '*.example.com'"
  : Name extends `[${string}]`
    ? null
    : Name extends `${string}:${string}`
      ? "a host has no port and no scheme here; ports are set by 'listen'"
      : null

type PathProblem<Path extends string> = Path extends `${infer Segment}/${infer More}`
  ? Segment extends ''
    ? 'a path has no empty segments (//)'
    : SegmentProblem<Segment> extends infer Problem extends string
      ? Problem
      : PathProblem<More>
  : Path extends '*'
    ? null
    : SegmentProblem<Path>

type SegmentProblem<Segment extends string> = Segment extends '*'
  ? "'*' stands for the rest of the path: only its last segment can be '*'"
  : Segment extends `:${infer Name}`
    ? Name extends ''
      ? "a parameter needs a name after its ':'"
      : null
    : Segment extends `${string}*${string}`
      ? `'${Segment}': '*' is a whole segment, the last one`
      : Segment extends `${string}${'?' | '#'}${string}`
        ? 'routes look at the path only'
        : Segment extends `${string} ${string}`
          ? 'a space in a path is written %20'
          : null
