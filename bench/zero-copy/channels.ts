// One publisher and 500 clients: channels beside `ws` broadcasting. `npm run bench:channels`. Every
// byte is compared at every client; the publisher overwrites its memory right after publishing.
//
//   --quick        fewer messages and rounds
//   --clients N    how many (500)
//   --json FILE    the figures, for programs

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { FromClients, ToClients } from './channel-clients.ts'
import { type FromSender, framings, type Kind, kinds, type ToSender } from './channel-senders.ts'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    clients: { type: 'string', default: '500' },
    json: { type: 'string' },
  },
})

const count = Number(options.clients)
const rounds = options.quick ? 1 : 3

interface Size {
  name: string
  bytes: number
  /** Messages of a round, the first of which warms up. */
  messages: number
}

const sizes: Size[] = [
  { name: '1 KiB', bytes: 1_024, messages: options.quick ? 20 : 100 },
  { name: '64 KiB', bytes: 65_536, messages: options.quick ? 5 : 20 },
  { name: '1 MiB', bytes: 1_048_576, messages: options.quick ? 2 : 4 },
]

/** Of one server and size; latencies in milliseconds. */
interface Figure {
  kind: Kind
  size: string
  /** Of the client in the middle, and of the last one: the median message. */
  middle: number
  last: number
  cpuPerGb: number
  gigabytes: number
  wrong: number
  engines: string[]
}

class Child<To extends object, From extends { type: string }> {
  readonly #process: ChildProcess

  constructor(file: string, ...argv: string[]) {
    this.#process = fork(fileURLToPath(new URL(file, import.meta.url)), argv)
  }

  async ask<Type extends From['type']>(message: To): Promise<Extract<From, { type: Type }>> {
    const answer = this.next<Type>()
    this.#process.send(message)
    return answer
  }

  async next<Type extends From['type']>(): Promise<Extract<From, { type: Type }>> {
    const [answer] = await once(this.#process, 'message')
    return answer as Extract<From, { type: Type }>
  }

  end(): void {
    this.#process.disconnect()
  }
}

type Clients = Child<ToClients, FromClients | { type: 'expects' }>
type Sender = Child<ToSender, FromSender>

const median = (values: readonly number[]) =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0

async function measureSize(
  kind: Kind,
  size: Size,
  { sender, clients, first }: { sender: Sender; clients: Clients; first: number },
): Promise<Figure> {
  const middles: number[] = []
  const lasts: number[] = []
  const sum = { cpuUs: 0, bytes: 0, wrong: 0 }
  let before = { cpuUs: 0, engines: {} as Record<string, number> }
  for (let message = 0; message < size.messages; message++) {
    const number = first + message
    await clients.ask<'expects'>({ type: 'expect', number, bytes: size.bytes })
    if (message === 1) before = await sender.ask<'counted'>({ type: 'count' })
    const received = clients.next<'received'>()
    const { atNs } = await sender.ask<'published'>({ type: 'publish', number, bytes: size.bytes })
    const { timesNs, wrong } = await received
    sum.wrong += wrong
    if (message === 0) continue
    sum.bytes += size.bytes * count
    middles.push((median(timesNs) - atNs) / 1e6)
    lasts.push((Math.max(...timesNs) - atNs) / 1e6)
  }
  const after = await sender.ask<'counted'>({ type: 'count' })
  const engines = Object.keys(after.engines).filter(
    (engine) => (after.engines[engine] ?? 0) > (before.engines[engine] ?? 0),
  )
  const gigabytes = sum.bytes / 1e9
  const cpuPerGb = (after.cpuUs - before.cpuUs) / 1e6 / gigabytes
  const latencies = { middle: median(middles), last: median(lasts) }
  return { kind, size: size.name, ...latencies, cpuPerGb, gigabytes, wrong: sum.wrong, engines }
}

async function measureKind(kind: Kind): Promise<Figure[]> {
  const sender: Sender = new Child('channel-senders.ts', kind)
  const clients: Clients = new Child('channel-clients.ts')
  const figures: Figure[] = []
  try {
    const { port } = await sender.next<'listens'>()
    await clients.ask<'ready'>({ type: 'connect', port, count, framing: framings[kind] })
    let first = 1
    for (const size of sizes) {
      figures.push(await measureSize(kind, size, { sender, clients, first }))
      first += size.messages
    }
  } finally {
    clients.end()
    sender.end()
  }
  return figures
}

/** The median of the rounds. */
function summed(all: readonly Figure[], kind: Kind, size: string): Figure {
  const rows = all.filter((figure) => figure.kind === kind && figure.size === size)
  const of = (value: (figure: Figure) => number) => median(rows.map(value))
  const total = (value: (figure: Figure) => number) =>
    rows.reduce((sum, row) => sum + value(row), 0)
  return {
    kind,
    size,
    middle: of(({ middle }) => middle),
    last: of(({ last }) => last),
    cpuPerGb: of(({ cpuPerGb }) => cpuPerGb),
    gigabytes: total(({ gigabytes }) => gigabytes),
    wrong: total(({ wrong }) => wrong),
    engines: rows[0]?.engines ?? [],
  }
}

function line({ kind, size, middle, last, engines, ...rest }: Figure): string {
  const times = [middle, last].map((ms) => ms.toFixed(1))
  const amounts = [rest.cpuPerGb, rest.gigabytes].map((value) => value.toFixed(2))
  const by = engines.length > 0 ? engines.join(', ') : '—'
  return `| ${[size, kind, ...times, ...amounts, by].join(' | ')} |`
}

const all: Figure[] = []
for (let round = 0; round < rounds; round++) {
  for (const kind of kinds) {
    console.error(`measuring: ${kind}, round ${round + 1} of ${rounds}`)
    all.push(...(await measureKind(kind)))
  }
}
const figures = sizes.flatMap(({ name }) => kinds.map((kind) => summed(all, kind, name)))
const wrong = figures.reduce((sum, figure) => sum + figure.wrong, 0)
console.log(`${count} clients; ${wrong} bytes were not what had been published.\n`)
console.log(
  '| message | by | middle client, ms | last client, ms | CPU s/GB | GB checked | engine |',
)
console.log('|---|---|---|---|---|---|---|')
for (const figure of figures) console.log(line(figure))
if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(figures, null, 2))
process.exit(wrong === 0 ? 0 : 1)
