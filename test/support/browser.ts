// Debian's Chromium, headless, with nothing that would call home, and a page whose every complaint
// is kept: console errors, exceptions, failed requests, answers of 400 and more.

import { existsSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { chromium, type Page } from 'playwright-core'

const executablePath = '/usr/bin/chromium'
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export interface Visit {
  page: Page
  /** What went wrong, in order. */
  complaints: string[]
  /** Saves what the page shows, in a folder that git ignores; returns the path. */
  screenshot(name: string): Promise<string>
}

/** A test that needs the browser; skipped, with how to get it, where there is none. */
export function browserTest(title: string, run: (t: ExecutionContext) => Promise<void>): void {
  if (existsSync(executablePath)) test(title, run)
  else test.skip(`${title}: needs apt-get install -y chromium`, run)
}

/** A browser with one empty page; closed after the test. */
export async function openPage(t: ExecutionContext): Promise<Visit> {
  const browser = await chromium.launch({ executablePath, args: quiet })
  t.teardown(() => browser.close())
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  const complaints: string[] = []
  page.on('console', (message) => {
    // A page that is plain text cannot name its icon, so the browser looks for one.
    const { url } = message.location()
    if (message.type() !== 'error' || url.endsWith('/favicon.ico')) return
    complaints.push(`console: ${message.text()} (${url})`)
  })
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`))
  page.on('requestfailed', (request) => {
    complaints.push(`failed: ${request.url()} ${request.failure()?.errorText}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`)
  })
  const screenshot = async (name: string) => {
    const folder = fileURLToPath(new URL('../../.cache/screenshots/', import.meta.url))
    mkdirSync(folder, { recursive: true })
    await page.screenshot({ path: `${folder}${name}.png`, fullPage: true })
    return `${folder}${name}.png`
  }
  return { page, complaints, screenshot }
}
