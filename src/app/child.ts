// How a process of ours is started beside the gateway: which Node, with what, so that it does not
// outlive a gateway that is killed. For the app and for relays.

import { spawnSync } from 'node:child_process'
import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'

/** The command and its arguments. */
export function childCommand(program: string): string[] {
  // Type stripping is experimental in the oldest Node that we support; it would say so each time.
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', program]
  return canDieWithParent() ? ['setpriv', '--pdeathsig', 'KILL', ...node] : node
}

let dieWithParent: boolean | undefined

// An app in an endless loop does not notice that its channel has ended; the kernel does. util-linux
// has a program for it, Alpine's busybox one of the same name that cannot.
function canDieWithParent(): boolean {
  dieWithParent ??=
    spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' }).status === 0
  return dieWithParent
}

// The cache of stripped sources (cli.ts).
export function childEnvironment(): NodeJS.ProcessEnv {
  const cache = getCompileCacheDir()
  return cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(cache) }
}
