// The example of hooks, as it is but for its port: every kind of hook at work, in a process of its
// own.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { SignJWT } from 'jose'
import { startConfigured } from '../support/configured.ts'
import { makeFolder } from '../support/site.ts'

const examples = fileURLToPath(new URL('../../examples/', import.meta.url))

test('the example of hooks does what its comments say', async (t) => {
  const text = readFileSync(join(examples, 'hooks.config.ts'), 'utf8')
    .replace('listen: 8080', 'listen: 0, workers: 1')
    .replaceAll("files('site'", `files(${JSON.stringify(join(examples, 'site'))}`)
  const file = join(makeFolder(t), 'gateway.config.ts')
  writeFileSync(file, text)
  const { ask, gateway } = await startConfigured(t, file)

  const page = await ask('/', { headers: { 'Accept-Language': 'de-AT' } })
  t.is(page.status, 200)
  t.like(page.headers, { 'x-language': 'de', 'x-content-type-options': 'nosniff' })
  t.is((await ask('/')).headers['x-language'], undefined)
  t.like(await ask('/home'), { status: 301 })

  const password = (text: string) => ({
    headers: { Authorization: `Basic ${Buffer.from(text).toString('base64')}` },
  })
  t.is((await ask('/staff/index.html')).status, 401)
  t.is((await ask('/staff/index.html', password('joe:wrong'))).status, 401)
  t.is((await ask('/staff/index.html', password('joe:correct horse'))).status, 200)

  const key = new TextEncoder().encode('not a secret, since everybody can read it')
  const sign = new SignJWT({ sub: 'joe' }).setProtectedHeader({ alg: 'HS256' })
  const token = await sign.setExpirationTime('1h').sign(key)
  const headers = { Authorization: `Bearer ${token}`, Origin: 'https://app.example.com' }
  const me = await ask('/api/me', { headers })
  t.deepEqual(JSON.parse(me.body), { user: 'joe' })
  t.is(me.headers['access-control-allow-origin'], 'https://app.example.com')
  const statuses: number[] = []
  for (let n = 0; n < 10; n++) statuses.push((await ask('/api/me', { headers })).status)
  t.deepEqual(statuses, [...Array.from({ length: 9 }, () => 200), 429])
  const preflight = { Origin: 'https://app.example.com', 'Access-Control-Request-Method': 'GET' }
  t.is((await ask('/api/me', { method: 'OPTIONS', headers: preflight })).status, 204)

  const before = gateway.stats().total.hooks
  for (let n = 0; n < 3; n++) {
    t.is((await ask('/partners', { headers: { 'X-Key': 'partner' } })).status, 200)
  }
  const { asked, remembered } = gateway.stats().total.hooks
  t.deepEqual([asked - before.asked, remembered - before.remembered], [1, 2])
  t.is((await ask('/partners')).status, 403)
})
