// A request whose hooks are replaced by a reload while its target has it: the answer is asked about
// where the new hooks are, once. It used to be asked again and again, until the time was up.

import { writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { startConfigured, writeConfig } from '../support/configured.ts'
import { startTarget } from '../support/target.ts'
import { until } from '../support/wait.ts'

/** Starts with `before`, and has a request with its target while `after` is loaded. */
async function reloadMeanwhile(t: ExecutionContext, before: string, after: string) {
  const waiting: ServerResponse[] = []
  const target = await startTarget(t, 'it', (_request, response) => void waiting.push(response))
  const text = (hooks: string) => `import { defineGateway, hook, proxy } from 'sluice'
export default defineGateway({
  listen: 0,
  workers: 1,
  timeouts: { handler: '20s' },
  routes: { '/*': proxy('${target.url}'${hooks}) },
})
`
  const file = writeConfig(t, '')
  writeFileSync(file, text(before))
  const { gateway, ask } = await startConfigured(t, file)
  const answer = ask('/a')
  await until('the request', () => waiting.length === 1)
  writeFileSync(file, text(after))
  await gateway.reload()
  waiting[0]?.setHeader('X-Internal', 'yes')
  waiting[0]?.end('answer')
  const asked = () => gateway.stats().workers.reduce((sum, { hooks }) => sum + hooks.asked, 0)
  return { answer: await answer, asked: asked() }
}

// What stands beside them makes their numbers others.
const marking = (mark: string, beside = '') => `, { hooks: [${beside} hook({
  onResponse: () => ({ set: { 'X-Mark': '${mark}' }, remove: ['x-internal'] }),
})] }`

test.serial('an answer is asked about where the hooks are now', async (t) => {
  const { answer, asked } = await reloadMeanwhile(
    t,
    marking('old'),
    marking('new', 'hook({ onRequest() {} }),'),
  )
  t.like(answer, { status: 200, body: 'answer' })
  t.is(answer.headers['x-internal'], undefined)
  // What is asked in the very turn that brings the new app is the old one's to say.
  t.regex(String(answer.headers['x-mark']), /^(old|new)$/)
  t.true(asked <= 4, `asked ${asked} times`)
})

test.serial('a hook that is there no longer is not waited for', async (t) => {
  const only = ', { hooks: hook({ onError: () => undefined }) }'
  const { answer, asked } = await reloadMeanwhile(t, marking('old'), only)
  t.like(answer, { status: 200, body: 'answer' })
  t.true(asked <= 4, `asked ${asked} times`)
})

test.serial('hooks that are all gone do not keep the answer', async (t) => {
  const { answer } = await reloadMeanwhile(t, marking('old'), '')
  t.like(answer, { status: 200, body: 'answer' })
})
