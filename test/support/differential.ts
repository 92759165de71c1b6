// The same bytes to a Sluice and to a node:http server, each on a connection of its own, and what
// came back: which answers, from which route, and whether the connection went on. Routes answer by
// host and path, so that both sides must have understood the target alike.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createConnection } from 'node:net'
import type { ExecutionContext } from 'ava'
import { respond } from '../../src/index.ts'
import { type ErrorName, errors } from '../../src/native/errors.ts'
import { explain } from './differences.ts'
import { startGateway } from './gateway.ts'
import { Random } from './random.ts'
import { generateRequest, mutateRequest } from './request-generator.ts'

/** One answer: of which route, or refused and why. */
export interface Answer {
  /** '200 one /two' and the like; 'refused'. */
  what: string
  /** The rule of Sluice that refused it. */
  rule: ErrorName | undefined
  /** The answer says that the connection ends. */
  closes: boolean
}

/** What one connection brought, on both sides. */
export interface Comparison {
  /** All that was sent, with the request that follows. */
  text: string
  sluice: Answer[]
  node: Answer[]
}

export interface Pair {
  sluice: number
  node: number
}

// Behind each request: if the one before it ended where both think it did, both answer this.
const follower = 'GET /two HTTP/1.1\r\nHost: one.test\r\n\r\n'

/** Starts both servers; they end with the test. */
export async function startPair(t: ExecutionContext): Promise<Pair> {
  const label = (host: string, path: string) => respond(200, `${host} ${path}`)
  const { port: sluice } = await startGateway(t, {
    workers: 2,
    timeouts: { drain: 0 },
    routes: {
      '/*': label('any', '/'),
      '/one/*': label('any', '/one'),
      '/two/*': label('any', '/two'),
      'one.test/*': label('one', '/'),
      'one.test/one/*': label('one', '/one'),
      'one.test/two/*': label('one', '/two'),
      'two.test/*': label('two', '/'),
      'two.test/one/*': label('two', '/one'),
      'two.test/two/*': label('two', '/two'),
    },
  })
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const body = labelOf(request)
    response.writeHead(body === '' ? 404 : 200, { 'Content-Length': body.length }).end(body)
  }
  const server = createServer(answer)
  // No tunnels here: the answer of a route that is not there, as node:http would persist otherwise.
  server.on('connect', ({ httpVersion, headers }, socket) => {
    const options = (headers.connection ?? '').toLowerCase().split(/[ \t]*,[ \t]*/)
    const persists = httpVersion === '1.1' || options.includes('keep-alive')
    const field = persists && !options.includes('close') ? '' : 'Connection: close\r\n'
    socket.on('error', () => {})
    socket.end(`HTTP/1.1 404 Not Found\r\n${field}Content-Length: 0\r\n\r\n`)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // A client that ended in the middle gets no answer from Sluice either.
    const isCut = error.code === 'HPE_INVALID_EOF_STATE'
    const { _httpMessage: under } = socket as { _httpMessage?: { headersSent: boolean } }
    if (isCut || !socket.writable || under?.headersSent) socket.destroy()
    else socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
  t.teardown(() => closeServer(server))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { sluice, node: (server.address() as AddressInfo).port }
}

function closeServer(server: Server): void {
  server.closeAllConnections()
  server.close()
}

/**
 * What the routes of the gateway say, by the rules of RFC 9112 §3.2 on what node:http understood;
 * '' for OPTIONS of the server itself, which has no route.
 */
function labelOf({ method, url = '', headers }: IncomingMessage): string {
  const absolute = /^https?:\/\/([^/?]*)(.*)$/i.exec(url)
  if (method === 'OPTIONS' && (url === '*' || absolute?.[2] === '')) return ''
  const authority = absolute?.[1] ?? headers.host ?? ''
  const rest = absolute ? absolute[2] : url
  const host = /^(one|two)\.test(:|$)/i.exec(authority)?.[1]?.toLowerCase() ?? 'any'
  const path = /^\/(one|two)(?=[/?]|$)/.exec(rest ?? '')?.[0] ?? '/'
  return `${host} ${path}`
}

/** Sends `request` and what follows it to both. */
export async function compare({ sluice, node }: Pair, request: string): Promise<Comparison> {
  const text = request + follower
  const bytes = Buffer.from(text, 'latin1')
  const [fromSluice, fromNode] = await Promise.all([exchange(sluice, bytes), exchange(node, bytes)])
  return { text, sluice: parseAnswers(text, fromSluice), node: parseAnswers(text, fromNode) }
}

/** Everything that comes back until the end; a reset is an end. */
function exchange(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true })
    const chunks: Buffer[] = []
    socket.setTimeout(20_000, () => {
      socket.destroy()
      reject(new Error(`no end of the answer to ${JSON.stringify(bytes.toString('latin1'))}`))
    })
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.end(bytes)
  })
}

const rules = Object.entries(errors) as [ErrorName, { status: number; meaning: string }][]

/** The error that an answer names; one to HEAD has only its status. */
function ruleOf(status: number, body: string): ErrorName | undefined {
  const meaning = /: (.*)\n$/.exec(body)?.[1]
  return rules.find(
    ([, error]) => error.status === status && (meaning ?? error.meaning) === error.meaning,
  )?.[0]
}

// What is refused for where it leads, not for how it is written.
const isUnderstood = (status: number, rule: ErrorName | undefined) =>
  rule === 'no-route' || (rule === undefined && status === 404)

function parseAnswers(text: string, received: string): Answer[] {
  const answers: Answer[] = []
  let rest = received
  while (rest.length > 0) {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) throw new Error(`cut off in a head: ${JSON.stringify(received)}`)
    const head = rest.slice(0, end + 2)
    const status = Number(head.slice(9, 12))
    rest = rest.slice(end + 4)
    if (status < 200) continue
    // A head that is refused is no HEAD request, whatever it began with.
    const isHead = answers.length === 0 && /^\s*HEAD /.test(text) && /^(HTTP\/|$)/.test(rest)
    const length = isHead ? 0 : Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)
    const body = rest.slice(0, length)
    rest = rest.slice(length)
    const rule = status < 400 ? undefined : ruleOf(status, body)
    const closes = /^connection: close/im.test(head)
    const what = status < 400 ? `${status} ${isHead ? 'head' : body}` : 'refused'
    answers.push({ what: isUnderstood(status, rule) ? 'unrouted' : what, rule, closes })
  }
  return answers
}

/** Where two servers part: the first answer that is not the same, and both of it. */
export interface Difference extends Comparison {
  index: number
  ours: Answer | undefined
  theirs: Answer | undefined
}

/** The first difference of a comparison, or undefined. */
export function differenceOf(comparison: Comparison): Difference | undefined {
  const { sluice, node } = comparison
  for (let index = 0; index < Math.max(sluice.length, node.length); index++) {
    const [ours, theirs] = [sluice[index], node[index]]
    if (ours?.what === theirs?.what && ours?.closes === theirs?.closes) continue
    // What comes behind an answer and is wrong is refused or cut off, as the moment will have it.
    if (index > 0 && !isAnswered(ours) && !isAnswered(theirs)) continue
    return { ...comparison, index, ours, theirs }
  }
  return undefined
}

const isAnswered = (answer: Answer | undefined) => answer !== undefined && answer.what !== 'refused'

/** For messages: the bytes, and what came back from both. */
export function describe({ text, sluice, node }: Comparison): string {
  const shown = (answers: Answer[]) =>
    answers.map(({ what, rule, closes }) =>
      [what, rule, closes && 'closes'].filter(Boolean).join(' '),
    )
  const lines = [`sluice: ${shown(sluice).join(', ')}`, `node: ${shown(node).join(', ')}`]
  return [JSON.stringify(text), ...lines].join('\n  ')
}

/** What a run of many requests came to. */
export interface Verdict {
  accepted: number
  refused: number
  /** How often each row of the table explained a difference. */
  explained: Map<string, number>
  unexplained: string[]
}

/** Runs `count` generated requests, half of them mutated, a few at a time. */
export async function compareMany(
  pair: Pair,
  { seed, count }: { seed: number; count: number },
): Promise<Verdict> {
  const random = new Random(seed)
  const verdict: Verdict = { accepted: 0, refused: 0, explained: new Map(), unexplained: [] }
  let left = count
  const lane = async () => {
    while (left-- > 0) {
      const request = generateRequest(random)
      judge(
        await compare(pair, random.oneIn(2) ? mutateRequest(random, request) : request),
        verdict,
      )
    }
  }
  await Promise.all(Array.from({ length: 8 }, lane))
  return verdict
}

function judge(comparison: Comparison, verdict: Verdict): void {
  const difference = differenceOf(comparison)
  if (difference === undefined) {
    if (isAnswered(comparison.sluice[0])) verdict.accepted++
    else verdict.refused++
    return
  }
  const rule = explain(difference)?.rule
  if (rule === undefined) verdict.unexplained.push(describe(comparison))
  else verdict.explained.set(rule, (verdict.explained.get(rule) ?? 0) + 1)
}
