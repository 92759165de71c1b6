// Route keys: what they become, what is wrong with others, and which two of them tie.

import test from 'ava'
import { respond } from '../../src/config/actions.ts'
import { parsePattern } from '../../src/config/patterns.ts'
import { problemsOf } from '../support/problems.ts'

test('keys become a method, a host and a path', (t) => {
  const cases: [string, string, string, string][] = [
    ['/', '', '', '/'],
    ['/*', '', '', '/*'],
    ['/a/b', '', '', '/a/b'],
    ['/a/', '', '', '/a/'],
    ['GET /healthz', 'GET', '', '/healthz'],
    ['PROPFIND /dav/*', 'PROPFIND', '', '/dav/*'],
    ['example.com/*', '', 'example.com', '/*'],
    ['Example.COM/A', '', 'example.com', '/A'],
    ['POST *.example.com/u/:name/*', 'POST', '*.example.com', '/u/:name/*'],
    ['bücher.example/*', '', 'xn--bcher-kva.example', '/*'],
    ['*.bücher.example/*', '', '*.xn--bcher-kva.example', '/*'],
    ['127.0.0.1/', '', '127.0.0.1', '/'],
    ['[::1]/', '', '[::1]', '/'],
    ['[2001:DB8:0::1]/', '', '[2001:db8::1]', '/'],
    ['/caf%C3%A9', '', '', '/café'],
    ['/café', '', '', '/café'],
    ['/a%20b', '', '', '/a b'],
    ['/a:b', '', '', '/a:b'],
    ['/a%2Ab', '', '', '/a*b'],
  ]
  for (const [key, method, host, path] of cases) {
    const pattern = parsePattern(key)
    t.like(pattern, { method, host, path }, key)
  }
  t.like(parsePattern('/:a/x/:b_2/*'), { parameters: ['a', 'b_2'], rest: true })
  t.like(parsePattern('/x'), { parameters: [], rest: false })
})

test('malformed keys, each with its reason', (t) => {
  const cases: [string, RegExp][] = [
    ['', /needs a path/],
    ['example.com', /needs a path: 'example.com\/\*'\?/],
    ['GTE /x', /unknown method 'GTE'; did you mean 'GET'\?/],
    ['get /x', /unknown method 'get'; did you mean 'GET'\?/],
    ['CONNECT /x', /unknown method 'CONNECT'/],
    [' /x', /does not begin with a space/],
    ['/a b', /a space in a path is written %20/],
    ['GET /a b', /a space in a path is written %20/],
    ['GET  /a', /is not a host name/],
    ['http://example.com/', /no port and no scheme/],
    ['example.com:8080/', /no port and no scheme/],
    ['example.com./', /without its final dot/],
    ['a..b/', /is not a host name/],
    [`${'a'.repeat(64)}.example/`, /is not a host name/],
    ['exa_mple!@/', /is not a host name/],
    ['www.*.com/', /stands for its first labels/],
    ['*/', /stands for its first labels/],
    ['[::1/', /no port and no scheme/],
    ['[zz]/', /is not an IPv6 address/],
    ['/a//b', /no empty segments/],
    ['//', /no empty segments/],
    ['/*/a', /only its last segment/],
    ['/a*', /a whole segment/],
    ['/**', /a whole segment/],
    ['/:', /needs a name/],
    ['/:a-b', /letters, digits and _/],
    ['/:1', /letters, digits and _/],
    ['/:a/:a', /two parameters are named ':a'/],
    [`/${Array.from({ length: 17 }, (_, n) => `:p${n}`).join('/')}`, /at most 16 parameters/],
    ['/a?b', /no '\?'/],
    ['/a#b', /no '#'/],
    ['/a\\b', /no '\\'/],
    ['/.', /no '\.' or '\.\.'/],
    ['/a/../b', /no '\.' or '\.\.'/],
    ['/a/%2e%2E/b', /no '\.' or '\.\.'/],
    ['/%', /not percent-encoded UTF-8/],
    ['/%ff', /not percent-encoded UTF-8/],
    ['/a%2Fb', /no route can match/],
    ['/a%00', /no route can match/],
    ['/%3Aname', /no route can match/],
    ['/%2A', /no route can match/],
  ]
  for (const [key, reason] of cases) {
    const problem = parsePattern(key)
    t.is(typeof problem, 'string', key)
    if (typeof problem === 'string') t.regex(problem, reason, key)
  }
})

test('two keys that take the same requests are an error that names both', (t) => {
  const tie = (...keys: string[]) =>
    problemsOf({ routes: Object.fromEntries(keys.map((key) => [key, respond(200)])) })
  const same = (key: string, twin: string) =>
    `routes["${key}"]: takes exactly the same requests as '${twin}'`
  t.deepEqual(tie('/u/:id', '/u/:name'), [same('/u/:name', '/u/:id')])
  t.deepEqual(tie('GET /%61', 'GET /a'), [same('GET /a', 'GET /%61')])
  t.deepEqual(tie('EXAMPLE.com/', 'example.com/'), [same('example.com/', 'EXAMPLE.com/')])
  t.deepEqual(tie('/:a/*', '/:b/*', '/:c/*'), [same('/:b/*', '/:a/*'), same('/:c/*', '/:a/*')])
})

test('keys that differ anywhere do not tie', (t) => {
  const keys = ['/u/:id', '/u/*', '/u/x', '/u/x/', '/U/:id', '/:u/:id', 'GET /u/:id', 'HEAD /u/:id']
  keys.push('a.b/u/:id', '*.a.b/u/:id', 'GET a.b/u/:id')
  t.deepEqual(
    problemsOf({ routes: Object.fromEntries(keys.map((key) => [key, respond(200)])) }),
    [],
  )
})
