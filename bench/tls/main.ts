// HTTPS beside nginx with the same OpenSSL: `npm run bench:tls`. See ../README.md.
//
//   --quick       fewer and shorter rounds
//   --only TEXT   only rows whose name contains TEXT

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runClient } from '../measuring/client.ts'
import { gateway } from '../measuring/gateway.ts'
import { addCalls, type Drive, measureRow, type Row } from '../measuring/measure.ts'
import { nginx } from '../measuring/nginx.ts'
import { describeMachine, enterNamespace, startSpinners } from '../measuring/quiet.ts'
import { markdown } from '../measuring/report.ts'
import {
  commit,
  installed,
  type Place,
  type ServerKind,
  start,
  versionsOf,
} from '../measuring/servers.ts'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
})

const root = new URL('../..', import.meta.url).pathname
const fixtures = join(root, 'test/fixtures/tls')
const effort = options.quick ? { rounds: 3, seconds: 0.5 } : { rounds: 7, seconds: 1 }
const firstPort = 8200

interface TlsRow extends Row {
  mode: 'keep' | 'full' | 'resumed'
  connections: number
  target: string
  /** Bytes of the body, for the floor, which has no files. */
  bytes: number
}

const small = { target: '/1k.bin', bytes: 1024 }
const large = { target: '/100m.bin', bytes: 100 * 2 ** 20 }
const rows: TlsRow[] = [
  { name: '1 KiB, keep-alive', mode: 'keep', connections: 64, ...small },
  { name: '16 KiB, keep-alive', mode: 'keep', connections: 64, target: '/16k.bin', bytes: 16_384 },
  { name: 'full handshake and 1 KiB', mode: 'full', connections: 16, ...small },
  { name: 'resumed handshake and 1 KiB', mode: 'resumed', connections: 16, ...small },
  { name: '100 MiB', mode: 'keep', connections: 4, perGigabyte: true, ...large },
]

interface TlsPlace extends Place {
  site: string
  pair: { cert: string; key: string }
}

const sluice = gateway<TlsPlace>('sluice', ({ site, port, pair }) => {
  const listen = { port, tls: { certificates: [pair] } }
  return `import { defineGateway, files } from 'sluice'
export default defineGateway({
  listen: ${JSON.stringify(listen)},
  workers: 1,
  routes: { '/*': files(${JSON.stringify(site)}) },
})
`
})

const peer = nginx<TlsPlace>('nginx', ({ site, port, pair }) => ({
  connections: 16_000,
  http: `  default_type application/octet-stream;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=10000 inactive=300s;
  open_file_cache_valid 60s;
  ssl_certificate ${pair.cert};
  ssl_certificate_key ${pair.key};
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_session_tickets on;
  ssl_buffer_size 16k;
  server { listen 127.0.0.1:${port} ssl backlog=4096; root ${site}; }`,
}))

function floorOf(program: string, bytes: number): ServerKind<TlsPlace> {
  return {
    name: 'floor',
    command: program,
    configure: ({ port, pair }) => [String(port), pair.cert, pair.key, String(bytes)],
  }
}

/** Of bench/tls, which need OpenSSL: the one that is linked into the gateway too. */
function compile(name: string, folder: string): string {
  const program = join(folder, name)
  const source = new URL(`${name}.cc`, import.meta.url).pathname
  const libraries = ['-l:libssl.a', '-l:libcrypto.a', '-ldl', '-pthread']
  execFileSync('g++', ['-std=c++20', '-O2', '-o', program, source, ...libraries], {
    stdio: 'inherit',
  })
  return program
}

function writeSite(folder: string): string {
  const site = join(folder, 'site')
  mkdirSync(site)
  chmodSync(site, 0o755)
  writeFileSync(join(site, '1k.bin'), randomBytes(1_024))
  writeFileSync(join(site, '16k.bin'), randomBytes(16_384))
  writeFileSync(join(site, '100m.bin'), randomBytes(large.bytes))
  return site
}

async function measure(folder: string) {
  const client = compile('client', folder)
  const floor = compile('floor', folder)
  const site = writeSite(folder)
  const pair = { cert: join(folder, 'site.pem'), key: join(folder, 'site.key') }
  copyFileSync(join(fixtures, 'ecdsa.pem'), pair.cert)
  copyFileSync(join(fixtures, 'ecdsa.key'), pair.key)
  const drive: Drive<TlsRow> = (row, server, seconds) =>
    runClient(client, [server.port, row.connections, seconds, row.mode, row.target].map(String))
  const kinds = installed([sluice, peer])
  const figures = []
  const wanted = rows.filter(({ name }) => name.includes(options.only))
  for (const row of wanted) {
    console.error(`measuring: ${row.name}`)
    const all = [...kinds, floorOf(floor, row.bytes)]
    const servers = await Promise.all(
      all.map((kind, index) => start(kind, { site, folder, pair, port: firstPort + index })),
    )
    try {
      const stopSpinners = startSpinners()
      const own = await measureRow(drive, row, servers, effort, 'nginx')
      stopSpinners()
      await addCalls(drive, [row], servers, own, folder)
      figures.push(...own)
    } finally {
      await Promise.all(servers.map((server) => server.stop()))
    }
  }
  return figures
}

async function main(): Promise<void> {
  const machine = describeMachine()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  chmodSync(folder, 0o755)
  try {
    const figures = await measure(folder)
    const report = {
      commit: commit(),
      node: process.version,
      date: new Date().toISOString().slice(0, 10),
      servers: versionsOf([peer, { package: 'libssl-dev' }]),
      reference: 'nginx',
      figures,
      idle: [],
      machine,
    }
    console.log(markdown(report))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

process.exitCode = await enterNamespace()
if (process.exitCode === undefined) await main()
