// Requests as clients send them, and as they should not: put together from likely and unlikely
// parts, then cut and stirred. Texts are latin1: one character is one byte.

import type { Random } from './random.ts'

const methods = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']
const oddMethods = ['get', 'BREW', 'G@T', 'CONNECT', 'TRACE', '', 'GET\t', 'M-SEARCH', 'PROPFIND']

const targets = ['/', '/one', '/one/a?b=c', '/two/%20x', '/a//b', '/one/caf%C3%A9', '/two?x=/../y']
const oddTargets = [
  '*',
  '/../one',
  '/%2e%2E/one',
  '/one/./x',
  '/one#frag',
  '/one"x',
  '/a\\b',
  '/a^b|c{d}`e',
  '/caf\xe9',
  'one',
  '',
  '/%',
  '/%zz',
  '//two.test/one',
  'http://two.test/one',
  'HTTP://two.test:80/two?x',
  'https://two.test',
  'http://',
  'http:///one',
  'http://user@two.test/one',
  'ftp://two.test/one',
  'two.test:80',
  'two.test',
  '/one two',
]

const versions = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0']
const oddVersions = [
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/0.9',
  'http/1.1',
  'HTTP/1.10',
  'HTTP/1',
  'HTTP/1,1',
  'X',
]

const hosts = ['one.test', 'two.test', 'ONE.test:8080', 'one.test:80', '127.0.0.1', '[::1]:80']
const oddHosts = [
  '',
  'one.test:',
  'one.test:x',
  'one.test:99999',
  'a b',
  'a/b',
  'a@b',
  '[::1',
  'a,b',
  '[v1.a]',
]

const fields = [
  'Accept: */*',
  'User-Agent: test/1.0 (a; b)',
  'X-Empty:',
  'X-Tab:\tb\t',
  'X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  'X-High: caf\xe9',
  'Cookie: a=b; c="d, e"',
  'Connection: keep-alive',
  'Connection: close',
  'Connection: Close, TE',
  'connection: x-empty',
  'If-None-Match: "a", W/"b"',
  'Range: bytes=0-1',
  "x!#$%&'*+-.^_`|~: token",
]

const oddFields = [
  'X-Space : a',
  ' X-Before: a',
  '\tX-Fold',
  ': a',
  'X-None',
  'X(y): a',
  'X\xe9: a',
  'X: a\x01b',
  'X: a\x00b',
  'X: a\x7fb',
  'X: a\rb',
  'X: a\nb',
  'X: a\r\n folded',
  'Connection: upgrade\r\nUpgrade: websocket',
  'Connection: close\r\nConnection: keep-alive',
  'Expect: 100-continue',
  'Expect: 100-Continue',
  'Expect: wonders',
  'Trailer: X-Sum',
  'TE: trailers',
]

const lengths = ['0', '3', '5', '10']
const oddLengths = [
  '',
  '-1',
  '+3',
  '3 ',
  '0x3',
  '3, 3',
  '3,4',
  '03',
  '99999999999999999999',
  '9999999999999999999',
  '99999999',
  '999999',
  'x',
  '3\t',
  '1e1',
]
const codings = ['chunked', 'Chunked', 'CHUNKED']
const oddCodings = [
  '',
  'gzip',
  'gzip, chunked',
  'chunked, gzip',
  'chunked, chunked',
  'identity',
  'xchunked',
  'chunked;q=1',
  ', chunked',
  'chunked,',
  '"chunked"',
  'chunke',
]

const chunkedBodies = [
  '0\r\n\r\n',
  '3\r\nabc\r\n0\r\n\r\n',
  'a\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n',
  '3;name=value\r\nabc\r\n0\r\n\r\n',
  '3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n',
  '003\r\nabc\r\n000\r\n\r\n',
]

const oddChunkedBodies = [
  '3 \r\nabc\r\n0\r\n\r\n',
  '3 ;a\r\nabc\r\n0\r\n\r\n',
  '\r\nabc',
  'x\r\nabc\r\n0\r\n\r\n',
  '-3\r\nabc\r\n0\r\n\r\n',
  '0x3\r\nabc\r\n0\r\n\r\n',
  '3\nabc\r\n0\r\n\r\n',
  '3\r\nabcd\r\n0\r\n\r\n',
  '3\r\nab\r\n0\r\n\r\n',
  '3;a\nb\r\nabc\r\n0\r\n\r\n',
  '3;"a;b"\r\nabc\r\n0\r\n\r\n',
  '3;\r\nabc\r\n0\r\n\r\n',
  '3\r\nabc\r\n0\r\nX Sum: 1\r\n\r\n',
  '3\r\nabc\r\n0\r\n folded\r\n\r\n',
  '3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n',
  'fffffffffffffffff\r\nabc\r\n0\r\n\r\n',
  'ffffffffffffffff\r\nabc\r\n0\r\n\r\n',
]

/** One request, or what takes itself for one: a head and perhaps a body. */
export function generateRequest(random: Random): string {
  const part = (usual: readonly string[], odd: readonly string[], odds: number) =>
    random.pick(random.oneIn(odds) ? odd : usual)
  const method = part(methods, oddMethods, 12)
  const isTunnel = method === 'CONNECT' && random.oneIn(2)
  const target = isTunnel ? 'two.test:80' : part(targets, oddTargets, 6)
  const line = [method, target, part(versions, oddVersions, 20)].join(' ')
  const lines: string[] = []
  if (!random.oneIn(15)) lines.push(`Host: ${part(hosts, oddHosts, 10)}`)
  if (random.oneIn(25)) lines.push(`Host: ${part(hosts, oddHosts, 4)}`)
  for (let count = random.below(5); count > 0; count--) lines.push(part(fields, oddFields, 6))
  const body = random.oneIn(3) ? generateBody(random, lines) : ''
  if (random.oneIn(4)) lines.reverse()
  const empty = random.oneIn(30) ? random.pick(['\r\n', '\n', '\r\n\r\n', ' ', '\r']) : ''
  return `${empty}${[line, ...lines, '', ''].join('\r\n')}${body}`
}

function generateBody(random: Random, lines: string[]): string {
  const part = (usual: readonly string[], odd: readonly string[], odds: number) =>
    random.pick(random.oneIn(odds) ? odd : usual)
  const name = random.pick(['Content-Length', 'content-length'])
  let body = ''
  if (random.oneIn(2)) {
    const length = part(lengths, oddLengths, 6)
    lines.push(`${name}: ${length}`)
    body = 'x'.repeat(
      Number.parseInt(length, 10) > 0 ? Math.min(Number.parseInt(length, 10), 99) : 0,
    )
    if (random.oneIn(20)) lines.push(`${name}: ${part(lengths, oddLengths, 2)}`)
  } else {
    lines.push(`Transfer-Encoding: ${part(codings, oddCodings, 4)}`)
    body = part(chunkedBodies, oddChunkedBodies, 3)
    if (random.oneIn(20)) lines.push(`${name}: ${random.pick(lengths)}`)
    if (random.oneIn(30)) lines.push(`Transfer-Encoding: ${part(codings, oddCodings, 2)}`)
  }
  return body
}

const inserts = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '\x7f',
  '\xff',
  '/',
  '%',
  '"',
  'a',
  '0',
]

/** `text` with a few bytes lost, doubled, swapped or new. */
export function mutateRequest(random: Random, text: string): string {
  let mutated = text
  for (let count = 1 + random.below(3); count > 0; count--) {
    const at = random.below(mutated.length + 1)
    const end = Math.min(mutated.length, at + 1 + random.below(8))
    const [before, piece, after] = [
      mutated.slice(0, at),
      mutated.slice(at, end),
      mutated.slice(end),
    ]
    mutated = random.pick([
      () => before + after,
      () => before + mutated.slice(at + 1),
      () => before + piece + piece + after,
      () => before + random.pick(inserts) + mutated.slice(at),
      () => before + random.pick(inserts) + mutated.slice(at + 1),
      () => before + [...piece].reverse().join('') + after,
      () => before + piece.toUpperCase() + after,
    ])()
  }
  return mutated
}
