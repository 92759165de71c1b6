// One client address has a bounded share of the open questions; the others ask meanwhile. The main
// thread is blocked, so that questions stay open, and counts while it is.

import { writeFileSync } from 'node:fs'
import test from 'ava'
import { RawClient, request } from '../support/client.ts'
import { runProgram } from '../support/program.ts'
import { makeSite } from '../support/site.ts'

const greedy = 300
const share = 64

test('many questions of one address leave room for another', async (t) => {
  const site = makeSite(t, { 'in/cold': 'cold' })
  const flag = (name: string) => JSON.stringify(site.path(name))
  const { line } = runProgram(
    t,
    `const routes = { '/*': files(${JSON.stringify(site.path('in'))}) }
     const gateway = await createGateway({ listen: 0, workers: 1, routes })
     const [{ port }] = await gateway.listen()
     console.log(port)
     const nothing = new Int32Array(new SharedArrayBuffer(4))
     const blockUntil = (done) => { while (!done()) Atomics.wait(nothing, 0, 0, 5) }
     const total = () => gateway.stats().total
     blockUntil(() => total().parked === ${greedy})
     console.log(total().questions)
     blockUntil(() => total().parked === ${greedy + 1})
     console.log(total().questions)
     blockUntil(() => existsSync(${flag('go')}))`,
  )
  const port = Number(await line())
  const clients: RawClient[] = []
  t.teardown(() => {
    for (const { socket } of clients) socket.destroy()
  })
  const ask = async (path: string, localAddress: string) => {
    const client = await RawClient.connect({ port, host: '127.0.0.1', localAddress })
    clients.push(client)
    client.write(request(path))
    return client
  }
  const many = await Promise.all(
    Array.from({ length: greedy }, (_, n) => ask(`/missing-${n}`, '127.0.0.2')),
  )
  t.is(Number(await line()), share, 'the rest stands in line')
  const other = await ask('/cold', '127.0.0.1')
  t.is(Number(await line()), share + 1, 'another address asks at once')
  writeFileSync(site.path('go'), '')
  t.is((await other.read()).body.toString(), 'cold')
  for (const client of many) t.is((await client.read()).status, 404)
})

test('who stands in line gets 503 in time, and those who leave harm nobody', async (t) => {
  const site = makeSite(t, { 'in/cold': 'cold' })
  const { line } = runProgram(
    t,
    `const routes = { '/*': files(${JSON.stringify(site.path('in'))}) }
     const config = { listen: 0, workers: 1, timeouts: { head: '1s' }, routes }
     const gateway = await createGateway(config)
     const [{ port }] = await gateway.listen()
     console.log(port)
     const nothing = new Int32Array(new SharedArrayBuffer(4))
     const blockUntil = (done) => { while (!done()) Atomics.wait(nothing, 0, 0, 5) }
     const total = () => gateway.stats().total
     blockUntil(() => total().parked === 100)
     console.log('parked')
     blockUntil(() => total().parked === 0)
     console.log('none')`,
  )
  const port = Number(await line())
  const clients = await Promise.all(
    Array.from({ length: 100 }, () => RawClient.connect({ port, host: '127.0.0.1' })),
  )
  t.teardown(() => {
    for (const { socket } of clients) socket.destroy()
  })
  for (const [n, client] of clients.entries()) client.write(request(`/missing-${n}`))
  t.is(await line(), 'parked')
  for (const client of clients.slice(0, 90)) client.socket.destroy()
  for (const client of clients.slice(90)) t.is((await client.read()).status, 503)
  t.is(await line(), 'none')
  const after = await RawClient.connect({ port, host: '127.0.0.1' })
  clients.push(after)
  t.is((await after.ask(request('/cold'))).body.toString(), 'cold')
})
