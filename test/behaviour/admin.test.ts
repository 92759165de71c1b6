// The admin listener: who may ask what, and what steering does to requests.

import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { createGateway } from '../../src/gateway.ts'
import { files, proxy, respond } from '../../src/index.ts'
import { startWithAdmin } from '../support/admin.ts'
import { ask } from '../support/ask.ts'
import { startGateway } from '../support/gateway.ts'
import { makeFolder, makeSite } from '../support/site.ts'
import { startTarget } from '../support/target.ts'
import { until } from '../support/wait.ts'

const routes = { '/*': respond(200, 'ok') }

test('probes need no token, and say what they are asked', async (t) => {
  const { admin } = await startWithAdmin(t, { routes })
  t.like(await admin('/livez'), { status: 200, body: 'ok\n' })
  t.like(await admin('/readyz'), { status: 200, body: 'serving\n' })
  t.like(await admin('/readyz', { method: 'HEAD' }), { status: 200, body: '' })
  t.is((await admin('/metrics')).status, 200)
  t.is((await admin('/nothing')).status, 404)
  t.is((await admin('/livez', { method: 'POST' })).status, 405)
})

test('everything else needs the token', async (t) => {
  const { admin, steer } = await startWithAdmin(t, { routes })
  const { endpoints } = JSON.parse((await admin('/')).body)
  const closed = endpoints.filter((endpoint: { token: boolean }) => endpoint.token)
  t.true(closed.length > 8)
  for (const { method, path } of closed) {
    const place = path.replace(':name', 'api')
    const refused = await admin(place, { method })
    t.is(refused.status, 401, `${method} ${path}`)
    t.is(refused.headers['www-authenticate'], 'Bearer')
    for (const Authorization of ['Bearer wrong-but-of-a-good-length', 'Basic abc', 'Bearer ']) {
      t.is((await admin(place, { method, headers: { Authorization } })).status, 401)
    }
  }
  const allowed = await steer('GET', '/status')
  t.like(JSON.parse(allowed.body), { phase: 'serving', pid: process.pid, workers: 1 })
})

test('guesses are counted and logged once, and never written down', async (t) => {
  const { admin, log } = await startWithAdmin(t, { routes })
  const guesses = Array.from({ length: 200 }, (_, i) => `guess-${i}-of-a-good-length`)
  for (const guess of guesses) {
    const { status } = await admin('/status', { headers: { Authorization: `Bearer ${guess}` } })
    t.is(status, 401)
  }
  t.is((await admin('/status')).status, 401)
  const lines = log.filter(({ code }) => code === 'admin-wrong-token')
  t.is(lines.length, 1)
  t.false(JSON.stringify(log).includes('guess-'))
  t.regex((await admin('/metrics')).body, /^sluice_admin_wrong_tokens_total 200$/m)
})

test('without a token nobody may steer, and is told what to set', async (t) => {
  const { gateway } = await startGateway(t, { routes, admin: { port: 0 } })
  const [address] = gateway.adminAddresses
  const port = address?.kind === 'tcp' ? address.port : 0
  const refused = await ask(port, '/status', { headers: { Authorization: 'Bearer ' } })
  t.is(refused.status, 403)
  t.regex(refused.body, /admin\.tokenFile/)
})

test('a token file is read anew, and a short token is none', async (t) => {
  const tokenFile = join(makeFolder(t), 'token')
  writeFileSync(tokenFile, 'short')
  const { gateway } = await startGateway(t, { routes, admin: { port: 0, tokenFile } })
  const [address] = gateway.adminAddresses
  const port = address?.kind === 'tcp' ? address.port : 0
  const with_ = (token: string) =>
    ask(port, '/status', { headers: { Authorization: `Bearer ${token}` } })
  t.is((await with_('short')).status, 403)
  writeFileSync(tokenFile, 'first-token-of-many\n')
  t.is((await with_('first-token-of-many')).status, 200)
  writeFileSync(tokenFile, 'second-token-of-many\n')
  t.is((await with_('first-token-of-many')).status, 401)
  t.is((await with_('second-token-of-many')).status, 200)
})

test('a Host that could be anybody is refused', async (t) => {
  const { admin } = await startWithAdmin(t, { routes })
  const from = (Host: string) => admin('/metrics', { headers: { Host } })
  for (const host of ['evil.example.com', 'evil.example.com:80', '127.0.0.1.example.com']) {
    t.is((await from(host)).status, 421, host)
  }
  for (const host of ['127.0.0.1', 'localhost:9', 'gateway', '[::1]:80']) {
    t.is((await from(host)).status, 200, host)
  }
})

test('names in admin.hosts are known', async (t) => {
  const { admin } = await startWithAdmin(t, {
    routes,
    admin: { port: 0, hosts: ['metrics.example.com'] },
  })
  const { status } = await admin('/metrics', { headers: { Host: 'metrics.example.com:80' } })
  t.is(status, 200)
})

test('a unix socket serves as well, and its path goes with the gateway', async (t) => {
  const path = join(makeFolder(t), 'admin.sock')
  const { gateway } = await startGateway(t, { routes, admin: { path } })
  t.is((await ask(0, '/readyz', { socketPath: path })).status, 200)
  await gateway.close()
  t.false(existsSync(path))
})

test('an admin port that is taken is an error that names it', async (t) => {
  const { adminPort } = await startWithAdmin(t, { routes })
  const other = await createGateway({ listen: 0, routes, admin: { port: adminPort } })
  await t.throwsAsync(other.listen(), { code: 'ERR_SLUICE_LISTEN', message: /in use/ })
})

test('a body that is no JSON object, or too long, is refused', async (t) => {
  const { admin } = await startWithAdmin(t, { routes })
  const headers = { Authorization: `Bearer ${'a-token-of-sufficient-length'}` }
  const post = (body: string) => admin('/evict', { method: 'POST', headers, body })
  for (const body of ['{', '[]', '"text"', '{"path": 7}', '{}', ' '.repeat(70_000)]) {
    t.is((await post(body)).status, 400, body.slice(0, 10))
  }
})

test('targets are added, drained and taken out', async (t) => {
  const one = await startTarget(t, 'one')
  const two = await startTarget(t, 'two')
  const { steer, get } = await startWithAdmin(t, {
    upstreams: { app: { targets: [one.url] } },
    routes: { '/*': proxy('app') },
  })
  const answers = async () => {
    const bodies = await Promise.all(Array.from({ length: 8 }, () => get('/')))
    return [...new Set(bodies.map(({ body }) => body.toString()))].sort().join()
  }
  t.is((await steer('POST', '/upstreams/app/add', { target: two.url })).status, 200)
  await until('both to answer', async () => (await answers()) === 'one,two')
  t.is((await steer('POST', '/upstreams/app/drain', { target: one.url })).status, 200)
  await until('one to be drained', async () => (await answers()) === 'two')
  const [app] = JSON.parse((await steer('GET', '/upstreams')).body)
  t.like(app.targets[0], { url: one.url, draining: true })
  t.is((await steer('POST', '/upstreams/app/undrain', { target: one.url })).status, 200)
  t.is((await steer('POST', '/upstreams/app/remove', { target: two.url })).status, 200)
  await until('one alone to answer', async () => (await answers()) === 'one')
  t.is((await steer('POST', '/upstreams/none/drain', { target: one.url })).status, 404)
  const wrong = await steer('POST', '/upstreams/app/add', { target: 'gopher://x' })
  t.true(wrong.status >= 400 && wrong.status < 500, wrong.body)
})

test('an evicted path is asked about again', async (t) => {
  const site = makeSite(t, { 'a.txt': 'a', 'b/c.txt': 'c' })
  const { steer, get, gateway } = await startWithAdmin(t, { routes: { '/*': files(site.root) } })
  const asked = () => gateway.stats().questions.asked
  await get('/a.txt')
  await get('/b/c.txt')
  await get('/a.txt')
  t.is(asked(), 2)
  const evict = async (body: object) => JSON.parse((await steer('POST', '/evict', body)).body)
  t.deepEqual(await evict({ path: '/a.txt' }), { evicted: 1 })
  await until('the worker to forget', () => gateway.stats().total.answers === 1)
  await get('/a.txt')
  t.is(asked(), 3)
  t.deepEqual(await evict({ path: '/b', beneath: true }), { evicted: 1 })
  t.deepEqual(await evict({ path: '/nothing' }), { evicted: 0 })
})

test('the level of the log is shown and set where the logger has one', async (t) => {
  const { steer } = await startWithAdmin(t, { routes })
  t.is((await steer('PUT', '/log-level', { level: 'debug' })).status, 409)
  t.is((await steer('PUT', '/log-level', { level: 'loud' })).status, 400)
})

test('readiness ends before listeners do', async (t) => {
  const { admin, get, gateway } = await startWithAdmin(t, {
    routes,
    timeouts: { drainDelay: '1m' },
  })
  const closed = gateway.close()
  t.like(await admin('/readyz'), { status: 503, body: 'leaving\n' })
  t.is((await admin('/livez')).status, 200)
  t.is((await get('/')).status, 200)
  await gateway.close({ drain: false })
  await closed
})

test('a reload that is impossible is refused, and says why', async (t) => {
  const { steer, get } = await startWithAdmin(t, { routes })
  const refused = await steer('POST', '/reload')
  t.true(refused.status >= 400 && refused.status < 500, refused.body)
  t.is((await get('/')).status, 200)
})

test('an evicted path is that of the route which serves it after a reload', async (t) => {
  const { root } = makeSite(t, { 'a.txt': 'a' })
  const listen = { port: 0 }
  const { steer, get, gateway } = await startWithAdmin(t, { routes: { '/*': files(root) } })
  const options = { headers: { 'X-Kept': 'no' } }
  await gateway.reload({ listen, routes: { '/b': respond(200, 'b'), '/*': files(root, options) } })
  const port = gateway.adminAddresses.length
  t.is(port, 1)
  await get('/a.txt')
  const { body } = await steer('POST', '/evict', { path: '/a.txt' })
  t.deepEqual(JSON.parse(body), { evicted: 1 })
})
