// Verdicts that workers remember: what they are known by, for how long, and that a hook cannot rest
// on what the memory does not know.

import test, { type ExecutionContext } from 'ava'
import type { GatewayConfig } from '../../src/config/actions.ts'
import { files, hook, type RememberedHookFunctions, respond } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite } from '../support/site.ts'
import { until } from '../support/wait.ts'

function start(t: ExecutionContext, routes: GatewayConfig['routes'], more: object = {}) {
  return startGateway(t, { routes, ...more })
}

testOnBothTwins('a remembered verdict is not asked for again', async (t, transfer) => {
  const { root } = makeSite(t, { 'a.txt': 'a', 'b.txt': 'b' })
  const asked: string[] = []
  const hooks = hook({
    remember: { seconds: 3600, by: ['authorization'] },
    onRequest(head) {
      const who = head.header('authorization') ?? ''
      asked.push(`${head.method} ${head.target} ${who}`)
      return who === 'joe' ? undefined : new Response(`not ${who}`, { status: 401 })
    },
  })
  const { port, gateway } = await start(t, { '/*': files(root, { hooks }) }, { transfer })
  const get = async (path: string, authorization: string, method = 'GET') => {
    const headers = { Authorization: authorization, 'X-Other': String(Math.random()) }
    return (await ask(port, path, { method, headers })).status
  }
  for (let n = 0; n < 3; n++) {
    t.is(await get('/a.txt', 'joe'), 200)
    t.is(await get('/a.txt', 'eve'), 401)
    t.is(await get('/a.txt?x', 'joe'), 200)
    t.is(await get('/b.txt', 'joe'), 200)
    t.is(await get('/a.txt', 'joe', 'HEAD'), 200)
  }
  t.deepEqual(asked, [
    'GET /a.txt joe',
    'GET /a.txt eve',
    'GET /a.txt?x joe',
    'GET /b.txt joe',
    'HEAD /a.txt joe',
  ])
  const { hooks: counts } = gateway.stats().total
  t.deepEqual([counts.asked, counts.remembered], [5, 10])
})

test('verdicts of one host or route are not those of another', async (t) => {
  let asked = 0
  const hooks = hook({
    remember: { seconds: 3600 },
    onRequest(head) {
      asked++
      return new Response(`${head.host} ${asked}`)
    },
  })
  const { port } = await start(t, {
    '/a': respond(200, '', { hooks }),
    'b.test/a': respond(200, '', { hooks }),
  })
  const bodies: string[] = []
  for (const host of ['a.test', 'c.test', 'b.test', 'a.test', 'c.test', 'b.test']) {
    bodies.push((await ask(port, '/a', { headers: { Host: host } })).body)
  }
  t.deepEqual(bodies, ['a.test 1', 'c.test 2', 'b.test 3', 'a.test 1', 'c.test 2', 'b.test 3'])
})

test('a value, several of them and none are three things', async (t) => {
  let asked = 0
  const hooks = hook({
    remember: { seconds: 3600, by: ['x-a', 'x-b'] },
    onRequest: () => new Response(String(++asked)),
  })
  const { port } = await start(t, { '/': respond(200, '', { hooks }) })
  const variants: Record<string, string | string[]>[] = [
    {},
    { 'X-A': '' },
    { 'X-B': '' },
    { 'X-A': 'ab' },
    { 'X-A': ['a', 'b'] },
    { 'X-A': 'a', 'X-B': 'b' },
    { 'X-A': 'b', 'X-B': 'a' },
    { 'X-B': ['a', 'b'] },
  ]
  for (const [at, headers] of [...variants, ...variants].entries()) {
    const reply = await ask(port, '/', { headers })
    t.is(reply.body, String((at % variants.length) + 1))
  }
})

test('a verdict says for how long it is remembered', async (t) => {
  const asked: Record<string, number> = {}
  const hooks = hook<{ which: string }, never>({
    remember: { seconds: 3600 },
    onRequest({ path }) {
      asked[path] = (asked[path] ?? 0) + 1
      if (path === '/not') return { remember: false }
      if (path === '/short') return { answer: new Response(`${asked[path]}`), remember: 0.1 }
      return undefined
    },
  })
  const { port } = await start(t, { '/:which': respond(200, 'fine', { hooks }) })
  for (let n = 0; n < 3; n++) {
    await ask(port, '/not')
    await ask(port, '/long')
  }
  t.is(asked['/not'], 3)
  t.is(asked['/long'], 1)
  t.is((await ask(port, '/short')).body, '1')
  await until('it is asked again', async () => (await ask(port, '/short')).body !== '1')
  t.is(asked['/long'], 1)
})

test('what failed is not remembered', async (t) => {
  let asked = 0
  const hooks = hook({
    remember: { seconds: 3600 },
    onRequest() {
      if (++asked === 1) throw new Error('once')
    },
  })
  const { port } = await start(t, { '/': respond(200, 'fine', { hooks }) })
  t.is((await ask(port, '/')).status, 500)
  t.is((await ask(port, '/')).status, 200)
  t.is((await ask(port, '/')).status, 200)
  t.is(asked, 2)
})

test('a remembered verdict cannot rest on what the memory does not know', async (t) => {
  const looks: Record<
    string,
    (head: Record<string, unknown> & { header: (n: string) => unknown }) => unknown
  > = {
    header: (head) => head.header('cookie'),
    headers: (head) => head.headers,
    address: (head) => head.clientAddress,
  }
  const functions = {
    remember: { seconds: 3600, by: ['authorization'] },
    onRequest(head: { params: { which: string } }) {
      looks[head.params.which]?.(head as never)
    },
  } as unknown as RememberedHookFunctions<{ which: string }>
  const { port, log } = await start(t, {
    '/:which': respond(200, 'fine', { hooks: hook<{ which: string }, string>(functions) }),
  })
  for (const which of Object.keys(looks)) {
    t.is((await ask(port, `/${which}`, { headers: { Cookie: 'a=b' } })).status, 500, which)
  }
  const errors = log.flatMap((line) => (line as unknown as { err?: Error }).err ?? [])
  t.is(errors.length, 3)
  t.true(errors.every(({ message }) => message.includes('remember.by')))
})

test('verdicts that there is no room for are asked for again, and none is mistaken', async (t) => {
  const hooks = hook({
    remember: { seconds: 3600 },
    onRequest: ({ target }) => new Response(target),
  })
  const { connect, gateway } = await start(t, { '/*': respond(200, '', { hooks }) })
  const client = await connect()
  const many = 20_000
  const batch = 100
  for (let from = 0; from < many; from += batch) {
    const lines = Array.from(
      { length: batch },
      (_, n) => `GET /${from + n} HTTP/1.1\r\nHost: x\r\n\r\n`,
    )
    client.write(lines.join(''))
    for (let n = 0; n < batch; n++) {
      const { body } = await client.read()
      if (body.toString() !== `/${from + n}`) t.fail(`${from + n}`)
    }
  }
  t.is((await client.ask('GET /19999 HTTP/1.1\r\nHost: x\r\n\r\n')).body.toString(), '/19999')
  t.is(gateway.stats().total.hooks.remembered, 1)
})
