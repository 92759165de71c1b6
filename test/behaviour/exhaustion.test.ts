// A process that runs out of descriptors, or is killed without warning: what it had begun it
// finishes, it says once what is wrong, and the next one starts where it was.

import test from 'ava'
import { RawClient, request } from '../support/client.ts'
import { type Program, runProgram } from '../support/program.ts'
import { makeFolder, makeSite, patternBytes } from '../support/site.ts'
import { answering, response, startUpstream } from '../support/upstream.ts'
import { until } from '../support/wait.ts'

interface Figures {
  connections: number
  accepted: number
  errors: Record<string, number>
}

/** A gateway that prints its port, then its figures at each SIGUSR2; what it logs goes to `log`. */
function gatewayProgram(config: string): string {
  return `
    const lines = []
    const note = (fields, message) => lines.push({ ...fields, message })
    const logger = { debug() {}, info() {}, warn: note, error: note }
    const gateway = await createGateway(${config}, { logger })
    process.on('SIGUSR2', () => {
      console.log(JSON.stringify({ ...gateway.stats().total, lines }))
    })
    const [address] = await gateway.listen()
    console.log(address.port ?? address.path)`
}

async function figuresOf({
  child,
  line,
}: Program): Promise<Figures & { lines: { code: string }[] }> {
  child.kill('SIGUSR2')
  return JSON.parse(await line())
}

test('a process out of descriptors pauses accepting, serves on, and says so once', async (t) => {
  const big = patternBytes(6_000_000)
  const site = makeSite(t, { big })
  const program = runProgram(
    t,
    gatewayProgram(
      `{ listen: 0, workers: 1, routes: {
         '/*': respond(200, 'ok'), '/files/*': files(${JSON.stringify(site.root)}) } }`,
    ),
    '-n 120',
  )
  const port = Number(await program.line())
  const clients: RawClient[] = []
  t.teardown(() => {
    for (const { socket } of clients) socket.destroy()
  })
  const connect = async () => {
    const client = await RawClient.connect({ port })
    clients.push(client)
    return client
  }
  const busy = await connect()
  busy.write(request('/files/big'))
  await busy.arrived(1)
  busy.socket.pause()
  const waiting: RawClient[] = []
  for (let n = 0; n < 200; n++) waiting.push(await connect())
  await until('descriptors to run out', async () => {
    const { errors } = await figuresOf(program)
    return (errors['out-of-descriptors'] ?? 0) > 3
  })
  const { accepted, lines } = await figuresOf(program)
  t.true(accepted > 10 && accepted < 120)
  t.deepEqual(
    lines.map(({ code }) => code),
    ['out-of-descriptors'],
  )
  busy.socket.resume()
  t.true((await busy.read()).body.equals(big))
  // Whoever leaves makes room for one, and the next is one too many again: nothing new to say.
  for (let round = 0; round < 3; round++) {
    const { accepted: before } = await figuresOf(program)
    waiting.shift()?.socket.destroy()
    await until('another to be accepted', async () => (await figuresOf(program)).accepted > before)
  }
  // Those that were accepted are served; as they leave, the others come in, all of them.
  for (const client of waiting) client.write(request('/', { Connection: 'close' }))
  for (const client of waiting) t.is((await client.read()).body.toString(), 'ok')
  const after = await figuresOf(program)
  t.is(after.accepted, 201)
  t.deepEqual(
    after.lines.map(({ code }) => code),
    ['out-of-descriptors'],
  )
  t.is(await (await connect()).ask(request('/')).then(({ status }) => status), 200)
})

test('after kill -9 the next process has the port at once', async (t) => {
  const config = (port: number) =>
    gatewayProgram(`{ listen: ${port}, workers: 2, routes: { '/*': respond(200, 'ok') } }`)
  const first = runProgram(t, config(0))
  const port = Number(await first.line())
  const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect({ port })))
  for (const client of clients) t.is((await client.ask(request('/'))).status, 200)
  first.child.kill('SIGKILL')
  t.is(await first.exit, null)
  const second = runProgram(t, config(port))
  t.is(Number(await second.line()), port)
  const client = await RawClient.connect({ port })
  t.is((await client.ask(request('/'))).status, 200)
  for (const each of [...clients, client]) each.socket.destroy()
})

test('after kill -9 the next process replaces the unix socket', async (t) => {
  const path = `${makeFolder(t)}/socket`
  const program = gatewayProgram(
    `{ listen: { path: ${JSON.stringify(path)} }, workers: 2,
       routes: { '/*': respond(200, 'ok') } }`,
  )
  for (let round = 0; round < 3; round++) {
    const { child, exit, line } = runProgram(t, program)
    t.is(await line(), path)
    const client = await RawClient.connect({ path })
    t.is((await client.ask(request('/'))).status, 200)
    child.kill('SIGKILL')
    await exit
    await client.readToEnd()
  }
})

test('running out of descriptors is not blamed on the target', async (t) => {
  const target = await startUpstream(t, answering(response()))
  const program = runProgram(
    t,
    `const gateway = await createGateway(
       { listen: 0, workers: 1, upstreams: { app: { targets: '${target.url}',
           keepAlive: { connections: 0 }, ejection: { failures: 1 } } },
         routes: { '/*': proxy('app') } },
       { logger: { debug() {}, info() {}, warn() {}, error() {} } })
     process.on('SIGUSR2', () => {
       console.log(JSON.stringify({ ...gateway.stats().total, ...gateway.stats() }))
     })
     const [{ port }] = await gateway.listen()
     console.log(port)`,
    '-n 100',
  )
  const port = Number(await program.line())
  const figures = async () => {
    program.child.kill('SIGUSR2')
    return JSON.parse(await program.line())
  }
  const clients: RawClient[] = []
  t.teardown(() => {
    for (const { socket } of clients) socket.destroy()
  })
  const asking = await RawClient.connect({ port })
  clients.push(asking)
  t.is((await asking.ask(request('/'))).status, 200)
  // Connections take every descriptor that there is.
  await until('no descriptor to be left', async () => {
    clients.push(await RawClient.connect({ port }))
    return ((await figures()).errors['out-of-descriptors'] ?? 0) > 0
  })
  await until('a request to be without', async () => {
    return (await asking.ask(request('/'))).status === 503
  })
  const [app] = (await figures()).upstreams
  t.like(app.targets[0], { failures: 0, ejected: false, circuit: 'closed' })
  for (const { socket } of clients.splice(1)) socket.destroy()
  await until('descriptors to be free again', async () => {
    return (await asking.ask(request('/'))).status === 200
  })
})
