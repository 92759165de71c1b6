// Route keys judged by the compiler: the same rules as config/patterns.ts, as far as types can say
// them, so that an editor underlines a wrong key with the reason.

import type { methods } from './patterns.ts'

/** Anything that could be a route key: it has a path. */
export type RouteKey = `${string}/${string}`

/** Shown by the compiler in place of the type that a wrong route would have. */
export interface WrongRoute<Reason extends string> {
  readonly wrong: Reason
}

/** What may stand behind a key, of the actions that there are; or the reason why nothing may. */
export type CheckedRoute<Key extends string, Action> = string extends Key
  ? Action
  : KeyProblem<Key> extends infer Problem extends string
    ? WrongRoute<Problem>
    : Key extends `${string}/*`
      ? Action
      : Exclude<Action, { readonly kind: 'files' }> | WrongRoute<FilesNeedRest>

type FilesNeedRest = "the key of a files() route ends in '*': it says what is looked up"

type Method = (typeof methods)[number]

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

/** Parameters of a route key, as handlers get them. */
export type ParamsOf<Key> = Key extends `${string}/${infer Path}`
  ? string extends Key
    ? { readonly [name: string]: string }
    : { readonly [Name in ParamNames<Path>]: string }
  : { readonly [name: string]: string }

type ParamNames<Path extends string> = Path extends `${infer Segment}/${infer More}`
  ? ParamName<Segment> | ParamNames<More>
  : ParamName<Path>

type ParamName<Segment extends string> = Segment extends `:${infer Name}`
  ? Name
  : Segment extends '*'
    ? '*'
    : never
