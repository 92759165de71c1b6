// Hooks in a process of their own, as `sluice run` has them: what goes on while it is blocked, what
// becomes of questions when it ends, and who waits for it.

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { RawClient } from '../support/client.ts'
import { lives, startConfigured, writeConfig } from '../support/configured.ts'
import { startEcho } from '../support/reloading.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { until } from '../support/wait.ts'

const imports = "import { hook, files, proxy, rateLimit } from 'sluice'\n"

function config(t: ExecutionContext, routes: string, more = ''): string {
  const file = writeConfig(t, routes, more)
  const { readFileSync, writeFileSync } = process.getBuiltinModule('node:fs')
  writeFileSync(file, imports + readFileSync(file, 'utf8'))
  return file
}

test.serial('hooks run in a process of their own, and see what they are to see', async (t) => {
  const routes = `
    '/pid': respond(200, '', { hooks: hook(() => new Response(String(process.pid))) }),
    '/p/:name': respond(200, 'passed', {
      hooks: hook((head) => ({ response: { set: { 'X-Name': head.params.name } } })),
    }),`
  const { ask, app } = await startConfigured(t, config(t, routes))
  t.is((await ask('/pid')).body, String(app()))
  const reply = await ask('/p/a%20b')
  t.deepEqual([reply.body, reply.headers['x-name']], ['passed', 'a b'])
})

test.serial('while the app is blocked, what needs no hook goes on', async (t) => {
  const { root } = makeSite(t, { 'a.bin': patternBytes(300_000) })
  const { url } = await startEcho(t, (_request, response) => {
    response.end(patternBytes(2_000_000))
  })
  const remembered = `hooks: hook({
    remember: { seconds: 600 },
    onRequest: () => ({ response: { set: { 'X-Hook': 'yes' } } }),
  })`
  const routes = `
    '/f/*': files(${JSON.stringify(root)}, { ${remembered} }),
    '/p': proxy('${url}', { ${remembered} }),
    '/block': respond(200, '', { hooks: hook(() => { for (;;) {} }) }),
    '/ask': respond(200, 'asked', { hooks: hook(() => {}) }),`
  const { ask, port, gateway } = await startConfigured(
    t,
    config(t, routes, "timeouts: { appHang: '1h' },"),
  )
  const tunnel = await RawClient.connect({ port, host: '127.0.0.1' })
  t.teardown(() => tunnel.socket.destroy())
  tunnel.write('GET /p HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n')
  t.regex((await tunnel.readHead()).line, / 101 /)
  t.is((await ask('/f/a.bin')).headers['x-hook'], 'yes')
  t.is((await ask('/p')).headers['x-hook'], 'yes')
  const blocked = ask('/block').catch(() => undefined)
  await until('the hook has it', () => gateway.stats().total.hooks.open === 1)
  const waiting = ask('/ask').catch(() => undefined)
  await until('another waits', () => gateway.stats().total.hooks.open === 2)
  // Nothing of this could be answered if it had to wait: the loop never ends.
  for (let n = 0; n < 20; n++) {
    const file = await ask('/f/a.bin')
    t.deepEqual([file.status, file.bytes.length, file.headers['x-hook']], [200, 300_000, 'yes'])
    t.is((await ask('/p')).bytes.length, 2_000_000)
    tunnel.write(`ping ${n}`)
    t.is((await tunnel.takeBytes(`ping ${n}`.length)).toString(), `ping ${n}`)
  }
  t.is(gateway.stats().total.hooks.open, 2)
  await gateway.close({ drain: false })
  await Promise.all([blocked, waiting])
})

test.serial('questions that an app had when it ended are asked of its successor', async (t) => {
  const marker = makeSite(t).path('died')
  const routes = `
    '/once': respond(200, 'answered', { hooks: hook(async () => {
      const { existsSync, writeFileSync } = await import('node:fs')
      if (existsSync(${JSON.stringify(marker)})) return
      writeFileSync(${JSON.stringify(marker)}, '')
      process.exit(1)
    }) }),
    '/always': respond(200, 'never', { hooks: hook(() => process.exit(1)) }),`
  const { ask, app, gateway } = await startConfigured(t, config(t, routes))
  const first = app()
  t.is((await ask('/once')).body, 'answered')
  t.not(app(), first)
  t.false(lives(first))
  // What ends every app is not given to more than two.
  t.is((await ask('/always')).status, 502)
  t.is(gateway.stats().total.errors['hook-lost'], 1)
  t.is((await ask('/once')).body, 'answered')
})

test.serial('an app whose hook blocks is killed, and the request asked again', async (t) => {
  const marker = makeSite(t).path('hung')
  const routes = `
    '/': respond(200, 'answered', { hooks: hook(async () => {
      const { existsSync, writeFileSync } = await import('node:fs')
      if (existsSync(${JSON.stringify(marker)})) return
      writeFileSync(${JSON.stringify(marker)}, '')
      for (;;) {}
    }) }),`
  const { ask, logged } = await startConfigured(
    t,
    config(t, routes, "timeouts: { appHang: '1s' },"),
  )
  const reply = ask('/')
  await logged('the app does not react for 1s (timeouts.appHang): killed')
  t.is((await reply).body, 'answered')
})

test.serial('an app is only there for functions: hooks of the core need none', async (t) => {
  const routes = `'/': respond(200, 'fine', { hooks: rateLimit({ limit: 100 }) }),`
  const { ask, log } = await startConfigured(t, config(t, routes))
  t.is((await ask('/')).status, 200)
  t.false(log.some(({ message }) => message === 'the app is ready'))
})

test.serial('a gateway that drains lets hooks decide', async (t) => {
  const gate = createServer()
  gate.listen(0, '127.0.0.1')
  await once(gate, 'listening')
  t.teardown(() => gate.close())
  const { port: gatePort } = gate.address() as AddressInfo
  const routes = `
    '/': respond(200, 'decided', { hooks: hook(async () => {
      const { connect } = await import('node:net')
      const { once } = await import('node:events')
      await once(connect(${gatePort}, '127.0.0.1'), 'data')
    }) }),`
  const { ask, gateway } = await startConfigured(t, config(t, routes))
  const reply = ask('/')
  const [held] = (await once(gate, 'connection')) as [import('node:net').Socket]
  const closed = gateway.close()
  held.write('go')
  t.is((await reply).body, 'decided')
  await closed
})
