// Real pages in a real browser: a large single-page application from a package, served by
// `sluice serve`, and the example of this repository as `npm start` serves it.

import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { browserTest, openPage } from '../support/browser.ts'
import { startSluice } from '../support/command-line.ts'
import { makeFolder } from '../support/site.ts'

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

const description = {
  openapi: '3.0.0',
  info: { title: 'Served by Sluice', version: '1.0', description: 'Two routes and no more.' },
  paths: {
    '/healthz': { get: { summary: 'Is it up?', responses: { 200: { description: 'It is.' } } } },
    '/docs/{page}': {
      get: {
        summary: 'A page',
        parameters: [{ name: 'page', in: 'path', required: true, schema: { type: 'string' } }],
        responses: { 200: { description: 'The page.' }, 404: { description: 'No such page.' } },
      },
    },
  },
}

const initializer = `window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: 'openapi.json',
    dom_id: '#swagger-ui',
    deepLinking: true,
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    plugins: [SwaggerUIBundle.plugins.DownloadUrl],
    layout: 'StandaloneLayout',
  })
}
`

/** Where a command listens, by its first line. */
async function urlOf(t: ExecutionContext, args: string[], cwd: string): Promise<string> {
  const { line } = startSluice(t, args, { cwd })
  const [, url = ''] = /^listening on (http:\S+)$/.exec(await line()) ?? []
  t.not(url, '')
  return url
}

browserTest('swagger-ui runs without a complaint', async (t) => {
  const folder = makeFolder(t)
  cpSync(root('node_modules/swagger-ui-dist'), folder, { recursive: true })
  writeFileSync(join(folder, 'swagger-initializer.js'), initializer)
  writeFileSync(join(folder, 'openapi.json'), JSON.stringify(description))
  const url = await urlOf(t, ['serve', folder, '--port', '0'], folder)
  const { page, complaints, screenshot } = await openPage(t)
  await page.goto(`${url}/`)
  await page.getByRole('heading', { name: 'Served by Sluice' }).waitFor()
  await page.locator('.opblock').nth(1).locator('.opblock-summary-control').click()
  await page.getByText('No such page.').waitFor()
  t.log(await screenshot('swagger-ui'))
  // Once more from the browser's cache: unchanged files are not sent again.
  await page.reload()
  await page.getByRole('heading', { name: 'Served by Sluice' }).waitFor()
  t.deepEqual(complaints, [])
})

browserTest('the example site runs without a complaint', async (t) => {
  const folder = makeFolder(t)
  cpSync(root('examples'), join(folder, 'examples'), { recursive: true })
  const config = readFileSync(root('gateway.config.ts'), 'utf8')
  t.true(config.includes('listen: 8080'))
  writeFileSync(join(folder, 'gateway.config.ts'), config.replace('listen: 8080', 'listen: 0'))
  const url = await urlOf(t, ['run'], folder)
  const { page, complaints, screenshot } = await openPage(t)
  await page.goto(`${url}/`)
  t.log(await screenshot('example'))
  const links = await page.locator('a').evaluateAll((all) => {
    return all.map((link) => (link as unknown as { href: string }).href)
  })
  const own = [...new Set(links)].filter((link) => link.startsWith(url) && !link.includes('#'))
  t.true(own.length > 0)
  for (const [index, link] of own.entries()) {
    t.deepEqual(complaints, [])
    const response = await page.goto(link)
    // One card shows what a missing file looks like; the browser complains of it, twice.
    const isMissing = link.endsWith('/nowhere')
    t.is(response?.status(), isMissing ? 404 : 200, link)
    t.log(link, await screenshot(`example-${index + 1}`))
    if (isMissing) t.true(complaints.splice(0).every((complaint) => complaint.includes(link)))
  }
  t.deepEqual(complaints, [])
})
