// The text format: escaping, bounds of values, histograms.

import test from 'ava'
import { Exposition } from '../../src/telemetry/exposition.ts'

function page(fill: (page: Exposition) => void): string {
  const exposition = new Exposition()
  fill(exposition)
  return exposition.toString()
}

test('values are escaped', (t) => {
  const text = page((p) => p.gauge('a', 'Help.', [[{ route: 'x"y\\z\n\ud800' }, 1]]))
  t.is(text, '# HELP a Help.\n# TYPE a gauge\na{route="x\\"y\\\\z\\n\ufffd"} 1\n')
})

test('long values are cut, and what is the same then is summed', (t) => {
  const long = 'r'.repeat(500)
  const text = page((p) =>
    p.counter('a', 'Help.', [
      [{ route: `${long}1` }, 1],
      [{ route: `${long}2` }, 2],
    ]),
  )
  const lines = text.trim().split('\n')
  t.is(lines.length, 3)
  t.regex(lines[2] ?? '', /^a_total\{route="r{199}…"\} 3$/)
})

test('a family without samples is not there', (t) => {
  t.is(
    page((p) => p.gauge('a', 'Help.', [])),
    '',
  )
})

test('buckets of the core become those of the page', (t) => {
  const buckets = [
    { leUs: 1, count: 1 },
    { leUs: 3, count: 4 },
    { leUs: 4, count: 5 },
    { leUs: 2 ** 64, count: 6 },
  ]
  const text = page((p) =>
    p.histogram('a', 'Help.', [2, 4, 8], [[{}, { count: 6, sumUs: 2e6, buckets }]]),
  )
  t.deepEqual(text.trim().split('\n').slice(2), [
    'a_bucket{le="0.000002"} 1',
    'a_bucket{le="0.000004"} 4',
    'a_bucket{le="0.000008"} 5',
    'a_bucket{le="+Inf"} 6',
    'a_sum 2',
    'a_count 6',
  ])
})
