// The page that lists a directory, and the same as JSON. Pure; main thread, once per decision.
// Every name in it was chosen by somebody else: it is escaped wherever it stands.

import { routeFields } from '../config/fields.ts'
import type { DirectoryEntry } from '../native/interface.ts'
import type { Finding, Search } from './search.ts'

/** A listing in both forms. */
export interface ListingPages {
  fields: string
  body: Uint8Array
  json: { fields: string; body: Uint8Array }
}

/**
 * The page has no script and one style; what it may load is said as strictly as can be, unless the
 * route has a policy of its own.
 */
const policy = "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n"

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.25rem; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
th { text-align: left; font-weight: 600; border-bottom: 1px solid gray }
td, th { padding: .25rem .75rem .25rem 0 }
td:first-child { overflow-wrap: anywhere }
.size { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
time { white-space: nowrap }
a { text-decoration: none } a:hover { text-decoration: underline }
`

/** Lists `directory` ('' or 'a/b/'), of which `found` has the entries. */
export function listingOf(search: Search, directory: string, found: Finding): ListingPages {
  const entries = (found.entries ?? [])
    .filter(({ name }) => !search.hides(directory + name) && !name.startsWith('.'))
    .sort(byKindAndName)
  const hasMore = found.hasMore ?? false
  const own = routeFields(search.route)
  const common = `X-Content-Type-Options: nosniff\r\nVary: Accept\r\n${own}`
  const guard = /^content-security-policy:/im.test(own) ? '' : policy
  const encoder = new TextEncoder()
  return {
    fields: `Content-Type: text/html; charset=utf-8\r\n${guard}${common}`,
    body: encoder.encode(page(`/${directory}`, entries, hasMore)),
    json: {
      fields: `Content-Type: application/json\r\n${common}`,
      body: encoder.encode(json(`/${directory}`, entries, hasMore)),
    },
  }
}

/** Directories first, then by name as people sort: 'a2' before 'a10'. */
const collator = new Intl.Collator('en', { numeric: true })

function byKindAndName(one: DirectoryEntry, other: DirectoryEntry): number {
  if (one.type !== other.type) return one.type === 'directory' ? -1 : 1
  return collator.compare(one.name, other.name) || (one.name < other.name ? -1 : 1)
}

function json(path: string, entries: DirectoryEntry[], hasMore: boolean): string {
  const shown = entries.map(({ name, type, size, mtimeMs }) => ({
    name,
    type,
    ...(type === 'file' ? { size } : {}),
    modified: timeText(mtimeMs),
  }))
  return `${JSON.stringify({ path, entries: shown, hasMore })}\n`
}

function page(path: string, entries: DirectoryEntry[], hasMore: boolean): string {
  const title = escaped(path)
  const up = path === '/' ? '' : '<tr><td><a href="../">../</a></td><td></td><td></td></tr>\n'
  const more = hasMore ? `<p>Only ${entries.length} entries are shown; there are more.</p>\n` : ''
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${style}</style>
<h1>${title}</h1>
<table>
<tr><th>Name</th><th class="size">Size</th><th>Modified</th></tr>
${up}${entries.map(row).join('')}</table>
${more}</html>
`
}

function row({ name, type, size, mtimeMs }: DirectoryEntry): string {
  const slash = type === 'directory' ? '/' : ''
  const modified = timeText(mtimeMs)
  const shown = `${modified.slice(0, 10)} ${modified.slice(11, 16)}`
  // './' so that a colon in a name makes no scheme of it.
  const href = `./${escaped(encodeURIComponent(name))}${slash}`
  const bytes = type === 'file' ? sizeText(size) : ''
  const time = `<time datetime="${modified}">${shown}</time>`
  const link = `<a href="${href}">${escaped(name)}${slash}</a>`
  return `<tr><td>${link}</td><td class="size">${bytes}</td><td>${time}</td></tr>\n`
}

/** Times that a file may have and a date cannot become the nearest one that it can. */
function timeText(mtimeMs: number): string {
  const furthest = Date.UTC(9999, 11, 31)
  return new Date(Math.max(0, Math.min(mtimeMs, furthest))).toISOString()
}

function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']
  const power = bytes < 1024 ? 0 : Math.min(6, Math.floor(Math.log2(bytes) / 10))
  const digits = power === 0 ? 0 : 1
  return `${(bytes / 1024 ** power).toFixed(digits)} ${units[power]}`
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}
