// Reloads of a configuration file: evaluated anew with what it imports, an app of its own for its
// functions, and the same errors as at the start.

import { readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { ask } from '../support/ask.ts'
import { lives, startConfigured } from '../support/configured.ts'
import { makeFolder } from '../support/site.ts'
import { until } from '../support/wait.ts'

/** A configuration file with these files beside it. */
function write(t: ExecutionContext, config: string, others: Record<string, string> = {}): string {
  const folder = makeFolder(t)
  const file = join(folder, 'gateway.config.ts')
  writeFileSync(file, config)
  for (const [name, text] of Object.entries(others)) writeFileSync(join(folder, name), text)
  return file
}

const plain = (body: string) => `import { defineGateway, respond } from 'sluice'
export default defineGateway({ listen: 0, workers: 1, routes: { '/': respond(200, '${body}') } })
`
const withHandler = `import { defineGateway, handler, respond } from 'sluice'
import { text } from './text.ts'
export default defineGateway({
  listen: 0,
  workers: 1,
  routes: {
    '/': handler(() => new Response(text)),
    '/never': handler(() => new Promise(() => {})),
  },
})
`

test.serial('the file is evaluated anew, with what it imports', async (t) => {
  const file = write(
    t,
    `import { defineGateway, respond } from 'sluice'
     import { text } from './text.ts'
     export default defineGateway({ listen: 0, workers: 1, routes: { '/': respond(200, text) } })`,
    { 'text.ts': "export const text: string = 'one'" },
  )
  const { gateway, ask: get } = await startConfigured(t, file)
  t.is((await get('/')).body, 'one')
  writeFileSync(join(dirname(file), 'text.ts'), "export const text: string = 'two'")
  t.true((await gateway.reload()).changed)
  t.is((await get('/')).body, 'two')
  t.false((await gateway.reload()).changed)
})

test.serial('a broken file leaves what is served, and says what check says', async (t) => {
  const file = write(t, plain('one'))
  const { gateway, ask: get } = await startConfigured(t, file)
  writeFileSync(file, plain('two').replace('workers: 1', 'wrokers: 1'))
  const error = await t.throwsAsync(gateway.reload(), { code: 'ERR_SLUICE_CONFIG' })
  t.regex(error?.message ?? '', /wrokers: .*did you mean 'workers'/)
  writeFileSync(file, 'export default {')
  await t.throwsAsync(gateway.reload(), { code: 'ERR_SLUICE_CONFIG' })
  t.is((await get('/')).body, 'one')
  t.is(gateway.stats().generation.failed, 2)
  writeFileSync(file, plain('three'))
  await gateway.reload()
  t.is((await get('/')).body, 'three')
})

test.serial('functions run in a fresh app; the one before finishes what it does', async (t) => {
  const file = write(t, withHandler, { 'text.ts': "export const text = 'one'" })
  const { gateway, ask: get, app } = await startConfigured(t, file)
  t.is((await get('/')).body, 'one')
  const first = app()
  writeFileSync(join(dirname(file), 'text.ts'), "export const text = 'two'")
  t.true((await gateway.reload()).changed)
  t.is((await get('/')).body, 'two')
  t.not(app(), first)
  await until('the end of the first', () => !lives(first))
})

test.serial('an app whose modules did not change is not started again', async (t) => {
  const file = write(t, withHandler, { 'text.ts': "export const text = 'one'" })
  const { gateway, ask: get, app } = await startConfigured(t, file)
  const first = app()
  writeFileSync(file, withHandler)
  t.like(await gateway.reload(), { changed: false, generation: 1 })
  t.is(app(), first)
  t.is((await get('/')).body, 'one')
})

test.serial('an app that does not start refuses the configuration', async (t) => {
  const file = write(t, withHandler, { 'text.ts': "export const text = 'one'" })
  const { gateway, ask: get, app } = await startConfigured(t, file)
  const first = app()
  const failing = withHandler
    .replace("'/never'", "'/m': mount(() => { throw new Error('in vain') }),\n    '/never'")
    .replace('handler,', 'handler, mount,')
  writeFileSync(file, failing)
  await t.throwsAsync(gateway.reload(), { message: /in vain/ })
  t.is((await get('/')).body, 'one')
  t.true(lives(first))
  t.is(gateway.stats().generation.live, 1)
})

test.serial('functions may come and go', async (t) => {
  const file = write(t, plain('plain'), { 'text.ts': "export const text = 'handler'" })
  const { gateway, ask: get, app } = await startConfigured(t, file)
  writeFileSync(file, withHandler)
  await gateway.reload()
  t.is((await get('/')).body, 'handler')
  const only = app()
  writeFileSync(file, plain('plain again'))
  await gateway.reload()
  t.is((await get('/')).body, 'plain again')
  await until('the end of the app', () => !lives(only))
})

test.serial('a request of a handler that never ends is cut off at timeouts.drain', async (t) => {
  const short = withHandler.replace('workers: 1,', "workers: 1,\n  timeouts: { drain: '100ms' },")
  const file = write(t, short, { 'text.ts': "export const text = 'one'" })
  const { gateway, ask: get, app, port } = await startConfigured(t, file)
  const first = app()
  const never = ask(port, '/never')
  await until('it to be under way', () => gateway.stats().total.connections === 1)
  writeFileSync(join(dirname(file), 'text.ts'), "export const text = 'two'")
  await gateway.reload()
  t.is((await never).status, 502)
  await until('the end of the first', () => !lives(first))
  t.is((await get('/')).body, 'two')
  t.deepEqual(readdirSync(dirname(file)).sort(), ['gateway.config.ts', 'text.ts'])
})
