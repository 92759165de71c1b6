// What scripts/test-ktls.ts runs inside a machine whose kernel has kTLS: bytes are equal whoever
// encrypts, and the counters show who did. Prints a line for each check; the last one says whether
// all passed.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect, type SecureVersion } from 'node:tls'
import { createGateway, files, type Gateway, proxy, respond } from '../../src/index.ts'
import { loadAddon } from '../../src/native/addon.ts'

const fixtures = new URL('../fixtures/tls/', import.meta.url).pathname
const pair = { cert: `${fixtures}ecdsa.pem`, key: `${fixtures}ecdsa.key` }
const sizes = [0, 1, 4_095, 16_384, 16_385, 200_001, 5_000_000]
let failures = 0

function check(what: string, holds: boolean): void {
  console.log(`${holds ? 'ok' : 'FAILED'}: ${what}`)
  if (!holds) failures += 1
}

function pattern(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, at) => (at * 7 + (at >> 8) * 13) & 0xff))
}

const contents = new Map(sizes.map((size) => [`f${size}`, pattern(size)]))

function makeSite(): string {
  const root = mkdtempSync('/tmp/site-')
  for (const [name, bytes] of contents) writeFileSync(join(root, name), bytes)
  return root
}

/** /length/N, /chunked/N and /close/N answer with that body. */
async function startOrigin(): Promise<number> {
  const server = createServer((request, response) => {
    const [, framing = '', name = ''] = (request.url ?? '').split('/')
    const bytes = contents.get(name) ?? Buffer.alloc(0)
    if (framing === 'length') response.setHeader('Content-Length', bytes.length)
    if (framing === 'close') response.useChunkedEncodingByDefault = false
    response.end(request.method === 'HEAD' ? undefined : bytes)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

interface Answer {
  status: number
  body: Buffer
}

/** Requests one after the other on one connection; slowly when `pauses`. */
async function askAll(
  port: number,
  version: SecureVersion,
  requests: { path: string; range?: string }[],
  pauses = false,
): Promise<Answer[]> {
  const ca = contentsOf('ca.pem')
  const socket = connect({
    port,
    host: '127.0.0.1',
    ca,
    servername: 'localhost',
    minVersion: version,
    maxVersion: version,
  })
  const answers: Answer[] = []
  let received = Buffer.alloc(0)
  const done = Promise.withResolvers<Answer[]>()
  const ask = () => {
    const request = requests[answers.length]
    if (request === undefined) {
      socket.end()
      return done.resolve(answers)
    }
    const range = request.range === undefined ? '' : `Range: ${request.range}\r\n`
    socket.write(`GET ${request.path} HTTP/1.1\r\nHost: localhost\r\n${range}\r\n`)
  }
  socket.on('secureConnect', ask)
  socket.on('error', done.reject)
  socket.on('close', () => done.reject(new Error('closed too early')))
  socket.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes])
    if (pauses) {
      socket.pause()
      setTimeout(() => socket.resume(), 2)
    }
    const answer = takeAnswer(received)
    if (answer === undefined) return
    received = Buffer.alloc(0)
    answers.push(answer)
    ask()
  })
  return done.promise
}

function contentsOf(name: string): Buffer {
  return process.getBuiltinModule('node:fs').readFileSync(fixtures + name)
}

/** Undefined: it is not complete. */
function takeAnswer(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = bytes.subarray(0, end).toString('latin1')
  const rest = bytes.subarray(end + 4)
  const status = Number(head.slice(9, 12))
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  if (length !== undefined) {
    return rest.length < Number(length) ? undefined : { status, body: rest }
  }
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const line = rest.indexOf('\r\n', at)
    if (line < 0) return undefined
    const size = Number.parseInt(rest.subarray(at, line).toString('latin1'), 16)
    if (rest.length < line + 4 + size) return undefined
    if (size === 0) return { status, body: Buffer.concat(parts) }
    parts.push(rest.subarray(line + 2, line + 2 + size))
    at = line + 4 + size
  }
}

async function startGateway(transfer: 'auto' | 'copy', root: string, origin: number) {
  const gateway = await createGateway({
    listen: { port: 0, tls: { certificates: pair } },
    workers: 1,
    transfer,
    routes: {
      '/*': files(root),
      '/up/*': proxy(`http://127.0.0.1:${origin}`, { stripPrefix: '/up' }),
      '/own': respond(200, 'own'),
    },
  })
  const [address] = await gateway.listen()
  return { gateway, port: address?.kind === 'tcp' ? address.port : 0 }
}

async function checkBytes(about: string, port: number, version: SecureVersion): Promise<void> {
  for (const pauses of [false, true]) {
    const how = `${about}, ${version}${pauses ? ', slowly' : ''}`
    const names = [...contents.keys()]
    const whole = await askAll(
      port,
      version,
      names.map((name) => ({ path: `/${name}` })),
      pauses,
    )
    const same = names.every((name, at) => whole[at]?.body.equals(contents.get(name) as Buffer))
    check(`${how}: files whole`, same)
    const large = contents.get('f5000000') as Buffer
    const ranges = ['bytes=0-0', 'bytes=16000-300000', 'bytes=-70000', 'bytes=4999999-']
    const parts = await askAll(
      port,
      version,
      ranges.map((range) => ({ path: '/f5000000', range })),
      pauses,
    )
    const expected = [
      large.subarray(0, 1),
      large.subarray(16_000, 300_001),
      large.subarray(-70_000),
      large.subarray(4_999_999),
    ]
    check(
      `${how}: ranges`,
      expected.every((part, at) => parts[at]?.body.equals(part)),
    )
    for (const framing of ['length', 'chunked']) {
      const proxied = await askAll(
        port,
        version,
        names.map((name) => ({ path: `/up/${framing}/${name}` })),
        pauses,
      )
      const equal = names.every((name, at) =>
        proxied[at]?.body.equals(contents.get(name) as Buffer),
      )
      check(`${how}: proxied bodies, ${framing}`, equal)
    }
  }
}

function engines(gateway: Gateway): string[] {
  const moved = Object.entries(gateway.stats().total.engines).filter(([, { bytes }]) => bytes > 0)
  return moved.map(([name]) => name).sort()
}

async function main(): Promise<void> {
  const kernel = loadAddon()
    .capabilities()
    .find(({ name }) => name === 'kTLS')
  check(`the kernel encrypts: ${kernel?.detail} ${kernel?.error}`, kernel?.available === true)
  const root = makeSite()
  const origin = await startOrigin()
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const fast = await startGateway('auto', root, origin)
    await checkBytes('auto', fast.port, version)
    const { tls } = fast.gateway.stats().total
    check(`${tls.kernel} of ${tls.handshakes} by the kernel`, tls.kernel === tls.handshakes)
    const used = engines(fast.gateway)
    check(`engines: ${used}`, String(used) === 'ktls-copy,ktls-sendfile,ktls-splice')
    await fast.gateway.close()
    const twin = await startGateway('copy', root, origin)
    await checkBytes('copy', twin.port, version)
    check(
      `engines of the twin: ${engines(twin.gateway)}`,
      String(engines(twin.gateway)) === 'tls-copy',
    )
    await twin.gateway.close()
  }
  console.log(failures === 0 ? 'KTLS: all passed' : `KTLS: ${failures} failed`)
}

// What a failure leaves open must not keep the machine running.
main()
  .catch((error: unknown) => console.log('KTLS: failed', error))
  .finally(() => process.exit())
