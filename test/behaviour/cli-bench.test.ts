// sluice bench, as somebody runs it: every way of moving bytes really served as it says, nothing
// left behind, and arguments that make no sense.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { sluice } from '../support/command-line.ts'
import { makeFolder } from '../support/site.ts'

test('measures each engine and its twin, recommends settings, writes a page', async (t) => {
  const folder = makeFolder(t)
  const page = join(makeFolder(t), 'report.html')
  const args = ['--sizes', '1kb,256kb,2mb', '--quick', '--dir', folder, '--html', page]
  const { code, stdout, stderr } = await sluice(t, ['bench', ...args])
  t.is(code, 0, stderr)
  const [files = '', proxy = ''] = stdout.split('Answers of a target, forwarded')
  for (const way of ['memory', 'sendfile', 'copy by 64 KiB', 'copy by 1024 KiB']) {
    t.regex(files, new RegExp(`256 KiB  ${way} +\\d`), way)
  }
  t.notRegex(files, /served by/)
  t.regex(proxy, /2 MiB {2}splice by 64 KiB +\d/)
  t.regex(proxy, /2 MiB {2}copy +\d/)
  // So little comes whole with its head that nothing of it can be spliced.
  t.regex(proxy, /1 KiB {2}splice by 64 KiB \(served by copy\)/)
  t.regex(stdout, /^transfer: \{\n(?: {2}\w+: .+,\n)+\},/m)
  t.regex(readFileSync(page, 'utf8'), /<svg [\s\S]*<polyline [\s\S]*sendfile[\s\S]*<\/html>/)
  t.deepEqual(readdirSync(folder), [])
})

test('arguments that make no sense', async (t) => {
  const said = async (...args: string[]) => {
    const { code, stderr } = await sluice(t, ['bench', ...args])
    return [code, stderr.split('\n')[0]]
  }
  const wrongSize = "sluice: --sizes: '3 tons' is no size from 1b to 16gb, such as 64kb"
  t.deepEqual(await said('--sizes', '1kb,3 tons'), [2, wrongSize])
  t.deepEqual(await said('--only', 'tape'), [2, "sluice: --only is 'files' or 'proxy', not 'tape'"])
  const [status, message] = await said('--dir', '/no/such/place')
  t.is(status, 2)
  t.regex(String(message), /^sluice: --dir: ENOENT/)
})
