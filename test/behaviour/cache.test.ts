// The descriptor cache at work: asked once, bounded, the hot file stays, and nothing leaks; on both
// twins. The accounting itself is tested on a pretended core in test/unit/files-questions.test.ts.

import { readdirSync } from 'node:fs'
import test from 'ava'
import { files } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway, testOnBothTwins } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { until } from '../support/wait.ts'

testOnBothTwins('a remembered file is served without a question', async (t, transfer) => {
  const site = makeSite(t, { small: 'a', big: patternBytes(50_000) })
  const { connect, gateway } = await startGateway(t, {
    transfer,
    routes: { '/*': files(site.root) },
  })
  const client = await connect()
  for (const target of ['/small', '/big', '/missing']) {
    await client.ask(request(target))
    const { questions } = gateway.stats()
    for (let n = 0; n < 20; n++) await client.ask(request(target))
    t.is(gateway.stats().questions.asked, questions.asked, target)
  }
  await until('the counter', () => gateway.stats().total.remembered >= 20)
})

test('a remembered small file costs one recv and one send', async (t) => {
  const site = makeSite(t, { small: patternBytes(1_024) })
  const { connect, gateway } = await startGateway(t, { routes: { '/*': files(site.root) } })
  const client = await connect()
  for (let n = 0; n < 2; n++) await client.ask(request('/small'))
  const before = gateway.stats().total.syscalls
  for (let n = 0; n < 50; n++) await client.ask(request('/small'))
  const after = gateway.stats().total.syscalls
  // How often a worker waits and is woken depends on how the machine is scheduled.
  const names = Object.keys(after).filter((name) => !['epoll_wait', 'read', 'write'].includes(name))
  const calls = names.map((name) => [name, (after[name] ?? 0) - (before[name] ?? 0)])
  const made = Object.fromEntries(calls.filter(([, count]) => count !== 0))
  t.deepEqual(made, { recv: 50, send: 50 })
})

testOnBothTwins('one path is asked once, however many wait', async (t, transfer) => {
  const content = patternBytes(50_000)
  const site = makeSite(t, { a: content })
  const { connect, gateway } = await startGateway(t, {
    transfer,
    routes: { '/*': files(site.root) },
  })
  const clients = await Promise.all(Array.from({ length: 50 }, () => connect()))
  const replies = await Promise.all(clients.map((client) => client.ask(request('/a'))))
  t.true(replies.every(({ body }) => body.equals(content)))
  const { questions, cache } = gateway.stats()
  t.is(questions.asked, 1)
  t.is(cache.opened, 1)
})

testOnBothTwins('a file that two routes share is held once', async (t, transfer) => {
  const site = makeSite(t, { a: patternBytes(50_000) })
  const routes = { '/one/*': files(site.root), '/two/*': files(site.root) }
  const { get, gateway } = await startGateway(t, { transfer, routes })
  await get('/one/a')
  await get('/two/a')
  t.like(gateway.stats().cache, { files: 1, answers: 2, opened: 1, shared: 1 })
  await until('one descriptor', () => gateway.stats().files.descriptors === 1)
})

testOnBothTwins('files and bytes are bounded, and every byte is right', async (t, transfer) => {
  const names = Array.from({ length: 40 }, (_, n) => `f${n}`)
  const contents = new Map(names.map((name, n) => [name, patternBytes(n % 2 ? 3000 : 30_000 + n)]))
  const site = makeSite(t, Object.fromEntries(contents))
  const { connect, gateway } = await startGateway(t, {
    transfer,
    workers: 2,
    cache: { files: 6, bytes: '8kb', answers: 10 },
    routes: { '/*': files(site.root) },
  })
  const clients = await Promise.all(Array.from({ length: 6 }, () => connect()))
  for (let round = 0; round < 3; round++) {
    for (const [name, content] of contents) {
      const replies = await Promise.all(clients.map((client) => client.ask(request(`/${name}`))))
      t.true(
        replies.every(({ body }) => body.equals(content)),
        name,
      )
    }
  }
  const { cache } = gateway.stats()
  t.true(cache.files <= 6 && cache.answers <= 10 && cache.heldBytes <= 8192)
  t.true(cache.evictedFiles >= 100)
  await until('the core to let go', () => {
    const { files, total } = gateway.stats()
    return files.descriptors + files.heldBytes / 3000 <= 6 && total.answers <= 20
  })
})

testOnBothTwins('a hot file survives a scan of ten times the bound', async (t, transfer) => {
  const bound = 40
  const site = makeSite(t, { hot: patternBytes(20_000) })
  for (let n = 0; n < 10 * bound; n++) site.add(`cold${n}`, `cold ${n}`)
  const { connect, gateway } = await startGateway(t, {
    transfer,
    cache: { files: bound, answers: bound },
    routes: { '/*': files(site.root) },
  })
  const client = await connect()
  await client.ask(request('/hot'))
  for (let n = 0; n < 10 * bound; n++) {
    await client.ask(request(`/cold${n}`))
    await client.ask(request('/hot'))
  }
  const { questions, cache } = gateway.stats()
  t.is(questions.asked, 10 * bound + 1, 'the hot file was asked once')
  t.is(cache.evictedFiles, 10 * bound + 1 - bound)
})

testOnBothTwins('a cache without room in memory still remembers', async (t, transfer) => {
  const site = makeSite(t, { small: 'small', empty: '' })
  const { connect, gateway } = await startGateway(t, {
    transfer,
    cache: { bytes: 0 },
    routes: { '/*': files(site.root) },
  })
  const client = await connect()
  for (let n = 0; n < 5; n++) {
    t.is((await client.ask(request('/small'))).body.toString(), 'small')
    t.is((await client.ask(request('/empty'))).body.length, 0)
  }
  t.is(gateway.stats().questions.asked, 2)
})

testOnBothTwins('absences are bounded too', async (t, transfer) => {
  const site = makeSite(t)
  const { connect, gateway } = await startGateway(t, {
    transfer,
    cache: { answers: 20 },
    routes: { '/*': files(site.root) },
  })
  const client = await connect()
  for (let n = 0; n < 200; n++) t.is((await client.ask(request(`/${n}`))).status, 404)
  t.is(gateway.stats().cache.answers, 20)
  await until('the worker to forget', () => gateway.stats().total.answers <= 20)
})

test('no descriptor is left when gateways have ended', async (t) => {
  const site = makeSite(t, { a: patternBytes(50_000), b: 'b' })
  const open = () => readdirSync('/proc/self/fd').length
  const round = async () => {
    const { gateway, get } = await startGateway(t, { routes: { '/*': files(site.root) } })
    for (const name of ['a', 'b', 'missing']) await get(`/${name}`)
    await gateway.close({ drain: false })
  }
  await round()
  const before = open()
  for (let n = 0; n < 10; n++) await round()
  await until('descriptors to close', () => open() <= before)
  t.pass()
})
