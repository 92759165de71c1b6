// sluice bench: measures on this machine when the kernel should move bytes, and recommends
// settings. Whatever happens, the files that it made are gone when it ends.

import { randomFillSync } from 'node:crypto'
import {
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { cpus, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseSize } from '../config/units.ts'
import { packageInfo } from '../telemetry/package-info.ts'
import { adviceFrom, snippetOf } from './bench/advice.ts'
import { pageOf } from './bench/html.ts'
import { measure } from './bench/measure.ts'
import { defaultSizes, quickLongest, type Source, showBytes } from './bench/plan.ts'
import { tablesOf } from './bench/table.ts'
import { type Command, type Invocation, UsageError } from './command.ts'

export const bench: Command = {
  name: 'bench',
  usage: '',
  summary: 'measure on this machine when zero-copy pays, and recommend settings',
  details: `Bodies of each size are served in every way that the core has, over the loopback, one
worker, in turn; what counts is CPU time of the gateway. Takes about two minutes and needs the
room of the largest bodies on disk and in memory. '*' marks the cheapest way of a size.`,
  options: {
    only: { value: 'files|proxy', help: 'measure files alone, or forwarded answers alone' },
    sizes: { value: 'LIST', help: "lengths of bodies, such as '4kb,1mb' (default: 1kb to 1gb)" },
    quick: { help: 'one round, nothing above 16mb: half a minute' },
    dir: { value: 'DIR', help: 'where the files are made (default: the temporary directory)' },
    html: { value: 'FILE', help: 'also write a report with plots' },
  },
  words: [0, 0],
  run: runBench,
}

const longestSize = 16 * 1024 ** 3
const pieceBytes = 1024 * 1024

async function runBench({ options }: Invocation): Promise<number> {
  const isQuick = options.quick !== undefined
  const sizes = sizesOf(options, isQuick)
  const sources = sourcesOf(options.only)
  const directory = makeDirectory(options.dir ?? tmpdir())
  const forget = () => rmSync(directory, { recursive: true, force: true })
  const onSignal = () => {
    forget()
    process.exit(130)
  }
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
  try {
    const usable = roomFor(sizes, directory)
    for (const bytes of usable) makeFile(join(directory, String(bytes)), bytes)
    const plan = { sources, sizes: usable, rounds: isQuick ? 1 : 3, milliseconds: 250, directory }
    const measurements = await measure(plan, showProgress)
    const snippet = snippetOf(adviceFrom(measurements))
    console.log(`${tablesOf(measurements)}\n\nCheapest here:\n\n${snippet}`)
    if (options.html !== undefined) {
      writeFileSync(options.html, pageOf({ measurements, snippet, about: aboutLines() }))
    }
    return 0
  } finally {
    forget()
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

function sizesOf({ sizes }: Invocation['options'], isQuick: boolean): number[] {
  if (sizes === undefined) {
    return defaultSizes.filter((bytes) => !isQuick || bytes <= quickLongest)
  }
  const read = sizes.split(',').map((text) => {
    const bytes = parseSize(/^\d+$/.test(text) ? Number(text) : text)
    if (bytes !== undefined && bytes >= 1 && bytes <= longestSize) return bytes
    throw new UsageError(`--sizes: '${text}' is no size from 1b to 16gb, such as 64kb`)
  })
  return [...new Set(read)].sort((one, other) => one - other)
}

function sourcesOf(only: string | undefined): Source[] {
  if (only === undefined) return ['files', 'proxy']
  if (only === 'files' || only === 'proxy') return [only]
  throw new UsageError(`--only is 'files' or 'proxy', not '${only}'`)
}

function makeDirectory(parent: string): string {
  try {
    return mkdtempSync(join(parent, 'sluice-bench-'))
  } catch (error) {
    throw new UsageError(`--dir: ${(error as Error).message}`)
  }
}

/** The sizes that the disk has room for, all at once and twice over; says which ones it has not. */
function roomFor(sizes: readonly number[], directory: string): number[] {
  const { bavail, bsize } = statfsSync(directory)
  let left = (bavail * bsize) / 2
  const usable: number[] = []
  for (const bytes of sizes) {
    left -= bytes
    if (left >= 0) usable.push(bytes)
    else console.error(`sluice: ${showBytes(bytes)} is left out: too little room in ${directory}`)
  }
  return usable
}

/** Bytes that nothing can make smaller, and that are in no cache of the processor by accident. */
function makeFile(path: string, bytes: number): void {
  const piece = randomFillSync(Buffer.alloc(Math.min(bytes, pieceBytes)))
  const file = openSync(path, 'wx')
  try {
    for (let left = bytes; left > 0; left -= piece.length) {
      writeSync(file, piece, 0, Math.min(left, piece.length))
    }
  } finally {
    closeSync(file)
  }
}

function showProgress(done: number, all: number, what: string): void {
  if (!process.stderr.isTTY) return
  const width = 30
  const full = Math.round((done / all) * width)
  const bar = '█'.repeat(full) + '░'.repeat(width - full)
  const line = done === all ? '' : `${bar} ${Math.round((done / all) * 100)} % ${what}`
  process.stderr.write(`\r\x1b[K${line}`)
}

function aboutLines(): string[] {
  const [cpu] = cpus()
  return [
    `Sluice ${packageInfo().version}, Node ${process.version}, Linux ${release()}`,
    `${cpus().length} × ${cpu?.model ?? 'a processor without a name'}`,
    new Date().toISOString(),
  ]
}
