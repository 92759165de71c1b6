// The option 'mirror' of proxy(): who gets a copy of the requests, of how many, and how long it may
// take over them. What a mirror is sent to is an upstream like any other.

import { duration, type Kind, oneOrMany, orNone, refined, size } from './kinds.ts'
import { type Place, shown } from './place.ts'
import type { ResolvedMirror } from './resolved.ts'
import { completeUpstream, inlineUpstream, upstream } from './schema-upstreams.ts'
import { readSection, type Section, shorthand } from './section.ts'
import { looksLikeTarget } from './targets.ts'

const gb = 1024 ** 3

const target: Kind<string> = {
  expected: "the name of an upstream, or a URL such as 'http://10.0.0.1:3000'",
  typescript: 'string',
  read(value, place) {
    if (typeof value !== 'string') return place.mismatch(target.expected, value)
    if (!looksLikeTarget(value)) return place.scope?.upstreamNamed(value, place)
    const targets = upstream.targets.kind.read(value, place)
    const others = readSection(inlineUpstream, {}, place)
    const whole = targets && others && completeUpstream({ targets, ...others }, place)
    return whole && (place.scope?.inlineUpstream(whole) ?? '')
  },
}

const percent: Kind<number> = {
  expected: 'a number from 0 to 100',
  typescript: 'number',
  read(value, place) {
    const fits = typeof value === 'number' && value >= 0 && value <= 100
    return fits ? value : place.mismatch(percent.expected, value)
  },
}

export const mirror: Section<ResolvedMirror> = {
  target: {
    kind: target,
    default: undefined,
    required: true,
    doc: `Who gets the copies: one of 'upstreams', by its name, or a URL. Its health, ejection and
connections are its own.`,
  },
  percent: {
    kind: percent,
    default: 100,
    doc: `How many of the requests, to a ten-thousandth. Chosen by X-Request-Id, so that gateways in
a row choose the same ones.`,
  },
  timeout: {
    kind: duration(10, 10 * 60_000),
    default: '10s',
    doc: `For the connection, and again from the end of the request to that of the mirror's answer;
then the copy is given up.`,
  },
  maxBehind: {
    kind: size(0, 16 * gb),
    default: '64mb',
    doc: `Bytes of one request that wait in memory while the mirror takes them more slowly than they
come, beyond what a pipe holds. More, and the copy is given up.`,
  },
}

function withoutTwins(mirrors: ResolvedMirror[], place: Place): ResolvedMirror[] | undefined {
  const twin = mirrors.find((one, at) =>
    mirrors.slice(0, at).some((other) => other.target === one.target),
  )
  if (twin !== undefined) return place.report(`${shown(twin.target)} is there twice`)
  return mirrors
}

export const mirrors: Kind<ResolvedMirror[]> = orNone(
  refined(oneOrMany(shorthand(mirror, 'MirrorOptions', 'target'), 1), withoutTwins),
)
