// The Response of an app is like the real one in everything but its price.

import test from 'ava'
import { installLightResponse, plainAnswerOf } from '../../src/app/light-response.ts'

const Real = globalThis.Response
installLightResponse()
const Light = globalThis.Response

type Args = ConstructorParameters<typeof Response>

/** Everything that can be seen of a response. */
async function seen(make: () => Response) {
  try {
    const response = make()
    const { status, statusText, ok, type, url, redirected, bodyUsed } = response
    const headers = [...response.headers]
    const body = await response.text()
    return { status, statusText, ok, type, url, redirected, bodyUsed, headers, body }
  } catch (error) {
    return (error as Error).name
  }
}

test('it looks like the real one, whatever it was made of', async (t) => {
  const bodies: Args[0][] = [
    undefined,
    null,
    '',
    'häh',
    new Uint8Array([104, 105]),
    Buffer.from('buffer'),
    new ArrayBuffer(3),
    new URLSearchParams({ a: 'b' }),
    new Blob(['x'], { type: 'text/x' }),
  ]
  const inits: Args[1][] = [
    undefined,
    {},
    { status: 404 },
    { status: 204 },
    { status: 99 },
    { status: 200, statusText: 'Fine' },
    { headers: { 'X-A': 'b', 'Content-Type': 'text/html' } },
    { headers: { 'X-A': ' b ' } },
    { headers: { 'X-A': 'b\r\nc: d' } },
    { headers: { 'X A': 'b' } },
    { headers: { 'X-A': 'ü' } },
    { headers: { 'X-A': '€' } },
    { headers: { a: '1', A: '2' } },
    {
      headers: [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
      ],
    },
    { headers: new Headers({ 'X-A': 'b' }) },
    { headers: { 'Content-Length': '5' } },
  ]
  for (const body of bodies) {
    for (const init of inits) {
      const real = await seen(() => new Real(body, init))
      t.deepEqual(await seen(() => new Light(body, init)), real, `${body} ${JSON.stringify(init)}`)
    }
  }
})

test('the statics are those of the real one', async (t) => {
  for (const init of [undefined, { status: 201 }, { headers: { 'X-A': 'b' } }]) {
    t.deepEqual(
      await seen(() => Light.json({ a: 1 }, init)),
      await seen(() => Real.json({ a: 1 }, init)),
    )
  }
  t.throws(() => Light.json(undefined))
  t.is(Light.redirect('http://a/', 303).status, 303)
  t.is(Light.error().type, 'error')
  t.is(Light.name, 'Response')
})

test('instances are those of both, and of classes that extend it', (t) => {
  class Own extends Light {}
  t.true(new Light('x') instanceof Light)
  t.true(new Light('x') instanceof Real)
  t.true(new Real('x') instanceof Light)
  t.true(new Own('x') instanceof Light)
  t.true(new Own('x') instanceof Own)
  t.false(new Light('x') instanceof Own)
  t.false(({} as unknown) instanceof Light)
})

test('what was looked into is not plain any more, and what was changed counts', async (t) => {
  const untouched = new Light('x', { headers: { 'X-A': 'b' } })
  t.deepEqual(plainAnswerOf(untouched)?.fields, [
    'X-A',
    'b',
    'content-type',
    'text/plain;charset=UTF-8',
  ])
  const changed = new Light('x')
  changed.headers.set('X-A', 'b')
  t.is(plainAnswerOf(changed), undefined)
  t.is(changed.headers.get('x-a'), 'b')
  t.is(await changed.clone().text(), 'x')
  const read = new Light('x')
  await read.text()
  t.true(read.bodyUsed)
  await t.throwsAsync(read.text())
})

test('bytes are those of the moment when it was made', async (t) => {
  const bytes = new Uint8Array([1, 2])
  const response = new Light(bytes)
  bytes[0] = 9
  t.deepEqual([...((await response.bytes()) as Uint8Array)], [1, 2])
})
