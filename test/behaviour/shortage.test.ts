// A process that has few descriptors: files are still served, connections still taken, because the
// cache gives up some of its own. Runs in a process of its own, which has the limit from its shell.

import { RawClient, request } from '../support/client.ts'
import { testOnBothTwins } from '../support/gateway.ts'
import { runProgram } from '../support/program.ts'
import { makeSite, patternBytes } from '../support/site.ts'
import { until } from '../support/wait.ts'

testOnBothTwins('more files than descriptors', async (t, transfer) => {
  const content = patternBytes(20_000)
  const names = Array.from({ length: 200 }, (_, n) => `f${n}`)
  const site = makeSite(t, Object.fromEntries(names.map((name) => [name, content])))
  const { line } = runProgram(
    t,
    `const routes = { '/*': files(${JSON.stringify(site.root)}) }
     const logger = { debug() {}, info() {}, warn() {}, error: console.error }
     const config = { listen: 0, workers: 1, transfer: '${transfer}', routes }
     const gateway = await createGateway(config, { logger })
     const [{ port }] = await gateway.listen()
     console.log(port)`,
    '-n 100',
  )
  const port = Number(await line())
  const clients: RawClient[] = []
  t.teardown(() => {
    for (const { socket } of clients) socket.destroy()
  })
  for (const name of names) {
    const client = await RawClient.connect({ port })
    clients.push(client)
    if (clients.length > 10) clients.shift()?.socket.destroy()
    await until(`${name} to be served`, async () => {
      const reply = await client.ask(request(`/${name}`))
      t.true(reply.status === 200 ? reply.body.equals(content) : reply.status === 503)
      return reply.status === 200
    })
  }
})
