// A thread that holds a gateway is terminated while questions arrive: the events could not be
// turned into objects any more, and that exception ended the whole process.

import test from 'ava'
import { runProgram } from '../support/program.ts'
import { makeSite } from '../support/site.ts'

test('a terminated thread takes its gateway with it and nothing else', async (t) => {
  const site = makeSite(t, { a: 'a' })
  const { exit, line } = runProgram(
    t,
    `import { connect } from 'node:net'
     import { isMainThread, parentPort, Worker } from 'node:worker_threads'
     if (isMainThread) {
       for (let cycle = 0; cycle < 30; cycle++) {
         const worker = new Worker(new URL(import.meta.url))
         const port = await new Promise((resolve) => worker.once('message', resolve))
         const client = connect(port, '127.0.0.1').on('error', () => {})
         for (let n = 0; n < 40; n++) client.write(\`GET /\${n} HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n\`)
         for (let n = 0; n < cycle; n++) await new Promise(setImmediate)
         await worker.terminate()
         client.destroy()
       }
       console.log('alive')
     } else {
       const routes = { '/*': files(${JSON.stringify(site.root)}) }
       const gateway = await createGateway({ listen: 0, workers: 1, routes })
       const [{ port }] = await gateway.listen()
       parentPort.postMessage(port)
     }`,
  )
  t.is(await line(), 'alive')
  t.is(await exit, 0)
})
