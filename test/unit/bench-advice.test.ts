// From what was measured to what is recommended: made-up costs whose best settings are known.

import test from 'ava'
import { adviceFrom, snippetOf } from '../../src/cli/bench/advice.ts'
import { pageOf } from '../../src/cli/bench/html.ts'
import type { Measurement } from '../../src/cli/bench/measure.ts'
import { type Source, variantsOf } from '../../src/cli/bench/plan.ts'
import { tablesOf } from '../../src/cli/bench/table.ts'

const kb = 1024
const mb = 1024 * kb
const sizes = [4 * kb, 16 * kb, 32 * kb, 64 * kb, mb, 16 * mb]

type Cost = (variant: string, bytes: number) => number

/** Measurements of every variant with these CPU times; NaN: another engine served it. */
function measured(source: Source, cost: Cost): Measurement[] {
  return variantsOf(source).flatMap(({ name, engine, longest }) =>
    sizes
      .filter((bytes) => bytes <= longest)
      .map((bytes) => {
        const cpuUs = cost(name, bytes)
        const isMeant = !Number.isNaN(cpuUs)
        return {
          source,
          variant: name,
          bytes,
          engine,
          engines: isMeant ? engine : 'copy',
          isMeant,
          transfers: 10,
          milliseconds: 1,
          bytesPerSecond: bytes * 1000,
          cpuUs: isMeant ? cpuUs : 1,
          syscalls: 4,
          peakBytes: 100 * mb,
          copiedBytes: bytes,
        }
      }),
  )
}

test('memory as long as it is never dearer, splicing from where it is always cheaper', (t) => {
  const files = measured('files', (variant, bytes) => {
    if (variant === 'memory') return bytes <= 32 * kb ? 10 : 100
    return variant === 'sendfile' ? 20 : 40
  })
  const proxy = measured('proxy', (variant, bytes) => {
    if (variant === 'copy') return bytes / kb
    return bytes < 64 * kb ? bytes : bytes / (4 * kb)
  })
  const advice = adviceFrom([...files, ...proxy])
  t.deepEqual(advice, {
    memoryBytes: 32 * kb,
    spliceBytes: 48 * kb,
    pipeBytes: 64 * kb,
    copyBytes: 64 * kb,
  })
})

test('a cheaper memory of large files behind a dearer one of small files is not believed', (t) => {
  const advice = adviceFrom(
    measured('files', (variant, bytes) => (variant === 'memory' && bytes <= 4 * kb ? 30 : 20)),
  )
  t.is(advice.memoryBytes, 0)
})

test('more room only where it saves more than noise', (t) => {
  const cost = (factor: number): Cost => {
    return (variant, bytes) => bytes * (variant.endsWith('1024 KiB') ? factor : 1)
  }
  const room = (factor: number) => adviceFrom(measured('proxy', cost(factor))).pipeBytes
  t.is(room(0.99), 64 * kb)
  t.is(room(0.5), mb)
})

test('where the kernel refuses, nothing is recommended that needs it', (t) => {
  const refused: Cost = (variant) => (/sendfile|splice/.test(variant) ? Number.NaN : 10)
  const advice = adviceFrom([...measured('files', refused), ...measured('proxy', refused)])
  t.deepEqual(advice, { mode: 'copy', memoryBytes: mb, copyBytes: 64 * kb })
})

test('the snippet is what a configuration takes', (t) => {
  t.is(
    snippetOf({ mode: 'copy', memoryBytes: 0, spliceBytes: 48 * kb, pipeBytes: mb }),
    [
      'transfer: {',
      "  mode: 'copy',",
      '  memoryBytes: 0,',
      "  spliceBytes: '48kb',",
      "  pipeBytes: '1mb',",
      '},',
    ].join('\n'),
  )
})

test('table and page name who served what was not meant, and mark the cheapest', (t) => {
  const measurements = measured('files', (variant) => {
    if (variant === 'sendfile') return Number.NaN
    return variant === 'memory' ? 5 : 10
  })
  const table = tablesOf(measurements)
  t.regex(table, /sendfile \(served by copy\)/)
  t.regex(table, /^\* +1 MiB {2}sendfile/m)
  const page = pageOf({ measurements, snippet: 'a < b', about: ['<here>'] })
  t.true(page.includes('a &lt; b') && page.includes('&lt;here&gt;'))
  t.is(page.match(/<polyline/g)?.length, 5)
  t.false(page.includes('NaN'))
})
