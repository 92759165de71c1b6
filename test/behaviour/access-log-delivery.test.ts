// How lines of the access log get to where they go: files that are renamed, pipes that nobody
// reads, sockets that come and go, several workers at once, and what a gateway that ends leaves.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'ava'
import { createGateway } from '../../src/gateway.ts'
import { files, respond } from '../../src/index.ts'
import { linesOf, startLogged } from '../support/access-log.ts'
import { request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { makeFolder, makeSite, patternBytes } from '../support/site.ts'
import { until } from '../support/wait.ts'

const routes = { '/*': respond(200, 'ok') } as const

/** A FIFO that is open for reading but not read; `read` begins that. */
function stuckFifo(folder: string) {
  const path = join(folder, 'fifo')
  execFileSync('mkfifo', [path])
  // The shell holds it open; cat takes its place when it is told to.
  const reader = spawn('sh', ['-c', 'exec 3<"$0"; read go; exec cat <&3', path])
  let text = ''
  reader.stdout.on('data', (chunk) => (text += chunk))
  const read = () => void reader.stdin.write('go\n')
  return { path, reader, read, text: () => text }
}

test('a renamed file is left behind when told, and no line is lost or torn', async (t) => {
  const { connect, gateway, file, logged } = await startLogged(t, { routes })
  const client = await connect()
  const old = `${file}.1`
  await client.ask(request('/before'))
  await logged(1)
  renameSync(file, old)
  await client.ask(request('/between'))
  await until('the old file to have it', () => linesOf(old).length === 2)
  t.false(existsSync(file))
  gateway.reopenLogs()
  await until('the new file', () => existsSync(file))
  await client.ask(request('/after'))
  const [line] = await logged(1)
  t.is(line?.target, '/after')
  t.deepEqual(
    linesOf(old).map((text) => JSON.parse(text).target),
    ['/before', '/between'],
  )
  t.is(statSync(file).mode & 0o777, 0o640)
})

test('SIGUSR1 makes sluice run open its log anew', async (t) => {
  const site = makeSite(t)
  const file = site.path('access.log')
  site.add(
    'gateway.config.ts',
    `import { defineGateway, respond } from 'sluice'
     export default defineGateway({
       listen: { path: 'socket' }, workers: 1, accessLog: { to: { file: 'access.log' } },
       routes: { '/*': respond(200, 'ok') },
     })`,
  )
  const bin = new URL('../../bin/sluice', import.meta.url).pathname
  const child = spawn(bin, ['run', '--config', site.path('gateway.config.ts')])
  t.teardown(() => void child.kill('SIGKILL'))
  const exit = new Promise((resolve) => child.on('exit', resolve))
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('listening on')) break
  }
  t.true(existsSync(file))
  renameSync(file, `${file}.1`)
  child.kill('SIGUSR1')
  await until('the new file', () => existsSync(file))
  child.kill('SIGTERM')
  t.is(await exit, 0)
})

test('a log that cannot be opened anew stays where it was', async (t) => {
  const { connect, gateway, file, log } = await startLogged(t, { routes })
  const client = await connect()
  renameSync(file, `${file}.1`)
  mkdirSync(file)
  gateway.reopenLogs()
  await until('the line about it', () => log.some(({ code }) => code === 'access-log'))
  await client.ask(request('/'))
  await gateway.close()
  t.is(linesOf(`${file}.1`).length, 1)
})

test('four workers do not mix their lines', async (t) => {
  const site = makeSite(t, { small: patternBytes(100) })
  const { connect, lines, gateway } = await startLogged(t, {
    workers: 4,
    routes: { '/*': files(site.root) },
  })
  const each = 500
  const clients = await Promise.all(Array.from({ length: 16 }, () => connect()))
  await Promise.all(
    clients.map(async (client, index) => {
      const agent = String.fromCharCode(97 + index).repeat(300)
      const one = request('/small', { 'User-Agent': agent })
      for (let sent = 0; sent < each; sent += 50) {
        client.write(one.repeat(50))
        for (let got = 0; got < 50; got += 1) await client.read()
      }
      client.socket.end()
    }),
  )
  await gateway.close()
  const all = await lines(0)
  t.is(all.length, 16 * each)
  const parsed = all.map((line) => JSON.parse(line))
  t.true(parsed.every(({ userAgent }) => userAgent === userAgent[0].repeat(300)))
  t.true(new Set(parsed.map(({ worker }) => worker)).size > 1)
  t.is(gateway.stats().accessLog.lines, 16 * each)
  t.is(gateway.stats().accessLog.bytes, all.join('\n').length + 1)
})

test('a full pipe drops and counts, and workers serve on', async (t) => {
  const fifo = stuckFifo(makeFolder(t))
  t.teardown(() => void fifo.reader.kill('SIGKILL'))
  const { connect, gateway, log } = await startGateway(t, {
    routes,
    accessLog: { to: { file: fifo.path } },
  })
  const agent = 'x'.repeat(1000)
  const batch = request('/', { 'User-Agent': agent }).repeat(50)
  const client = await connect()
  let asked = 0
  // Opened before the shell had: its lines are dropped until it is tried again.
  while (gateway.stats().accessLog.dropped < 100 || gateway.stats().accessLog.lines === 0) {
    client.write(batch)
    for (let got = 0; got < 50; got += 1) t.is((await client.read()).status, 200)
    asked += 50
    if (asked > 200_000) break
  }
  const { lines, dropped } = gateway.stats().accessLog
  t.true(dropped >= 100, `${dropped} dropped of ${asked}`)
  t.is(
    log.filter(({ code, message }) => code === 'access-log' && /dropped:/.test(message)).length,
    1,
  )
  fifo.read()
  await until('the log to go on', () => gateway.stats().accessLog.lines > lines)
  client.socket.end()
  await gateway.close()
  await new Promise((resolve) => fifo.reader.stdout.once('end', resolve))
  const written = fifo.text().split('\n').slice(0, -1)
  for (const line of written) t.is(JSON.parse(line).userAgent, agent)
  const { accessLog } = gateway.stats()
  t.is(accessLog.lines, written.length)
  t.is(accessLog.lines + accessLog.dropped, asked)
})

test('a full pipe that is opened anew: workers serve on, and the log goes on', async (t) => {
  const fifo = stuckFifo(makeFolder(t))
  t.teardown(() => void fifo.reader.kill('SIGKILL'))
  const { connect, gateway } = await startGateway(t, {
    routes,
    accessLog: { to: { file: fifo.path } },
  })
  const client = await connect()
  const batch = request('/', { 'User-Agent': 'x'.repeat(1000) }).repeat(50)
  let asked = 0
  const askMore = async () => {
    client.write(batch)
    for (let got = 0; got < 50; got += 1) t.is((await client.read()).status, 200)
    asked += 50
  }
  const { lines } = gateway.stats().accessLog
  await until('the pipe to be full', async () => {
    await askMore()
    return gateway.stats().accessLog.dropped > 1000
  })
  for (let i = 0; i < 5; i += 1) {
    gateway.reopenLogs()
    await askMore()
  }
  fifo.read()
  await until('the log to go on', async () => {
    await askMore()
    return gateway.stats().accessLog.lines > lines + 100
  })
  client.socket.end()
  await gateway.close()
  const { accessLog } = gateway.stats()
  t.is(accessLog.lines + accessLog.dropped, asked)
  await once(fifo.reader.stdout, 'end')
  const written = fifo.text().split('\n').slice(0, -1)
  t.is(written.length, accessLog.lines)
  for (const line of written) t.is(JSON.parse(line).status, 200)
})

test('a gateway ends although nobody takes its lines', async (t) => {
  const fifo = stuckFifo(makeFolder(t))
  t.teardown(() => void fifo.reader.kill('SIGKILL'))
  const { connect, gateway } = await startGateway(t, {
    routes,
    accessLog: { to: { file: fifo.path } },
  })
  const client = await connect()
  const batch = request('/', { 'User-Agent': 'x'.repeat(1000) }).repeat(50)
  for (let sent = 0; sent < 500; sent += 50) {
    client.write(batch)
    for (let got = 0; got < 50; got += 1) await client.read()
  }
  client.socket.end()
  await gateway.close()
  const { lines, dropped } = gateway.stats().accessLog
  t.is(lines + dropped, 500)
  t.true(dropped > 0)
})

test('a socket gets the same lines, also after its reader has gone', async (t) => {
  const path = join(makeFolder(t), 'collector')
  const { connect, log } = await startGateway(t, {
    routes,
    accessLog: { to: { socket: path }, fields: ['target'] },
  })
  await until('the line about it', () =>
    log.some(({ message }) => message.includes('nobody reads the access log yet')),
  )
  let text = ''
  const readers: Socket[] = []
  const collect = (socket: Socket) => {
    readers.push(socket)
    socket.on('data', (chunk) => (text += chunk))
    socket.on('error', () => {})
  }
  const server = createServer(collect).listen(path)
  t.teardown(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const client = await connect()
  const hasArrived = async () => {
    await client.ask(request('/x'))
    return text.length > 0
  }
  await until('a line to arrive', hasArrived)
  for (const reader of readers.splice(0)) reader.destroy()
  text = ''
  await until('the next reader to have a line', hasArrived)
  t.is(text.replaceAll('{"target":"/x"}\n', ''), '')
  for (const reader of readers) reader.destroy()
})

test('stdout may be the log: lines and what else is printed stay whole', async (t) => {
  const source = new URL('../../src/', import.meta.url).href
  const program = `
    import { createGateway } from '${source}gateway.ts'
    import { respond } from '${source}index.ts'
    const gateway = await createGateway({
      listen: 0, workers: 1, accessLog: true, routes: { '/*': respond(200, 'ok') } })
    const [{ url }] = await gateway.listen()
    for (let n = 0; n < 200; n += 1) { await (await fetch(url)).text(); console.log('printed') }
    await gateway.close()`
  const file = join(makeFolder(t), 'program.mjs')
  writeFileSync(file, program)
  const lines = execFileSync(process.execPath, [file], { encoding: 'utf8' })
    .split('\n')
    .slice(0, -1)
  t.is(lines.filter((line) => line === 'printed').length, 200)
  const logged = lines.filter((line) => line !== 'printed')
  t.is(logged.length, 200)
  for (const line of logged) t.is(JSON.parse(line).status, 200)
})

test('a log that cannot be had is an error that names it', async (t) => {
  const folder = makeFolder(t)
  const missing = { listen: 0, routes, accessLog: { to: { file: join(folder, 'no/access.log') } } }
  const error = await t.throwsAsync(createGateway(missing), { code: 'ERR_SLUICE_CONFIG' })
  t.regex(error.message, /accessLog\.to\.file: .*no: no such directory/)
  const loop = join(folder, 'x'.repeat(300))
  const gateway = await createGateway({ listen: 0, routes, accessLog: { to: { file: loop } } })
  const failed = await t.throwsAsync(gateway.listen(), { code: 'ERR_SLUICE_ACCESS_LOG' })
  t.true(failed.message.includes('cannot write the access log to'), failed.message)
  await gateway.close()
})
