// Listeners: what once deleted a stranger's file, and what once blamed every listener for one.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { createGateway } from '../../src/gateway.ts'
import { respond } from '../../src/index.ts'
import { startGateway } from '../support/gateway.ts'
import { makeFolder, makeSite } from '../support/site.ts'

const routes = { '/*': respond(200, 'ok') } as const

test('a file where the unix socket should be is left alone', async (t) => {
  const site = makeSite(t, { precious: 'kept' })
  const path = join(site.root, 'precious')
  const gateway = await createGateway({ listen: { path }, routes })
  await t.throwsAsync(gateway.listen(), { code: 'ERR_SLUICE_LISTEN' })
  t.is(readFileSync(path, 'utf8'), 'kept')
})

test('the message names the listener that failed and no other', async (t) => {
  const { addresses } = await startGateway(t, { routes })
  const taken = addresses[0]?.kind === 'tcp' ? addresses[0].port : 0
  const path = join(makeFolder(t), 'socket')
  const gateway = await createGateway({ listen: [0, { port: taken }, { path }], routes })
  await t.throwsAsync(gateway.listen(), {
    message: `cannot listen on 127.0.0.1:${taken}: the address is in use`,
  })
  t.false(existsSync(path), 'nothing is left behind')
})
