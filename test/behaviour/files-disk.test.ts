// Roots whose files are not handed to sendfile. What happens on a file system that hangs is tested
// in test/native/worker/worker_remote_test.cc, which can pretend to be one.

import test from 'ava'
import { files } from '../../src/index.ts'
import { startGateway } from '../support/gateway.ts'
import { makeSite, patternBytes } from '../support/site.ts'

test('sendfile: false copies the large files of a root, and of no other', async (t) => {
  const large = patternBytes(100_000)
  const site = makeSite(t, { large, small: 'small' })
  const { get, engineBytes, log } = await startGateway(t, {
    routes: { '/*': files(site.root), '/shared/*': files(site.root, { sendfile: false }) },
  })
  t.true((await get('/shared/large')).body.equals(large))
  t.deepEqual(engineBytes(), { copy: 100_000 })
  t.is((await get('/shared/small')).body.toString(), 'small')
  t.true((await get('/large')).body.equals(large))
  t.deepEqual(engineBytes(), { copy: 100_000, memory: 5, sendfile: 100_000 })
  t.false(log.some(({ code }) => code === 'remote-file-system'))
})
