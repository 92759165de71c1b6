// The package as a user gets it: packed, installed into an empty project, run by its command.
// Needs npm, and the dependencies from npm's cache or a registry.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { inTheBackground, until } from '../support/wait.ts'

const run = promisify(execFile)
const root = new URL('../..', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'sluice-package-'))
const project = join(folder, 'project')
const installed = join(project, 'node_modules', 'sluice')
const command = join(project, 'node_modules', '.bin', 'sluice')

/** As in a user's shell: this Node first, nothing of the npm that runs the tests. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_')),
)
env.PATH = `${dirname(process.execPath)}:${process.env.PATH}`

test.before('pack and install', async (t) => {
  t.timeout(300_000)
  await run('npm', ['pack', '--pack-destination', folder], { cwd: root, env })
  const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  await mkdir(project)
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n')
  const options = ['--prefer-offline', '--no-audit', '--no-fund']
  await run('npm', ['install', ...options, join(folder, tarball)], { cwd: project, env })
})

test.after.always(() => {
  rmSync(folder, { recursive: true, force: true })
})

test('the package holds what it needs and nothing else', (t) => {
  const names = readdirSync(installed).sort()
  const expected = ['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'native']
  t.deepEqual(names, [...expected, 'package.json', 'prebuilds', 'scripts'])
  const native = readdirSync(join(installed, 'native'))
  t.false(native.includes('build'), 'the shipped addon is used, nothing is built')
})

test('the command names its version', async (t) => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const { stdout } = await run(command, ['--version'], { cwd: folder, env })
  t.true(stdout.includes(version), stdout)
})

test('the command works through a symbolic link from another directory', async (t) => {
  const link = join(folder, 'linked')
  symlinkSync(command, link)
  await t.notThrowsAsync(run(link, ['--help'], { cwd: tmpdir(), env }))
})

test('the installed command serves a file and ends on SIGTERM', async (t) => {
  t.timeout(60_000)
  const site = join(folder, 'site')
  await mkdir(site)
  writeFileSync(join(site, 'hello.txt'), 'hello\n')
  const { address, child } = await start(t, 'serve', site, '--port', '0')
  const response = await fetch(`${address}/hello.txt`)
  t.is(await response.text(), 'hello\n')
  t.is(response.headers.get('content-type'), 'text/plain; charset=utf-8')
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  t.deepEqual(await exit, [0, null])
})

test('the installed command compresses files', async (t) => {
  t.timeout(60_000)
  const compressing = join(folder, 'compressing')
  await mkdir(compressing)
  const text = 'a line of text\n'.repeat(1000)
  writeFileSync(join(compressing, 'a.txt'), text)
  utimesSync(join(compressing, 'a.txt'), 1, 1)
  const config = join(project, 'compressing.config.ts')
  const routes = `{ '/*': files(${JSON.stringify(compressing)}, { compress: true }) }`
  writeFileSync(
    config,
    `import { defineGateway, files } from 'sluice'
export default defineGateway({ listen: 0, routes: ${routes} })
`,
  )
  const { address, child } = await start(t, 'run', '--config', config)
  await until(
    'an encoding',
    async () => {
      const response = await fetch(`${address}/a.txt`, { headers: { 'Accept-Encoding': 'br' } })
      t.is(await response.text(), text)
      return response.headers.get('content-encoding') === 'br'
    },
    inTheBackground,
  )
  child.kill('SIGTERM')
})

test('the installed command runs handlers, from a configuration in TypeScript', async (t) => {
  t.timeout(60_000)
  const file = join(project, 'handlers.config.ts')
  writeFileSync(
    file,
    `import { defineGateway, handler } from 'sluice'
export default defineGateway({
  listen: 0,
  routes: { '/:name': handler((_request, { params }) => new Response(\`hello \${params.name}\`)) },
})
`,
  )
  const { address, child } = await start(t, 'run', '--config', file)
  t.is(await (await fetch(`${address}/you`)).text(), 'hello you')
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  t.deepEqual(await exit, [0, null])
})

/** Runs the installed command until it listens; killed after the test. */
async function start(t: ExecutionContext, ...argv: string[]) {
  const child = spawn(command, argv, { cwd: project, env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  for await (const line of createInterface({ input: child.stdout })) {
    const address = /listening on (http:\S+)/.exec(line)?.[1]
    if (address) return { address, child }
  }
  throw new Error('it ended before it listened')
}

test('a configuration in the project type-checks against the package', async (t) => {
  t.timeout(60_000)
  const config = join(project, 'gateway.config.ts')
  writeFileSync(
    config,
    `import { defineGateway, files, respond } from 'sluice'
export default defineGateway({
  listen: 0,
  routes: { '/*': files('public'), 'GET /healthz': respond(200, 'ok') },
})
`,
  )
  const types = join(root, 'node_modules/@types')
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024']
  const tsc = join(root, 'node_modules/.bin/tsc')
  const argv = [...options, '--typeRoots', types, '--types', 'node', '--ignoreConfig', config]
  await t.notThrowsAsync(run(tsc, argv, { cwd: project, env }))
})

test('an older Node is told so in one line', async (t) => {
  const fake = join(folder, 'fake')
  await mkdir(fake)
  writeFileSync(join(fake, 'node'), '#!/bin/sh\necho v20.19.0\n', { mode: 0o755 })
  const failure = await t.throwsAsync(
    run(command, ['--version'], { env: { ...env, PATH: `${fake}:/usr/bin:/bin` } }),
  )
  const { code, stderr } = failure as Error & { code: number; stderr: string }
  t.is(code, 1)
  t.regex(stderr, /^sluice: needs Node 22\.20.*v20\.19\.0\n$/)
})
