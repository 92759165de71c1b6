// Where Sluice and node:http differ about a request, and why that is meant. One row for each class
// of disagreement: what is seen, what the request has to look like, the reason and its place in the
// RFCs. A disagreement that no row explains is a fault of one of them.

import { METHODS } from 'node:http'
import { isIPv6 } from 'node:net'
import type { ErrorName } from '../../src/native/errors.ts'
import type { Difference } from './differential.ts'

/** A row of the table. */
export interface Explanation {
  /** What Sluice does that node:http does not. */
  rule: string
  why: string
  section: string
  /** Whether a difference is one of this class. */
  applies(difference: Difference): boolean
}

const isRefused = ({ theirs }: Difference) => theirs?.what === 'refused' && theirs.closes

/** Sluice refuses by rule `name` a text with `pattern` that node:http answers. */
const refuses =
  (name: ErrorName, pattern: RegExp | ((text: string) => boolean)) => (difference: Difference) => {
    const isSeen =
      pattern instanceof RegExp ? pattern.test(difference.text) : pattern(difference.text)
    return difference.ours?.rule === name && !isRefused(difference) && isSeen
  }

/** Both answer, and only Sluice says that the connection ends. */
const onlySluiceCloses = ({ ours, theirs }: Difference) =>
  ours !== undefined && ours.what === theirs?.what && ours.closes && !theirs.closes

const hostOf = /^(?:(?:[\w.!$&'()*+,;=~-]|%[\da-f]{2})+|\[([\da-f:.]+)\])(?::(\d{0,5}))?$/i

function isGoodHost(host: string): boolean {
  const [whole, v6 = '::1', port = '0'] = hostOf.exec(host) ?? []
  return whole !== undefined && isIPv6(v6) && Number(port) <= 65_535
}

/** Of the first request: that of the one that follows comes behind an empty line. */
function hasBadHost(text: string): boolean {
  const [head = ''] = text.replace(/^(\r\n)+/, '').split('\r\n\r\n')
  const hosts = [...head.matchAll(/^host:[ \t]*(.*?)[ \t]*\r?$/gim)].map(([, host]) => host ?? '')
  return hosts.length !== 1 || !hosts.every(isGoodHost)
}

const startsOfRequests = /(?:^|\r\n\r\n|[^\r\n])(?:\r\n)?([^\s]+) [^\s]+ HTTP\/1\.[01]\r\n/g

function hasUnknownMethod(text: string): boolean {
  const methods = [...text.matchAll(startsOfRequests)]
  return methods.some(([, method = '']) => !METHODS.includes(method))
}

export const explanations: Explanation[] = [
  {
    rule: 'refuses a Host that is missing, repeated or no host',
    why: 'a server MUST answer 400; node:http takes the first and looks at none',
    section: 'RFC 9112 §3.2',
    applies: refuses('bad-host', hasBadHost),
  },
  {
    rule: 'wants a Host of CONNECT too',
    why: 'every HTTP/1.1 request has one; node:http does not look here',
    section: 'RFC 9112 §3.2',
    applies: refuses('missing-host', /^\s*CONNECT /),
  },
  {
    rule: 'refuses targets of no form that the method has',
    why: 'only OPTIONS has *, only CONNECT an authority, a fragment or a quote has no place',
    section: 'RFC 9112 §3.2, RFC 3986 §3.3',
    applies: refuses('bad-target', /^\s*(CONNECT|\S* (?!\/[!$-;=?-[\]-~]* ))/),
  },
  {
    rule: 'refuses dot segments',
    why: 'clients resolve them; who still sends them wants out of the root of some reader',
    section: 'RFC 3986 §5.2.4, RFC 9110 §17.3',
    applies: refuses('dot-segment', /\/(\.|%2e){1,2}([/?; %]|$)/i),
  },
  {
    rule: 'refuses transfer codings in HTTP/1.0 and lists with empty or repeated elements',
    why: 'framing that two readers may understand differently is how requests are smuggled',
    section: 'RFC 9112 §6.1, §11.2',
    applies: refuses('bad-transfer-encoding', /^transfer-encoding:/im),
  },
  {
    rule: 'answers 501 to transfer codings that it cannot decode',
    why: 'a server SHOULD; node:http hands the body over as it is',
    section: 'RFC 9112 §6.1',
    applies: refuses('unknown-transfer-coding', /^transfer-encoding:/im),
  },
  {
    rule: 'answers 505 to major versions other than 1',
    why: 'such a message is not parsed by the rules of HTTP/1',
    section: 'RFC 9110 §2.5, §15.6.6',
    applies: refuses('unsupported-version', / HTTP\/(?!1\.)\d\.\d\r\n/),
  },
  {
    rule: 'refuses HTTP/0.9, two spaces, and more than one empty line before a request',
    why: 'a request line has three parts and single spaces; robustness asks for one empty line',
    section: 'RFC 9112 §2.2, §3',
    // Behind an answer, a body may have ended in the middle of what looks like one empty line.
    applies: (difference) =>
      refuses('bad-request-line', /^\s*\S+ +\S*\r\n|^\s*.* {2}|(^|\r\n)(\r\n){2}/)(difference) ||
      (difference.index > 0 && refuses('bad-request-line', /\r\n\r\n[A-Z]+ /)(difference)),
  },
  {
    rule: 'refuses a bare CR or LF wherever it stands',
    why: 'what one reader skips and another takes for the end of a head can be played off',
    section: 'RFC 9112 §2.2',
    // Behind an answer, a body may have taken the CR of a line end.
    applies: (difference) =>
      refuses('bad-line-ending', /(^|[^\r])\n|\r(?!\n)/)(difference) ||
      (difference.index > 0 && difference.ours?.rule === 'bad-line-ending'),
  },
  {
    rule: 'refuses lengths that a signed number of 64 bits cannot hold',
    why: 'whoever reads them next may not hold them either; node:http goes one bit further',
    section: 'RFC 9110 §8.6',
    applies: refuses('bad-content-length', /^content-length:[ \t]*\d{19,}/im),
  },
  {
    rule: 'refuses bodies over limits.bodyBytes',
    why: 'node:http has no such limit',
    section: 'RFC 9110 §15.5.14',
    applies: refuses('body-too-large', /^content-length:[ \t]*\d{8,}/im),
  },
  {
    rule: 'closes after an expectation that it does not know',
    why: 'whether the content follows is not knowable; node:http takes it that it does',
    section: 'RFC 9110 §10.1.1',
    applies: ({ ours, text }) =>
      ours?.rule === 'unsupported-expectation' && /^expect:/im.test(text),
  },
  {
    rule: 'closes after answering a client that waits for 100 (Continue)',
    why: 'an answer at once leaves open whether the content follows',
    section: 'RFC 9110 §10.1.1',
    applies: (difference) =>
      onlySluiceCloses(difference) && /^expect:[ \t]*100-continue/im.test(difference.text),
  },
  {
    rule: 'closes after answering a request whose long body no route reads',
    why: 'a server reads the body or closes; 64 KiB are read',
    section: 'RFC 9112 §9.3',
    applies: (difference) =>
      onlySluiceCloses(difference) && /^content-length:[ \t]*\d{5,7}\b/im.test(difference.text),
  },
  {
    rule: 'closes when Connection says close, whatever else it says',
    why: 'close comes first; node:http looks for keep-alive first in HTTP/1.0',
    section: 'RFC 9112 §9.3',
    applies: (difference) =>
      onlySluiceCloses(difference) && /^connection:.*\bclose\b/im.test(difference.text),
  },
  {
    rule: 'takes every token for a method',
    why: 'which methods a resource has is for its route; llhttp has a list',
    section: 'RFC 9110 §9.1',
    applies: (difference) =>
      difference.ours !== undefined &&
      difference.ours.what !== 'refused' &&
      (isRefused(difference) || difference.theirs === undefined) &&
      hasUnknownMethod(difference.text),
  },
  {
    rule: 'takes chunk extensions for opaque',
    why: 'they are dropped: their bytes and their length are judged, not their grammar',
    section: 'RFC 9112 §7.1.1',
    applies: ({ ours, theirs, text }) =>
      ours !== undefined && theirs === undefined && /^[\da-f]+[ \t]*;/im.test(text),
  },
  {
    rule: 'drops trailer fields, whatever they are',
    why: 'no trailer may change the framing, so none that pretends to is looked at',
    section: 'RFC 9110 §6.5.1',
    applies: (difference) =>
      difference.index > 0 &&
      isRefused(difference) &&
      /\r\n0+\r\n(.*\r\n)*(content-length|transfer-encoding):/i.test(difference.text),
  },
  {
    rule: 'goes on with the next request when it neither upgrades nor tunnels',
    why: 'nothing has changed the protocol; node:http stops reading at such a request',
    section: 'RFC 9110 §7.8, §9.3.6',
    applies: ({ theirs, text }) =>
      theirs === undefined && (/^\s*CONNECT /.test(text) || /^connection:.*upgrade/im.test(text)),
  },
  {
    rule: 'refuses CONNECT',
    why: 'it opens no tunnels; here node:http answers like for any other method',
    section: 'RFC 9110 §9.3.6',
    applies: refuses('no-tunnels', /CONNECT /),
  },
  {
    rule: 'answers OPTIONS for the whole server',
    why: "'*', or an absolute form without a path, asks about no resource: no route is looked for",
    section: 'RFC 9110 §9.3.7, RFC 9112 §3.2.4',
    applies: ({ ours, theirs, text }) =>
      ours?.what === '204 ' &&
      theirs?.what === 'unrouted' &&
      /OPTIONS (\*|https?:\/\/[^/?# ]+) HTTP/.test(text),
  },
]

/** The row that explains a difference, if any does. */
export function explain(difference: Difference): Explanation | undefined {
  return explanations.find(({ applies }) => applies(difference))
}
