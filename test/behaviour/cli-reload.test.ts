// sluice reload, SIGHUP and --watch: a gateway in a process of its own, told to read its
// configuration again, or noticing by itself.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { ask } from '../support/ask.ts'
import { type Running, sluice, startSluice } from '../support/command-line.ts'
import { makeFolder } from '../support/site.ts'
import { inTheBackground, until } from '../support/wait.ts'

const config = (body: string, more = '') => `import { defineGateway, respond } from 'sluice'
export default defineGateway({
  listen: 0, workers: 1, ${more} routes: { '/': respond(200, '${body}') },
})
`
// Machines that run several test files at once evaluate slowly.
const patient = ['--config-timeout', '60s']

interface Started {
  running: Running
  folder: string
  file: string
  env: Record<string, string>
  get(): Promise<string>
  /** Until it answers so. */
  serves(body: string): Promise<unknown>
}

/** Its run directory is in a folder of the test's own. */
async function start(
  t: ExecutionContext,
  { args = [] as string[], text = config('one'), others = {} as Record<string, string> } = {},
): Promise<Started> {
  const folder = makeFolder(t)
  for (const [name, content] of Object.entries(others)) writeFileSync(join(folder, name), content)
  const file = join(folder, 'gateway.config.ts')
  if (text !== '') writeFileSync(file, text)
  const runs = join(folder, 'run')
  mkdirSync(runs)
  const env = { XDG_RUNTIME_DIR: runs }
  const running = startSluice(t, [...args, ...patient], { cwd: folder, env })
  const line = await running.line()
  const port = Number(/:(\d+)$/.exec(line)?.[1])
  const get = async () => (await ask(port, '/')).body
  const serves = (body: string) =>
    until(`it to serve ${body}`, async () => (await get()) === body, inTheBackground)
  return { running, folder, file, env, get, serves }
}

test.serial('sluice reload: served, unchanged, or refused with the error and code 2', async (t) => {
  const { folder, file, env, get } = await start(t)
  t.is(await get(), 'one')
  writeFileSync(file, config('two'))
  const reloaded = await sluice(t, ['reload'], { cwd: folder, env })
  t.like(reloaded, { code: 0, stdout: 'reloaded: configuration 2 is served\n' })
  t.is(await get(), 'two')
  const again = await sluice(t, ['reload', '--config', file], { env })
  t.like(again, { code: 0, stdout: 'nothing has changed: configuration 2 is served\n' })
  writeFileSync(file, config('three', 'wrokers: 1,'))
  const wrong = await sluice(t, ['reload'], { cwd: folder, env })
  t.is(wrong.code, 2)
  t.regex(wrong.stderr, /^sluice: not reloaded: .* wrokers: unknown option/)
  t.is(await get(), 'two')
})

test.serial('sluice reload: warnings, and the number of a process', async (t) => {
  const { file, env, running } = await start(t)
  writeFileSync(file, config('two').replace('workers: 1', 'workers: 2'))
  const pid = String(running.child.pid)
  const outcome = await sluice(t, ['reload', '--pid', pid], { env })
  t.is(outcome.code, 0)
  t.regex(outcome.stderr, /^sluice: workers: stays as it was until the gateway is started again$/m)
})

test.serial('sluice reload: no such gateway', async (t) => {
  const { env } = await start(t)
  const other = join(makeFolder(t), 'gateway.config.ts')
  writeFileSync(other, config('other'))
  const outcome = await sluice(t, ['reload', '--config', other], { env })
  t.is(outcome.code, 1)
  t.regex(outcome.stderr, /^sluice: no gateway runs that serves .*; there are:\n {2}\d+ \//)
  const runs = makeFolder(t)
  const nobody = await sluice(t, ['reload', '--config', other], { env: { XDG_RUNTIME_DIR: runs } })
  t.is(nobody.code, 1)
  t.is((await sluice(t, ['reload', '--pid', 'x'], { env })).code, 2)
})

test.serial('SIGHUP reloads, and says what came of it', async (t) => {
  const { running, file, serves, get } = await start(t)
  writeFileSync(file, config('two'))
  running.child.kill('SIGHUP')
  await serves('two')
  await until('it to say so', () => /^sluice: reloaded: .* 2 is served$/m.test(running.stderr()))
  writeFileSync(file, 'export default {')
  running.child.kill('SIGHUP')
  await until('the error', () => /^sluice: not reloaded: /m.test(running.stderr()))
  t.is(await get(), 'two')
})

test.serial('--watch: writes in place, renames by editors, errors and their repair', async (t) => {
  const { running, folder, file, serves } = await start(t, { args: ['--watch'] })
  writeFileSync(file, config('two'))
  await serves('two')
  writeFileSync(join(folder, 'new'), config('three'))
  renameSync(join(folder, 'new'), file)
  await serves('three')
  // As vim does: the old one gets out of the way first.
  renameSync(file, join(folder, 'gateway.config.ts~'))
  writeFileSync(file, config('four'))
  await serves('four')
  writeFileSync(file, config('five', 'wrokers: 1,'))
  await until('the error', () => /^sluice: not reloaded: .* wrokers/m.test(running.stderr()))
  await serves('four')
  writeFileSync(file, config('five'))
  await serves('five')
  t.pass()
})

test.serial('--watch: imported files, and those that are missing yet', async (t) => {
  const importing = (from: string) => `import { defineGateway, respond } from 'sluice'
    import { text } from './${from}.ts'
    export default defineGateway({ listen: 0, workers: 1, routes: { '/': respond(200, text) } })`
  const text = importing('a')
  const others = { 'a.ts': "export const text = 'a1'" }
  const { running, folder, file, serves } = await start(t, { args: ['--watch'], text, others })
  writeFileSync(join(folder, 'a.ts'), "export const text = 'a2'")
  await serves('a2')
  writeFileSync(file, importing('b'))
  await until('the error', () => /^sluice: not reloaded: .*\n?.*b\.ts/m.test(running.stderr()))
  writeFileSync(join(folder, 'b.ts'), "export const text = 'b1'")
  await serves('b1')
  t.pass()
})

test.serial('--watch: links that lead elsewhere', async (t) => {
  const folder = makeFolder(t)
  for (const [name, body] of [
    ['v1', 'one'],
    ['v2', 'two'],
  ] as const) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'real.ts'), config(body))
  }
  symlinkSync('v1', join(folder, 'current'))
  const file = join(folder, 'linked.ts')
  symlinkSync('current/real.ts', file)
  const args = ['--watch', '--config', file]
  const { serves } = await start(t, { args, text: '' })
  await serves('one')
  // As a mounted ConfigMap does: the link in the middle is renamed into place.
  symlinkSync('v2', join(folder, 'next'))
  renameSync(join(folder, 'next'), join(folder, 'current'))
  await serves('two')
  unlinkSync(join(folder, 'current'))
  symlinkSync('v1', join(folder, 'current'))
  await serves('one')
  t.pass()
})

test.serial('what a killed gateway left is gone after the next start, nothing else', async (t) => {
  const folder = makeFolder(t)
  const file = join(folder, 'gateway.config.ts')
  writeFileSync(file, config('one'))
  const env = { XDG_RUNTIME_DIR: folder }
  const names = () => readdirSync(folder).filter((name) => name.startsWith('sluice-run-'))
  const begin = async () => {
    const running = startSluice(t, patient, { cwd: folder, env })
    await running.line()
    return running
  }
  const first = await begin()
  const [left = ''] = names()
  first.child.kill('SIGKILL')
  await first.outcome
  t.deepEqual(names(), [left])
  // Somebody lives in another one, and a third is not of ours.
  const lived = join(folder, 'sluice-run-abcdef')
  mkdirSync(lived, { mode: 0o700 })
  const server = createServer().listen(join(lived, 'control.sock'))
  t.teardown(() => server.close())
  const strange = join(folder, 'sluice-run-ghijkl')
  mkdirSync(strange, { mode: 0o700 })
  writeFileSync(join(strange, 'precious'), '')
  const second = await begin()
  t.false(existsSync(join(folder, left)))
  t.true(existsSync(lived) && existsSync(strange))
  second.child.kill('SIGTERM')
  t.is((await second.outcome).code, 0)
  t.deepEqual(names().sort(), ['sluice-run-abcdef', 'sluice-run-ghijkl'])
})
