// The image in a container, without a Docker engine: podman with runc, on the network of this
// machine. `npm run test:image` builds it first (scripts/test-image.ts).

import { execFile, spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'

const run = promisify(execFile)
const image = process.env.SLUICE_IMAGE ?? 'localhost/sluice'
const podman = ['--runtime', '/usr/sbin/runc']
// Resource limits of the machine that runs the tests may be lower than podman's defaults.
const limits = ['--ulimit', 'nofile=20000:20000', '--ulimit', 'nproc=8192:8192']
const place = ['--network', 'host', '--pull=never', '--no-healthcheck', ...limits]
/** As docs/DEPLOYMENT.md recommends. */
const confined = ['--read-only', '--read-only-tmpfs=false', '--cap-drop', 'ALL']
const unprivileged = [...confined, '--security-opt', 'no-new-privileges']

export interface Container {
  /** Lines that it printed when it was ready. */
  ready: string[]
  stderr(): string
  /** Runs a command in it; its standard output. */
  exec(...command: string[]): Promise<string>
  /** Exit code after a signal. */
  end(signal: string): Promise<number>
}

export interface ContainerOptions {
  /** Folder of the configuration. */
  folder: string
  /** More options of podman run. */
  options?: string[]
  /** How many listeners say that they are ready. */
  listeners: number
}

let last = 0

export async function startContainer(
  t: ExecutionContext,
  { folder, options = [], listeners }: ContainerOptions,
): Promise<Container> {
  const name = `sluice-test-${process.pid}-${++last}`
  const mounts = ['-v', `${folder}:/etc/sluice:ro`]
  const args = ['run', '--rm', '--name', name, ...place, ...unprivileged, ...mounts, ...options]
  const child = spawn('podman', [...podman, ...args, image], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => void spawnSync('podman', [...podman, 'rm', '--force', name]))
  const exit = new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? -1)))
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ready: string[] = []
  while (ready.length < listeners) {
    const { value, done } = await lines.next()
    if (done) throw new Error(`the container ended with ${await exit}: ${stderr}`)
    ready.push(value)
  }
  const exec = async (...command: string[]) => {
    const { stdout } = await run('podman', [...podman, 'exec', name, ...command])
    return stdout
  }
  const end = async (signal: string) => {
    await run('podman', [...podman, 'kill', '--signal', signal, name])
    return exit
  }
  return { ready, stderr: () => stderr, exec, end }
}
