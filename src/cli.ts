// The program that bin/sluice starts. Exit codes: 0 fine, 1 failed at run time, 2 bad usage or bad
// configuration. Everything else is in cli/, imported once the cache of stripped sources is there:
// in a checkout most of the time to the first line went into stripping types.

import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

if (import.meta.url.endsWith('.ts')) {
  enableCompileCache(fileURLToPath(new URL('../.cache/compiled', import.meta.url)))
}

const { main } = await import('./cli/main.ts')
process.exitCode = await main(process.argv.slice(2))
