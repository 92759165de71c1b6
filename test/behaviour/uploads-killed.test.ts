// A gateway that is killed while files come in: whenever that is, each name has the old file or the
// new one, whole, and the next start removes what was left beside them.

import { readFileSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import test from 'ava'
import { testOnBothTwins } from '../support/gateway.ts'
import { runProgram } from '../support/program.ts'
import { Random } from '../support/random.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { everythingIn, uploadHead } from '../support/upload.ts'
import { until } from '../support/wait.ts'

const size = 700_000

/** A version of a file: its number in every place. */
function version(n: number): Buffer {
  return Buffer.alloc(size, n + 1)
}

testOnBothTwins('kill -9 at any moment leaves the old file or the new one', async (t, transfer) => {
  const site = makeSite(t)
  writeFileSync(site.path('file'), version(0))
  const random = new Random(transfer === 'auto' ? 1 : 2)
  let isNewer = false
  for (let round = 1; round <= 12; round++) {
    const program = runProgram(
      t,
      `const gateway = await createGateway({
         listen: 0, workers: 1, transfer: '${transfer}',
         routes: { '/*': files('${site.root}', { upload: true }) },
       })
       const [address] = await gateway.listen()
       console.log(address.port)`,
    )
    const port = Number(await program.line())
    // What the one before left is gone before this one has made anything.
    await until('the leftovers to be gone', () => everythingIn(site.root).length === 1)
    const socket = createConnection({ port, host: '127.0.0.1' })
    socket.on('error', () => {})
    let answers = 0
    socket.on('data', () => answers++)
    const body = version(round)
    const send = () =>
      socket.write(
        Buffer.concat([
          Buffer.from(uploadHead('PUT', '/file', { 'Content-Length': String(size) })),
          body,
        ]),
      )
    send()
    socket.on('data', send)
    const wanted = random.below(3)
    await until('some to be stored', () => answers >= wanted)
    for (let turns = random.below(200); turns > 0; turns--) await nextTurn()
    program.child.kill('SIGKILL')
    await program.exit
    socket.destroy()
    const now = readFileSync(site.path('file'))
    t.is(now.length, size)
    const first = now[0] ?? 0
    t.true(now.equals(Buffer.alloc(size, first)), 'one version, whole')
    if (answers > 0) t.is(first, round + 1)
    isNewer ||= first > 1
  }
  t.true(isNewer, 'none of them came to its end')
})

test('leftovers of a gateway that lives are not touched by another that starts', async (t) => {
  const site = makeSite(t)
  writeFileSync(site.path('.sluice-upload-0123'), patternBytes(100))
  const start = async () => {
    const program = runProgram(
      t,
      `const gateway = await createGateway({
         listen: 0, workers: 1, routes: { '/*': files('${site.root}', { upload: true }) },
       })
       const [address] = await gateway.listen()
       console.log(address.port)`,
    )
    return Number(await program.line())
  }
  const port = await start()
  await until('the leftover to be gone', () => everythingIn(site.root).length === 0)
  const socket = createConnection({ port, host: '127.0.0.1' })
  t.teardown(() => socket.destroy())
  socket.write(uploadHead('PUT', '/slow', { 'Content-Length': '6' }))
  socket.write('abc')
  await start()
  socket.write('def')
  const { promise, resolve } = Promise.withResolvers<string>()
  socket.on('data', (bytes: Buffer) => resolve(bytes.toString()))
  t.regex(await promise, /^HTTP\/1\.1 201/)
  t.is(readFileSync(site.path('slow'), 'utf8'), 'abcdef')
})
