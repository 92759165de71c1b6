// The process in which the functions of a configuration file run: it comes and goes with the
// gateway, and whatever it does to itself, the gateway serves on and another takes its place.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'ava'
import { ask } from '../support/ask.ts'
import { startSluice } from '../support/command-line.ts'
import { lives, startConfigured, writeConfig } from '../support/configured.ts'
import { startTarget } from '../support/target.ts'
import { until } from '../support/wait.ts'

const hello = "'/hello': handler(() => new Response('hello from ' + process.pid)),"
const fixed = "'/fixed': respond(200, 'fixed'),"

test.serial('functions run in a process of their own, which ends with the gateway', async (t) => {
  const { gateway, ask, app, logged } = await startConfigured(t, writeConfig(t, hello))
  t.is((await ask('/hello')).body, `hello from ${app()}`)
  t.not(app(), process.pid)
  t.like(await logged('the app is ready'), { host: 'node:http', generation: 1 })
  await gateway.close()
  t.false(lives(app()))
})

test.serial('a gateway without functions has no app', async (t) => {
  const { log, ask } = await startConfigured(t, writeConfig(t, fixed))
  t.is((await ask('/fixed')).body, 'fixed')
  t.deepEqual(log, [])
})

test.serial('an app passes requests on by the workers of its gateway', async (t) => {
  const target = await startTarget(t, 'target')
  const routes = `'/*': handler((request, { proxy }) => proxy(request, { upstream: 'it' })),`
  const upstreams = `upstreams: { it: { targets: '${target.url}' } },`
  const { gateway, ask, app } = await startConfigured(t, writeConfig(t, routes, upstreams))
  t.is((await ask('/a?b')).body, 'target')
  t.like(target.requests, [{ url: '/a?b' }])
  t.not(app(), process.pid)
  await gateway.close()
})

test.serial('an app that ends is replaced, and nothing else notices', async (t) => {
  const ends = `
    '/exit': handler(() => process.exit(3)),
    '/kill': handler(() => { process.kill(process.pid, 'SIGKILL'); return new Response() }),
    '/throw': handler(() => new Promise(() => setTimeout(() => { throw new Error('late') }))),`
  const file = writeConfig(t, hello + fixed + ends)
  const { ask, app, log, logged } = await startConfigured(t, file)
  const endings = { '/exit': 'exit code 3', '/kill': 'SIGKILL', '/throw': 'exit code 1' }
  for (const [path, how] of Object.entries(endings)) {
    const before = app()
    t.true([502, 503].includes((await ask(path)).status), path)
    t.is((await ask('/fixed')).body, 'fixed')
    await logged(`the app has ended (${how})`)
    const after = await until('another app', () => app() !== before && app())
    await until('its answer', async () => (await ask('/hello')).body === `hello from ${after}`)
  }
  // What Node printed about the exception is in the log.
  t.true(log.some((line) => /Error: late/.test(line.message) && 'printed' in line))
})

test.serial('an app that hangs is killed and replaced, with all that it had started', async (t) => {
  const spins = `
    '/child': handler(async () => {
      const { spawn } = await import('node:child_process')
      return new Response(String(spawn('sleep', ['1000'], { stdio: 'ignore' }).pid))
    }),
    '/spin': handler(() => { for (;;) {} }),`
  const file = writeConfig(t, hello + fixed + spins, "timeouts: { appHang: '400ms' },")
  const { ask, app, logged } = await startConfigured(t, file)
  const before = app()
  const child = Number((await ask('/child')).body)
  t.true(lives(child))
  const spinning = ask('/spin')
  t.is((await ask('/fixed')).body, 'fixed')
  t.true([502, 503].includes((await spinning).status))
  await logged('the app does not react for 400ms (timeouts.appHang): killed')
  await until('its child to go', () => !lives(child))
  await until('another app', () => app() !== before)
  await until('its answer', async () => (await ask('/hello')).status === 200)
})

test.serial('a promise that nobody waited for is a line in the log', async (t) => {
  const rejects =
    "'/reject': handler(() => { Promise.reject(new Error('lost')); return new Response('ok') }),"
  const { ask, app, logged } = await startConfigured(t, writeConfig(t, hello + rejects))
  t.is((await ask('/reject')).body, 'ok')
  const line = await logged('a promise was rejected and nobody handled it')
  t.is((line as unknown as { err: Error }).err.message, 'lost')
  t.is((await ask('/hello')).body, `hello from ${app()}`)
})

test.serial('what an app prints and logs is in the log of the gateway', async (t) => {
  const prints = `
    '/print': handler((_request, { log }) => {
      console.log('one\\ntwo')
      console.error('three')
      log.warn({ key: 5 }, 'four')
      log.info('five')
      log.info({ odd: () => {} }, 'six')
      return new Response()
    }),`
  const { ask, log, logged } = await startConfigured(t, writeConfig(t, prints))
  await ask('/print')
  for (const word of ['one', 'two', 'three', 'four', 'five', 'six']) await logged(word)
  t.like(
    log.find(({ message }) => message === 'two'),
    { level: 'info', printed: 'stdout' },
  )
  t.like(
    log.find(({ message }) => message === 'three'),
    { level: 'warn', printed: 'stderr' },
  )
  t.like(
    log.find(({ message }) => message === 'four'),
    { level: 'warn', key: 5, route: '/print' },
  )
})

test.serial(
  'a configuration that is another one in the app is an error that says where',
  async (t) => {
    const file = writeConfig(t, `${hello}'/pid': respond(200, String(process.ppid)),`)
    const error = await t.throwsAsync(startConfigured(t, file), { code: 'ERR_SLUICE_CONFIG' })
    t.regex(error.message, /routes\["\/pid"\]\.action\.body: other bytes\. The app evaluates/)
  },
)

test.serial('a file that fails only in the app is an error with its place', async (t) => {
  const file = writeConfig(t, hello)
  const text = readFileSync(file, 'utf8')
  const fails =
    "import { isMainThread } from 'node:worker_threads'\nif (isMainThread) throw new Error('no')\n"
  writeFileSync(file, fails + text)
  const error = await t.throwsAsync(startConfigured(t, file), { code: 'ERR_SLUICE_CONFIG' })
  t.regex(error.message, /line 2: Error: no/)
})

test.serial('an app that is not ready in time is an error that names the setting', async (t) => {
  const file = writeConfig(t, hello, "timeouts: { appStart: '100ms' },")
  const error = await t.throwsAsync(startConfigured(t, file), { code: 'ERR_SLUICE_APP' })
  t.is(error.message, 'the app was not ready after 100ms (timeouts.appStart)')
})

test.serial('an app that hangs does not outlive a gateway that was killed', async (t) => {
  const pid = "'/pid': handler(() => new Response(String(process.pid))),"
  const spins = `
    '/spin': handler(() => {
      process.getBuiltinModule('node:fs').writeFileSync(import.meta.dirname + '/spins', '')
      for (;;) {}
    }),`
  const idle = startSluice(t, ['run', '--config', writeConfig(t, pid)])
  const file = writeConfig(t, pid + spins)
  const busy = startSluice(t, ['run', '--config', file])
  for (const gateway of [idle, busy]) {
    const port = Number(/:(\d+)$/.exec(await gateway.line())?.[1])
    const app = Number((await ask(port, '/pid')).body)
    t.true(lives(app))
    if (gateway === busy) {
      ask(port, '/spin').catch(() => {})
      await until('the loop', () => existsSync(join(dirname(file), 'spins')))
    }
    gateway.child.kill('SIGKILL')
    await until('the app to go', () => !lives(app))
  }
})
