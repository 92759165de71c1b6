// `npm run test:image`: builds the image and runs test/image against it, without a Docker engine.
// The images that its Dockerfile begins from are made here, from Debian's packages and the Node of
// this repository, unless they are there already. Needs root, and these packages of Debian.

import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

process.chdir(new URL('..', import.meta.url).pathname)

const image = 'localhost/sluice'
const debianImage = 'docker.io/library/debian:trixie-slim'
const nodeImage = 'docker.io/library/node:24-trixie-slim'
const folder = '.cache/image'
const packages = ['podman', 'buildah', 'runc', 'debootstrap']

function run(command: string, args: string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status === 0) return
  console.error(`sluice: ${[command, ...args].join(' ')} failed${error ? `: ${error}` : ''}`)
  process.exit(1)
}

function output(command: string, args: string[]): string {
  const { stdout, status } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) process.exit(1)
  return stdout.trim()
}

function requirePackages(): void {
  const isThere = (name: string) => spawnSync(name, ['--version']).error === undefined
  const missing = packages.filter((name) => !isThere(name))
  if (missing.length === 0 && process.getuid?.() === 0) return
  const remedy = missing.length > 0 ? `apt-get install ${missing.join(' ')}` : 'run it as root'
  console.error(`sluice: the image cannot be tested here: ${remedy}`)
  process.exit(1)
}

function exists(name: string): boolean {
  return spawnSync('podman', ['image', 'exists', name]).status === 0
}

/** Debian 13 as its own image is: a base system and nothing else. */
function makeDebian(): void {
  if (exists(debianImage)) return
  const tree = join(folder, 'trixie')
  rmSync(tree, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  run('debootstrap', ['--variant=minbase', 'trixie', tree])
  const archives = '--exclude=./var/cache/apt/archives/*.deb'
  run('sh', ['-c', `tar -C "$0" ${archives} -c . | podman import - ${debianImage}`, tree])
}

/** The same with Node and npm, as the image of Node is; it trusts whom this machine trusts. */
function makeNode(): void {
  if (exists(nodeImage)) return
  const tree = join(folder, 'node')
  rmSync(tree, { recursive: true, force: true })
  const add = (path: string) => {
    const to = join(tree, path)
    mkdirSync(dirname(to), { recursive: true })
    return to
  }
  cpSync(`node_modules/node-linux-${process.arch}/bin/node`, add('usr/local/bin/node'))
  cpSync(npmFolder(), add('usr/local/lib/node_modules/npm'), { recursive: true })
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', add('usr/local/bin/npm'))
  const authorities = 'etc/ssl/certs/ca-certificates.crt'
  if (existsSync(`/${authorities}`)) {
    cpSync(realpathSync(`/${authorities}`), add(authorities))
    writeFileSync(add('usr/local/etc/npmrc'), `cafile=/${authorities}\n`)
  }
  const container = output('buildah', ['from', '--pull-never', debianImage])
  run('buildah', ['add', '--quiet', container, tree, '/'])
  run('buildah', ['commit', '--quiet', '--rm', '--format', 'docker', container, nodeImage])
}

function npmFolder(): string {
  const folders = (process.env.PATH ?? '').split(':')
  const npm = folders.map((path) => join(path, 'npm')).find(existsSync) ?? ''
  return dirname(dirname(realpathSync(npm)))
}

requirePackages()
makeDebian()
makeNode()
if (!process.argv.includes('--no-build')) {
  const how = ['--format', 'docker', '--runtime', '/usr/sbin/runc', '--network', 'host']
  run('buildah', [
    ...['bud', ...how, '--pull-never', '--layers'],
    ...['-f', 'docker/Dockerfile', '-t', image, '.'],
  ])
}
const files = globSync('test/image/*.test.ts')
const { status } = spawnSync('node_modules/.bin/ava', ['--timeout=5m', '--serial', ...files], {
  stdio: 'inherit',
  env: { ...process.env, SLUICE_IMAGE: image },
})
process.exitCode = status ?? 1
