// On a machine for which the package ships no addon, installing it builds one from the sources in
// the package: they must be complete without the rest of the repository. A minute of compiling.

import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'

const run = promisify(execFile)
const root = new URL('../..', import.meta.url).pathname

test('a package without a shipped addon builds its own at install', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-from-source-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const project = join(folder, 'project')
  const installed = join(project, 'node_modules', 'sluice')
  const outside = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))
  const env: NodeJS.ProcessEnv = Object.fromEntries(outside)
  env.PATH = `${dirname(process.execPath)}:${process.env.PATH}`

  await run('npm', ['pack', '--pack-destination', folder], { cwd: root, env })
  const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  await mkdir(project)
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n')
  const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund']
  await run('npm', ['install', ...options, join(folder, tarball)], { cwd: project, env })
  rmSync(join(installed, 'prebuilds'), { recursive: true })

  await run(process.execPath, ['scripts/build-native.mjs'], { cwd: installed, env })

  t.true(existsSync(join(installed, 'native/build/Release/sluice.node')))
  await t.notThrowsAsync(run(join(project, 'node_modules/.bin/sluice'), ['doctor'], { env }))
})
