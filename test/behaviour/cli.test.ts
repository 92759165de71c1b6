// The command line as a person meets it: help, mistakes, checking, printing, exit codes.

import { spawnSync } from 'node:child_process'
import { closeSync, openSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { isPassword } from '../../src/app/password.ts'
import { sluice, sluicePath } from '../support/command-line.ts'
import { makeSite } from '../support/site.ts'

const config = `import { defineGateway, files, redirect, respond } from 'sluice'
console.log('evaluating')
export default defineGateway({
  listen: [0, { path: 'socket' }],
  routes: {
    '/*': files('site'),
    'GET /healthz': respond(200, 'ok'),
    '/image': respond(200, new Uint8Array([255, 254])),
    '/old/*': redirect(308, '/new$rest'),
  },
})
`
const site = { 'gateway.config.ts': config, 'site/index.html': '<p>' }

test('help lists every command', async (t) => {
  const { code, stdout } = await sluice(t, ['--help'])
  t.is(code, 0)
  for (const name of ['run', 'check', 'print', 'explain', 'serve', 'doctor']) {
    t.regex(stdout, new RegExp(`^  ${name} `, 'm'))
  }
  const { stdout: own } = await sluice(t, ['help', 'serve'])
  t.regex(own, /^Usage: sluice serve \[DIR\] \[OPTIONS\]\n/)
  t.is((await sluice(t, ['serve', '--help', '--whatever', 'else', 'too'])).code, 2)
  t.is((await sluice(t, ['serve', 'one', 'two', '--help'])).stdout, own)
})

test('the version', async (t) => {
  const { code, stdout } = await sluice(t, ['--version'])
  t.is(code, 0)
  t.regex(stdout, /^sluice \d+\.\d+\.\d+\n$/)
})

test('mistakes are one line with a suggestion, and exit with 2', async (t) => {
  const cases: [string[], RegExp][] = [
    [['serv'], /unknown command 'serv'; did you mean 'serve'\?/],
    [['--confg=x'], /unknown option '--confg'; did you mean '--config'\?/],
    [['check', '--config-timeout', 'soon'], /--config-timeout needs a duration/],
    [['serve', '/no/such/place', '--port', 'x'], /--port: expected a whole .*; DIR: no such dir/],
  ]
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await sluice(t, args)
    t.is(code, 2, args.join(' '))
    t.is(stdout, '')
    t.regex(stderr, expected)
    t.is(stderr.trim().split('\n').length, 2)
  }
})

test('a configuration that is fine', async (t) => {
  const { root } = makeSite(t, site)
  const { code, stdout } = await sluice(t, ['check'], { cwd: root })
  t.is(code, 0)
  t.regex(stdout, /^configuration is fine: 4 routes, 2 listeners, \d+ workers? \(.*config\.ts\)\n$/)
})

test('the configuration of the repository is fine and finds the example', async (t) => {
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  t.is((await sluice(t, ['check'], { cwd })).code, 0)
  const { stdout } = await sluice(t, ['explain', '/docs/'], { cwd })
  t.regex(stdout, /file +.*\/examples\/site\/docs\/index\.html$/m)
})

test('a configuration with mistakes: all of them, exit code 2', async (t) => {
  const { root } = makeSite(t, {
    'gateway.config.ts': `import { files, respond } from 'sluice'
      export default { worker: 2, routes: { '/a': files('x'), 'GTE /b': respond(200) } }`,
  })
  for (const command of ['check', 'print', 'run']) {
    const { code, stdout, stderr } = await sluice(t, [command], { cwd: root })
    t.is(code, 2, command)
    t.is(stdout, '')
    t.regex(stderr, /^sluice: .*gateway\.config\.ts has 4 problems\n/)
    t.regex(stderr, /worker: unknown option; did you mean 'workers'\?/)
    t.regex(stderr, /routes\["\/a"\]\.files: the key must end in '\*'/)
    t.regex(stderr, /routes\["\/a"\]\.files\.root: no such directory/)
    t.regex(stderr, /routes\["GTE \/b"\]: unknown method 'GTE'; did you mean 'GET'\?/)
  }
})

test('a configuration that hangs or throws is an error with a line, exit code 2', async (t) => {
  const { root } = makeSite(t, {
    'hanging.ts': '\nwhile (true) {}\nexport default 1',
    'throwing.ts': "\nthrow new RangeError('no')",
  })
  const hanging = ['check', '--config', join(root, 'hanging.ts'), '--config-timeout', '3s']
  const gaveUp = await sluice(t, hanging)
  t.is(gaveUp.code, 2)
  t.regex(gaveUp.stderr, /hanging\.ts: line 2: still running here after 3s/)
  const thrown = await sluice(t, ['--config', join(root, 'throwing.ts')])
  t.is(thrown.code, 2)
  t.regex(thrown.stderr, /throwing\.ts: line 2: RangeError: no\n$/)
})

test('no configuration is said, with the way to name one', async (t) => {
  const { root } = makeSite(t)
  const { code, stderr } = await sluice(t, [], { cwd: root })
  t.is(code, 2)
  t.regex(stderr, /no gateway\.config\.ts in .*--config/)
})

test('print is JSON whatever the configuration itself prints', async (t) => {
  const { root, path } = makeSite(t, site)
  const { code, stdout, stderr } = await sluice(t, ['print'], { cwd: root })
  t.is(code, 0)
  t.is(stderr, 'evaluating\n')
  const printed = JSON.parse(stdout)
  t.like(printed.listen, [{ port: 0 }, { path: path('socket') }])
  const actions = printed.routes.map((route: { action: unknown }) => route.action)
  t.like(actions[0], { kind: 'files', root: path('site'), index: ['index.html'] })
  t.like(actions[1], { status: 200, body: 'ok' })
  t.deepEqual(actions[2].body, { bytes: 2 })
})

test('bin/sluice works from any directory and through a symbolic link', async (t) => {
  const { root, path } = makeSite(t, site)
  symlinkSync(sluicePath, path('linked'))
  const { code, stdout } = await sluice(t, ['check'], { cwd: root, path: path('linked') })
  t.is(code, 0)
  t.regex(stdout, /^configuration is fine/)
})

test('doctor looks at the machine; without the core it fails', async (t) => {
  const fine = await sluice(t, ['doctor'])
  t.is(fine.code, 0)
  t.regex(fine.stdout, /node +v\d+/)
  t.regex(fine.stdout, /core +\w+ build, \d+ usable CPU/)
  t.regex(fine.stdout, /sendfile +(yes|no)/)
  t.regex(fine.stdout, /open files +\w+/)
  const broken = await sluice(t, ['doctor'], { env: { SLUICE_ADDON: '/no/such.node' } })
  t.is(broken.code, 1)
  t.regex(broken.stdout, /the native core is not built/)
  t.regex(broken.stdout, /cannot run here/)
})

test('output that cannot be written is exit code 1', async (t) => {
  const { path } = makeSite(t, site)
  const full = openSync('/dev/full', 'w')
  t.teardown(() => closeSync(full))
  const args = ['print', '--config', path('gateway.config.ts')]
  const { status, stderr } = spawnSync(sluicePath, args, {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  })
  t.is(status, 1)
  t.regex(stderr, /^sluice: standard output cannot be written: ENOSPC/m)
})

test('hash-password prints a hash of what it reads, and takes no arguments', async (t) => {
  const hash = spawnSync(sluicePath, ['hash-password'], {
    input: 'correct horse\n',
    encoding: 'utf8',
  })
  t.is(hash.status, 0)
  const [line = ''] = hash.stdout.split('\n')
  t.true(await isPassword('correct horse', line))
  t.is(spawnSync(sluicePath, ['hash-password'], { input: '' }).status, 2)
  t.is((await sluice(t, ['hash-password', 'secret'])).code, 2)
})
