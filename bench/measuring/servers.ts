// A server that is measured: what it is called, how it is configured and started, when it is ready.
// Missing ones are left out, with a line that names the Debian package.

import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { end, serverCore, startOn } from './quiet.ts'

/** Where a server may write, and on which port it listens. */
export interface Place {
  folder: string
  port: number
}

export interface ServerKind<P extends Place = Place> {
  name: string
  /** Debian package that has the command; undefined: comes with this repository. */
  package?: string
  command: string
  /** A list as `taskset -c` takes it; by default the one core of servers. */
  cores?: string
  /** Writes its configuration and returns the arguments. */
  configure(place: P): string[]
}

export interface RunningServer {
  name: string
  port: number
  pid: number
  stop(): Promise<void>
}

/** Those that can be started here. */
export function installed<P extends Place>(kinds: readonly ServerKind<P>[]): ServerKind<P>[] {
  return kinds.filter(({ name, command, package: debian }) => {
    if (debian === undefined || spawnSync('which', [command]).status === 0) return true
    console.error(`${name} is left out: apt-get install ${debian}`)
    return false
  })
}

/** Starts a server on its core and waits until it accepts. */
export async function start<P extends Place>(
  kind: ServerKind<P>,
  place: P,
  core: number = serverCore,
): Promise<RunningServer> {
  const folder = `${place.folder}/${kind.name.replaceAll(/\W+/g, '-')}-${place.port}`
  mkdirSync(folder, { recursive: true })
  const child = startOn(kind.cores ?? core, kind.command, kind.configure({ ...place, folder }))
  let output = ''
  child.stdout?.on('data', (chunk) => (output += chunk))
  child.stderr?.on('data', (chunk) => (output += chunk))
  await accepting(kind.name, place.port, child, () => output)
  return { name: kind.name, port: place.port, pid: child.pid ?? 0, stop: () => end(child) }
}

async function accepting(
  name: string,
  port: number,
  child: ChildProcess,
  output: () => string,
): Promise<void> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    if (await accepts(port)) return
    if (child.exitCode !== null || child.signalCode !== null) break
    await delay(20)
  }
  throw new Error(`${name} does not listen on port ${port}: ${output().trim()}`)
}

function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('connect', () => resolve(true))
  socket.on('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}

/** Debian's version of each server that comes from a package. */
export function versionsOf(kinds: readonly { package?: string }[]): Record<string, string> {
  const names = new Set(kinds.flatMap((kind) => kind.package ?? []))
  if (names.size === 0) return {}
  const listing = spawnSync('dpkg-query', ['-W', ...names], { encoding: 'utf8' }).stdout
  return Object.fromEntries(
    listing
      .trim()
      .split('\n')
      .map((line) => line.split('\t')),
  )
}

/** Of this repository. */
export function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim()
  const changed = git('status', '--porcelain', '--', 'native', 'src') !== ''
  return git('rev-parse', '--short', 'HEAD') + (changed ? ' with changes' : '')
}
