// `npm run check`: formatting, lint, types, and the tidy tests (layering and style) in one go.
// `npm run fix` (--fix) repairs what a formatter can. Everything runs even when one step fails,
// so that all findings are seen at once.

import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

process.chdir(new URL('..', import.meta.url).pathname)

const cppFiles = ['native', 'test/native', 'test/fuzz', 'bench/native']
  .flatMap((folder) => globSync(`${folder}/**/*.{cc,h}`))
  .filter((path) => !path.startsWith('native/build'))
  .sort()

function run(name: string, command: string, args: string[]): boolean {
  console.log(`── ${name}`)
  const { error, status } = spawnSync(command, args, { stdio: 'inherit' })
  if (error && 'code' in error && error.code === 'ENOENT') {
    console.error(`sluice: ${name} needs ${command}: apt-get install ${command}`)
  }
  return status === 0
}

const biome = `node_modules/@biomejs/cli-linux-${process.arch}/biome`

function tool(name: string): string {
  return `node_modules/.bin/${name}`
}

const fix = process.argv.includes('--fix')
const results = fix
  ? [
      run('biome', biome, ['check', '--write', '.']),
      run('clang-format', 'clang-format', ['-i', ...cppFiles]),
    ]
  : [
      run('biome', biome, ['check', '--error-on-warnings', '.']),
      run('clang-format', 'clang-format', ['--dry-run', '-Werror', ...cppFiles]),
      run('types', tool('tsc'), ['-p', 'tsconfig.json']),
      run('layering and style', tool('ava'), globSync('test/tidy/*.test.ts')),
    ]

process.exitCode = results.every(Boolean) ? 0 : 1
