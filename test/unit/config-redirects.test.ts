// Redirect templates: their parts, and that no visitor chooses the host that he is sent to.

import test from 'ava'
import { redirect } from '../../src/config/actions.ts'
import { resolveConfig } from '../../src/config/validate.ts'
import type { LocationPart } from '../../src/native/interface.ts'
import { problemsOf } from '../support/problems.ts'

const key = '/:name/*'

function partsOf(template: string): LocationPart[] {
  const routes = { [key]: redirect(302, template) }
  const [route] = resolveConfig({ routes }, { file: '', directory: '/' }).routes
  return route?.action.kind === 'redirect' ? route.action.location : []
}

function problemsOfTemplate(location: unknown, at = key): string[] {
  const routes = { [at]: { ...redirect(302, ''), location } }
  return problemsOf({ routes }).map((line) =>
    line.replace(/^routes\[.*\]\.redirect\.location: /, ''),
  )
}

test('templates become literals and variables', (t) => {
  const literal = (text: string) => ({ literal: text })
  const variable = (name: string) => ({ variable: name })
  const cases: [string, LocationPart[]][] = [
    ['/a', [literal('/a')]],
    ['$path', [variable('path')]],
    ['$rest$query', [variable('rest'), variable('query')]],
    ['https://ex.com$path', [literal('https://ex.com'), variable('path')]],
    ['https://$host/x', [literal('https://'), variable('host'), literal('/x')]],
    ['https://www.$host$rest', [literal('https://www.'), variable('host'), variable('rest')]],
    ['https://$host:8443', [literal('https://'), variable('host'), literal(':8443')]],
    ['/u/$name.html', [literal('/u/'), variable(':name'), literal('.html')]],
    ['https://ex.com/?who=$name', [literal('https://ex.com/?who='), variable(':name')]],
    ['/cost/$$5', [literal('/cost/'), literal('$'), literal('5')]],
  ]
  for (const [template, parts] of cases) t.deepEqual(partsOf(template), parts, template)
})

test('the query is kept unless the template has its own or says no', (t) => {
  const kept = (location: string, options = {}) => {
    const routes = { '/a/*': redirect(302, location, options) }
    const [route] = resolveConfig({ routes }, { file: '', directory: '/' }).routes
    return route?.action.kind === 'redirect' ? route.action : undefined
  }
  t.true(kept('/x')?.keepQuery)
  t.false(kept('/x', { keepQuery: false })?.keepQuery)
  t.false(kept('/x?y')?.keepQuery)
  t.false(kept('/x$query')?.keepQuery)
  t.deepEqual(kept('/app#$rest')?.location, [
    { literal: '/app' },
    { variable: 'query' },
    { literal: '#' },
    { variable: 'rest' },
  ])
  t.false(kept('/app#top')?.keepQuery)
  const both = problemsOf({ routes: { '/a': redirect(302, '/x?y', { keepQuery: true }) } })
  t.regex(both[0] ?? '', /keepQuery: the location has a query of its own/)
})

test('unknown variables, with the nearest known one', (t) => {
  t.deepEqual(problemsOfTemplate('/$pth'), ["unknown variable '$pth'; did you mean '$path'?"])
  t.deepEqual(problemsOfTemplate('/$nam'), ["unknown variable '$nam'; did you mean '$name'?"])
  t.deepEqual(problemsOfTemplate('/$'), ["a lone '$': write '$$' for a dollar sign"])
  t.regex(problemsOfTemplate('$rest', '/a')[0] ?? '', /this route has none/)
  t.regex(problemsOfTemplate('/$path', '/:path')[0] ?? '', /could be the parameter ':path'/)
})

test('a visitor never chooses the host', (t) => {
  const open = [
    '$name',
    '$host/x',
    '$query',
    '//$name',
    '//evil.example',
    'https://$name/',
    'https://$name.example.com/',
    'https://example.com$name',
    'https://example.com.$name/',
    'https://example.com:$name/',
    'https://user:$name@example.com/',
    'https://$rest',
    'https://$path',
    'https://$query',
    'https:$rest',
    'https:/$rest',
    'javascript:$name',
    'example.com/x',
    '\\\\evil.example',
    '/\\evil.example',
    '',
  ]
  for (const template of open) t.is(problemsOfTemplate(template).length, 1, template)
})

test('what no URL can hold', (t) => {
  for (const template of [
    '/a b',
    '/ä',
    '/a\r\nSet-Cookie: x',
    '/\0',
    'https:///x',
    'https://',
    5,
  ]) {
    t.is(problemsOfTemplate(template).length, 1, String(template))
  }
  t.is(problemsOfTemplate('https://exa mple/').length, 1)
  t.is(problemsOfTemplate('https://a..$host:port/').length, 1)
})

test('only redirecting statuses', (t) => {
  for (const status of [200, 300, 304, 306, '301']) {
    const routes = { '/': { ...redirect(301, '/'), status } }
    t.is(problemsOf({ routes }).length, 1, String(status))
  }
})
