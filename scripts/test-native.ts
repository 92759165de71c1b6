// `npm run test:native [-- substring …]`: builds the C++ unit tests and runs those whose name or
// file contains one of the substrings. `--asan` and `--tsan` choose the sanitizer.
// The quickest loop while working on the core.

import { spawnSync } from 'node:child_process'

process.chdir(new URL('..', import.meta.url).pathname)

const args = process.argv.slice(2)
let configuration = 'Release'
if (args.includes('--asan')) configuration = 'Asan'
if (args.includes('--tsan')) configuration = 'Tsan'
const names = args.filter((arg) => !arg.startsWith('--'))
const build = ['scripts/build-native.mjs', '--build', `--configuration=${configuration}`]

function run(command: string, rest: string[]): void {
  const { status } = spawnSync(command, rest, { stdio: 'inherit' })
  if (status !== 0) process.exit(1)
}

run(process.execPath, [...build, 'unit_tests'])
run(`native/build/${configuration}/unit_tests`, names)
