// Before `npm pack`: compiles src/ to dist/ and puts the addon, without debug information, where
// the package ships it (prebuilds/linux-<cpu>/), since a dependency's install script may not run.
// Never run at install.

import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'

process.chdir(new URL('..', import.meta.url).pathname)

function run(command: string, args: string[]): void {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 2, 2] })
  if (status !== 0) process.exit(1)
}

const prebuilds = `prebuilds/linux-${process.arch}`
rmSync('dist', { recursive: true, force: true })
mkdirSync(prebuilds, { recursive: true })
run('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'])
run(process.execPath, ['scripts/build-native.mjs', '--build'])
run('strip', ['-g', '-o', `${prebuilds}/sluice.node`, 'native/build/Release/sluice.node'])
