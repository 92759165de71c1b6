// Measurements as a page of its own: a plot of CPU time by size for each source, the tables, the
// settings. It loads nothing. Pure.

import type { Measurement } from './measure.ts'
import { type Source, showBytes } from './plan.ts'
import { cellsOf, headings, isCheapest, titles } from './table.ts'

export interface Page {
  measurements: readonly Measurement[]
  /** What to write into a configuration. */
  snippet: string
  /** Version, machine, time: one line each. */
  about: readonly string[]
}

const colours = ['#2563eb', '#dc2626', '#16a34a', '#d97706', '#7c3aed', '#0891b2']
const plot = { width: 720, height: 360, left: 64, right: 150, top: 16, bottom: 40 }

const style = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .15rem .6rem; border-bottom: 1px solid #8884; }
th:nth-child(2), td:nth-child(2) { text-align: left; }
tr.cheapest td { font-weight: 600; }
pre { background: #8882; padding: .8rem 1rem; border-radius: .4rem; }
svg { max-width: 100%; height: auto; } svg text { font-size: 12px; fill: currentColor; }
@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd; } }`

export function pageOf({ measurements, snippet, about }: Page): string {
  const sources = [...new Set(measurements.map((one) => one.source))]
  const sections = sources.map((source) =>
    sectionOf(
      source,
      measurements.filter((one) => one.source === source),
    ),
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>sluice bench</title>
<meta name="viewport" content="width=device-width"><style>${style}</style></head><body>
<h1>sluice bench</h1>
<p>${about.map(escaped).join('<br>')}</p>
<h2>Settings that cost the least CPU time here</h2>
<pre>${escaped(snippet)}</pre>
${sections.join('\n')}
</body></html>
`
}

function sectionOf(source: Source, own: readonly Measurement[]): string {
  const head = headings.map((heading) => `<th>${escaped(heading)}</th>`).join('')
  const rows = own.map((one) => {
    const cells = cellsOf(one).map((cell) => `<td>${escaped(cell)}</td>`)
    return `<tr${isCheapest(one, own) ? ' class="cheapest"' : ''}>${cells.join('')}</tr>`
  })
  return `<h2>${escaped(titles[source])}</h2>
<p>CPU time of the gateway for each gigabyte, by the length of the body.</p>
${plotOf(own)}
<table><thead><tr>${head}</tr></thead><tbody>
${rows.join('\n')}
</tbody></table>`
}

interface Scale {
  least: number
  most: number
  from: number
  to: number
}

/** Both axes are logarithmic. */
function at(value: number, { least, most, from, to }: Scale): number {
  const span = Math.log(most / least) || 1
  return from + ((to - from) * Math.log(value / least)) / span
}

function plotOf(own: readonly Measurement[]): string {
  const sizes = [...new Set(own.map((one) => one.bytes))]
  const perGigabyte = own.map((one) => (one.cpuUs / one.bytes) * 1000)
  const x = { least: Math.min(...sizes), most: Math.max(...sizes), from: plot.left, to: 0 }
  x.to = plot.width - plot.right
  const y = { least: 0, most: 0, from: plot.height - plot.bottom, to: plot.top }
  y.least = 10 ** Math.floor(Math.log10(Math.min(...perGigabyte)))
  y.most = 10 ** Math.ceil(Math.log10(Math.max(...perGigabyte)))
  const names = [...new Set(own.map((one) => one.variant))]
  const lines = names.map((name, index) => {
    const line = own.filter((one) => one.variant === name)
    return lineOf(name, line, { x, y, colour: colours[index % colours.length] ?? '', index })
  })
  return `<svg viewBox="0 0 ${plot.width} ${plot.height}" role="img">
${axisOf(sizes, x, y)}
${lines.join('\n')}
</svg>`
}

function lineOf(
  name: string,
  line: readonly Measurement[],
  look: { x: Scale; y: Scale; colour: string; index: number },
): string {
  const points = line.map((one) => {
    return [at(one.bytes, look.x), at((one.cpuUs / one.bytes) * 1000, look.y)].map(rounded)
  })
  const dots = points.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3" fill="${look.colour}"/>`)
  const path = points.map((point) => point.join(',')).join(' ')
  const legend = { x: plot.width - plot.right + 16, y: plot.top + 16 + look.index * 18 }
  const paint = `fill="${look.colour}"`
  return `<polyline points="${path}" fill="none" stroke="${look.colour}" stroke-width="2"/>
${dots.join('')}<rect x="${legend.x}" y="${legend.y - 9}" width="10" height="10" ${paint}/>
<text x="${legend.x + 16}" y="${legend.y}">${escaped(name)}</text>`
}

function axisOf(sizes: readonly number[], x: Scale, y: Scale): string {
  const decades: number[] = []
  for (let value = y.least; value <= y.most * 1.001; value *= 10) decades.push(value)
  const across = decades.map((value) => {
    const height = rounded(at(value, y))
    const text = `${Number(value.toPrecision(1))} s`
    return `<line x1="${x.from}" x2="${x.to}" y1="${height}" y2="${height}" stroke="#8884"/>
<text x="${x.from - 6}" y="${height + 4}" text-anchor="end">${text}</text>`
  })
  const below = sizes.map((bytes, index) => {
    // Every other one: neighbours would touch.
    const text = index % 2 === 0 ? showBytes(bytes) : ''
    const middle = rounded(at(bytes, x))
    return `<text x="${middle}" y="${y.from + 18}" text-anchor="middle">${text}</text>`
  })
  return [...across, ...below].join('\n')
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
