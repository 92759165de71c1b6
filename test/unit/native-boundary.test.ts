// What TypeScript knows of the core without running it: the list of errors, where the addon lies,
// how addresses and listen errors read.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { generateErrorFiles, readErrors } from '../../scripts/generate-error-docs.ts'
import { addonCandidates, loadAddonFrom } from '../../src/native/addon.ts'
import { errorInfo, errors } from '../../src/native/errors.ts'
import { addressOf, ListenError } from '../../src/native/listening.ts'

for (const [path, text] of Object.entries(generateErrorFiles())) {
  test(`${path} agrees with native/core/errors.def`, (t) => {
    const written = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
    t.is(written, text, 'run: node scripts/generate-error-docs.ts')
  })
}

test('error names are the ones of the core', (t) => {
  t.deepEqual(
    Object.keys(errors),
    readErrors().map(({ name }) => name),
  )
  t.is(errorInfo('bad-host')?.status, 400)
  t.is(errorInfo('ENOENT'), undefined)
  t.is(errorInfo('constructor'), undefined)
})

test('SLUICE_ADDON is the only candidate when it is set', (t) => {
  t.deepEqual(addonCandidates({ SLUICE_ADDON: '/a/sluice.node' }), ['/a/sluice.node'])
  const [built, shipped] = addonCandidates({})
  t.true(built?.endsWith('/native/build/Release/sluice.node'))
  t.true(shipped?.endsWith(`/prebuilds/linux-${process.arch}/sluice.node`))
})

test('a missing addon is one line with the remedy', (t) => {
  const error = t.throws(() => loadAddonFrom(['/nowhere/sluice.node']), {
    code: 'ERR_SLUICE_ADDON',
  })
  t.regex(error.message, /^the native core is not built \(looked for .+\): run npm run build$/)
})

test('an addon that does not load is one line with the remedy', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'sluice.node')
  writeFileSync(path, 'not a library')
  const error = t.throws(() => loadAddonFrom(['/nowhere', path]), { code: 'ERR_SLUICE_ADDON' })
  t.regex(error.message, /^the native core does not load in Node v\S+ \(.+\): run npm run build$/)
})

test('addresses have the URL that a client on this machine uses', (t) => {
  const urlOf = (host: string) => addressOf({ kind: 'tcp', host, port: 80 }).url
  t.is(urlOf('127.0.0.1'), 'http://127.0.0.1:80')
  t.is(urlOf('0.0.0.0'), 'http://127.0.0.1:80')
  t.is(urlOf('::'), 'http://[::1]:80')
  t.is(addressOf({ kind: 'unix', path: '/run/a' }).url, 'unix:/run/a')
})

test('a listen error names the address', (t) => {
  const cause = Object.assign(new Error('bind: EADDRINUSE'), { code: 'EADDRINUSE' })
  const error = new ListenError([{ host: '::1', port: 80 }], cause)
  t.is(error.message, 'cannot listen on [::1]:80: the address is in use')
  t.is(error.code, 'ERR_SLUICE_LISTEN')
  t.is(error.errno, 'EADDRINUSE')
})
