// `npm run fuzz -- <target> [seconds]`: coverage-guided fuzzing of test/fuzz/<target>_fuzz.cc with
// clang's libFuzzer, AddressSanitizer and UBSan. Starts from test/fuzz/corpus/<target>; what it
// finds stays in .cache/fuzz/<target>, a crash in .cache/fuzz/<target>-crash-….
// Copy what is worth keeping into the corpus: `npm test` replays it for ever after.

import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync } from 'node:fs'

process.chdir(new URL('..', import.meta.url).pathname)

function targets(): string[] {
  return globSync('test/fuzz/*_fuzz.cc').map((path) => path.slice(10, -'_fuzz.cc'.length))
}

function main([target, seconds = '60']: string[]): number {
  if (!target || !targets().includes(target)) {
    console.error(`usage: npm run fuzz -- <target> [seconds]; targets: ${targets().join(', ')}`)
    return 2
  }
  const build = ['scripts/build-native.mjs', '--build', '--configuration=Fuzz', `${target}_fuzz`]
  if (spawnSync(process.execPath, build, { stdio: 'inherit' }).status !== 0) return 1
  const found = `.cache/fuzz/${target}`
  mkdirSync(found, { recursive: true })
  const seeds = `test/fuzz/corpus/${target}`
  const dictionary = `test/fuzz/${target}.dict`
  const args = [`-max_total_time=${seconds}`, `-artifact_prefix=${found}-`, '-timeout=10', found]
  if (existsSync(seeds)) args.push(seeds)
  if (existsSync(dictionary)) args.push(`-dict=${dictionary}`)
  return spawnSync(`native/build/Fuzz/${target}_fuzz`, args, { stdio: 'inherit' }).status ?? 1
}

process.exitCode = main(process.argv.slice(2))
