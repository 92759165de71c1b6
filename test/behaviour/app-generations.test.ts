// Generations of the app without a gateway in front: started, and started again; asked on their
// sockets, with the fields that workers add.

import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type AppSockets, appTarget, makeSecret } from '../../src/app/contract.ts'
import { makeRunDirectory, removeRunDirectory } from '../../src/app/run-directory.ts'
import { AppSupervisor } from '../../src/app/supervisor.ts'
import { loadConfigFile } from '../../src/config/load.ts'
import { type AskOptions, ask } from '../support/ask.ts'
import { lives, writeConfig } from '../support/configured.ts'
import type { LogLine } from '../support/gateway.ts'
import { until } from '../support/wait.ts'

// Machines that run several test files at once evaluate slowly.
const patient = { timeoutMs: 60_000 }

const word = (text: string) => `
  '/word': handler(() => new Response('${text}')),
  '/never': handler(() => new Promise(() => {})),`

async function startApp(t: ExecutionContext, file: string) {
  const log: LogLine[] = []
  const at = (level: LogLine['level']) => (fields: object, message: string) =>
    void log.push({ ...fields, level, message })
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const secret = makeSecret()
  const seen: (AppSockets | undefined)[] = []
  const directory = makeRunDirectory()
  let number = 0
  const supervisor = new AppSupervisor(await loadConfigFile(file, patient), {
    realFile: file,
    secret,
    runDirectory: () => directory,
    nextNumber: () => ++number,
    logger,
    publish: () => {},
    onSockets: (sockets) => void seen.push(sockets),
    isWaitedFor: () => true,
  })
  t.teardown(async () => {
    await supervisor.stop({ drain: false })
    removeRunDirectory(directory)
  })
  await supervisor.start()
  const askRoute = (route: number, options: AskOptions = {}) => {
    const sockets = seen.at(-1)
    const target = sockets && appTarget(sockets, secret, route)
    if (target === undefined) throw new Error('the app is not there')
    const headers = { ...target.headers, 'x-request-id': 'some-id', ...options.headers }
    return ask(0, '/', { ...options, socketPath: target.socketPath, headers })
  }
  return { supervisor, log, seen, askRoute, secret }
}

test('only who has the secret is answered, and the sockets are ours alone', async (t) => {
  const { seen, askRoute, secret } = await startApp(t, writeConfig(t, word('one')))
  t.is((await askRoute(0)).body, 'one')
  const socketPath = seen[0]?.handlers ?? ''
  t.is(statSync(dirname(socketPath)).mode & 0o777, 0o700)
  for (const token of [undefined, '', secret, `${secret}.2`, `${secret}.00`, 'x.0']) {
    const headers: Record<string, string> = token === undefined ? {} : { 'x-sluice-token': token }
    const { status, body } = await ask(0, '/', { socketPath, headers })
    t.is(status, 403)
    t.is(body, '403 Forbidden: only the gateway asks here\n')
  }
})

test('file() asks the gateway for what it may give', async (t) => {
  const routes = `
    '/a': handler((_request, { file }) => file('x y/ü.txt', { headers: { 'X-A': 'b' } }),
      { root: '.' }),
    '/b': handler((_request, { file }) => file('../etc/passwd'), { root: '.' }),
    '/c': handler((_request, { file }) => file('a')),`
  const { askRoute, secret } = await startApp(t, writeConfig(t, routes))
  const file = await askRoute(0)
  t.is(file.headers['x-sluice-file'], `${secret} /x%20y/%C3%BC.txt`)
  t.is(file.headers['x-a'], 'b')
  t.is(file.headers['content-length'], '0')
  t.is((await askRoute(1)).status, 404)
  t.is((await askRoute(2)).status, 500)
})

test('an app that never lives long is started again, ever more slowly', async (t) => {
  const file = writeConfig(t, word('one'))
  const app = await startApp(t, file)
  const { supervisor, log, seen } = app
  await until('its answer', async () => (await app.askRoute(0)).status === 200)
  // The file has become another one meanwhile: it cannot be started again as it was.
  writeFileSync(file, 'export default {}')
  const [first = 0] = supervisor.pids
  process.kill(first, 'SIGKILL')
  const logged = (message: string) =>
    until(message, () => log.some((line) => line.message === message))
  await logged('the app has ended (SIGKILL)')
  await logged('the app could not be started again')
  for (const time of ['100ms', '200ms']) await logged(`the app is started again in ${time}`)
  t.is(seen.at(-1), undefined)
})

test('stop ends everything, and leaves no socket', async (t) => {
  const { supervisor, seen } = await startApp(t, writeConfig(t, word('one')))
  const [first = 0] = supervisor.pids
  await supervisor.stop({ drain: true })
  t.false(lives(first))
  t.deepEqual(readdirSync(dirname(seen[0]?.handlers ?? '')), [])
})
