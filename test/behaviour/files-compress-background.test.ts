// Encoding happens elsewhere: neither workers nor the main thread wait for it, its process yields
// to the others, comes and goes with the work, and nobody is hurt when it is killed.

import { readdirSync, readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { files } from '../../src/index.ts'
import { type RawClient, request } from '../support/client.ts'
import { type RunningGateway, startGateway } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { inTheBackground, until } from '../support/wait.ts'

const mb = 1024 * 1024

/** Text that shrinks to about half. */
const text = (bytes: number) => patternBytes(bytes / 2).toString('hex')

interface Encoder {
  pid: number
  nice: number
}

/** Encoding processes that this process has started and that still run. */
function encoders(): Encoder[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
        const command = readFileSync(`/proc/${name}/cmdline`, 'latin1')
        // After the name in parentheses: state, parent, … and nice as the 17th.
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        const isOurs = Number(fields[1]) === process.pid && fields[0] !== 'Z'
        return isOurs && command.includes('encoder')
          ? [{ pid: Number(name), nice: Number(fields[16]) }]
          : []
      } catch {
        return [] // it has just ended
      }
    })
}

/** A gateway with some files, of which a process that is halted encodes the large one. */
async function startEncoding(t: ExecutionContext, bytes: number) {
  const content = { 'large.txt': text(bytes), 'other.txt': text(4_000), 'small.txt': 'hello' }
  const site = makeSite(t, content)
  const routes = { '/*': files(site.root, { compress: 'br' }) }
  const running = await startGateway(t, { routes })
  const client = await running.connect()
  await client.ask(request('/small.txt'))
  const reply = await client.ask(request('/large.txt', { 'Accept-Encoding': 'br' }))
  t.is(reply.body.length, bytes)
  await until('a process that yields to others', () => encoders().some(({ nice }) => nice === 10))
  const pid = encoders()[0]?.pid ?? 0
  process.kill(pid, 'SIGSTOP')
  t.teardown(() => {
    if (encoders().some((encoder) => encoder.pid === pid)) process.kill(pid, 'SIGCONT')
  })
  t.true(isEncoding(running))
  return { running, client, pid }
}

const isEncoding = ({ gateway }: RunningGateway) => gateway.stats().compression.waiting > 0

/** Waits for the other file in its encoding. */
async function otherEncoded(t: ExecutionContext, client: RawClient): Promise<void> {
  const ask = () => client.ask(request('/other.txt', { 'Accept-Encoding': 'br' }))
  await until(
    'the other file, encoded',
    async () => {
      return (await ask()).field('content-encoding') === 'br'
    },
    inTheBackground,
  )
  t.is(brotliDecompressSync((await ask()).body).toString(), text(4_000))
}

test.serial('answers and the main thread go on while 20 MB are encoded', async (t) => {
  const { running, client, pid } = await startEncoding(t, 20 * mb)
  // Each round needs turns of the worker, of the I/O threads and of the main loop; the encoder
  // is halted for the first half of them, so that it cannot have finished.
  for (let round = 0; round < 100; round++) {
    if (round === 50) process.kill(pid, 'SIGCONT')
    t.is((await client.ask(request('/small.txt'))).body.toString(), 'hello')
    t.is((await client.ask(request(`/missing-${round}`))).status, 404)
    if (round < 50) t.true(isEncoding(running))
  }
  t.is(running.gateway.stats().compression.failed, 0)
})

test.serial('a gateway that ends does not wait for what is being encoded', async (t) => {
  const { running, pid } = await startEncoding(t, 8 * mb)
  await running.gateway.close({ drain: false })
  await until('the end of the process', () => encoders().every((encoder) => encoder.pid !== pid))
})

test.serial('when its process is killed a file is sent as it is, others encoded', async (t) => {
  const { running, client, pid } = await startEncoding(t, 8 * mb)
  process.kill(pid, 'SIGKILL')
  await until('the end of the job', () => running.gateway.stats().compression.failed === 1)
  await otherEncoded(t, client)
  t.like(running.gateway.stats().compression, { made: 1, failed: 1 })
  const whole = await client.ask(request('/large.txt', { 'Accept-Encoding': 'br' }))
  t.is(whole.field('content-encoding'), undefined)
  t.is(whole.body.length, 8 * mb)
})

test.serial('the process ends when there is nothing left to encode', async (t) => {
  const site = makeSite(t, { 'other.txt': text(4_000) })
  const { connect, gateway } = await startGateway(t, {
    routes: { '/*': files(site.root, { compress: 'br' }) },
  })
  await otherEncoded(t, await connect())
  await until('the end of the process', () => encoders().length === 0)
  t.like(gateway.stats().compression, { made: 1, failed: 0 })
})
