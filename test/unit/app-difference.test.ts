// Two evaluations of one configuration: equal, or the first place where they differ.

import test from 'ava'
import { firstDifference } from '../../src/app/difference.ts'

test('equal configurations have no difference', (t) => {
  const make = () => ({ a: [1, { key: '/x', body: new Uint8Array([1, 2]) }], b: null, c: false })
  t.is(firstDifference(make(), make()), undefined)
})

test('the first difference is named with its place', (t) => {
  const cases: [unknown, unknown, string][] = [
    [{ a: { b: 1 } }, { a: { b: 2 } }, 'a.b: 1 in the gateway, 2 in the app'],
    [{ a: [1] }, { a: [] }, 'a[0]: only in the gateway'],
    [{}, { 'x-y': 1 }, '["x-y"]: only in the app'],
    [{ a: 'x' }, { a: {} }, "a: 'x' in the gateway, an object in the app"],
    [{ a: new Uint8Array(1) }, { a: new Uint8Array(2) }, 'a: other bytes'],
    [{ a: { b: 1, c: 2 } }, { a: { c: 2, b: 1 } }, 'a: in another order'],
    [
      { routes: [{ key: '/a', status: 1 }] },
      { routes: [{ key: '/a', status: 2 }] },
      'routes["/a"].status: 1 in the gateway, 2 in the app',
    ],
    [
      { routes: [{ key: '/a' }] },
      { routes: [{ key: '/b' }] },
      `routes["/a"].key: '/a' in the gateway, '/b' in the app`,
    ],
  ]
  for (const [gateway, app, expected] of cases) t.is(firstDifference(gateway, app), expected)
})
