// Remembered absences were bounded in number, not in bytes: long missing paths took a gigabyte.

import test from 'ava'
import { files } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { makeSite } from '../support/site.ts'

test('a long path weighs as much as many short ones', async (t) => {
  const site = makeSite(t)
  const { connect, gateway } = await startGateway(t, {
    cache: { answers: 64 },
    routes: { '/*': files(site.root) },
  })
  const client = await connect()
  for (let n = 0; n < 20; n++) {
    const target = `/${'directory-with-a-long-name/'.repeat(75)}${n}`
    t.is((await client.ask(request(target))).status, 404)
  }
  const { answers } = gateway.stats().cache
  t.true(answers > 0 && answers <= 8, `${answers} answers of 2,000 bytes each`)
})
