// `npm run test:ktls`: boots Debian's kernel, which has kTLS, in an emulated machine, and runs
// test/ktls/inside.ts there. Not part of the usual tests: it needs qemu, a kernel of 60 MB and a
// minute. Nothing of the machine outlives it but its parts in .cache/ktls.
//
//   apt-get install --no-install-recommends qemu-system-x86 busybox-static cpio

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

const root = new URL('..', import.meta.url).pathname
const cache = join(root, '.cache/ktls')
const image = join(cache, 'root')

/** What encrypts with AES-GCM, and kTLS; each needs those before it. */
const modules = [
  'crypto/gf128mul',
  'crypto/ghash-generic',
  'crypto/ctr',
  'crypto/gcm',
  'net/tls/tls',
]

/** Debian's kernel as files, from the package that `linux-image-amd64` stands for. */
function fetchKernel(): { kernel: string; folder: string } {
  const unpacked = join(cache, 'kernel')
  if (!existsSync(unpacked)) {
    const dependencies = execFileSync('apt-cache', ['depends', 'linux-image-amd64'], text)
    const name = /Depends: (linux-image-\S+)/.exec(dependencies)?.[1]
    if (name === undefined) throw new Error('apt knows no linux-image-amd64: apt-get update')
    const file = execFileSync('sh', ['-c', `apt-get download ${name} >&2 && ls *.deb`], {
      ...text,
      cwd: cache,
    }).trim()
    execFileSync('dpkg-deb', ['-x', join(cache, file), unpacked])
    rmSync(join(cache, file))
  }
  const boot = join(unpacked, 'boot')
  const kernel = readdirSync(boot).find((name) => name.startsWith('vmlinuz-'))
  if (kernel === undefined) throw new Error(`no kernel in ${boot}`)
  const version = kernel.slice('vmlinuz-'.length)
  const folder = ['lib/modules', 'usr/lib/modules']
    .map((name) => join(unpacked, name, version, 'kernel'))
    .find(existsSync)
  if (folder === undefined) throw new Error('the kernel has no modules')
  return { kernel: join(boot, kernel), folder }
}

const text = { encoding: 'utf8' } as const

/** Copies a program with the libraries that it needs, under the names that it has here. */
function addProgram(from: string, to: string): void {
  copyFileSync(from, join(image, to))
  // A static program has none, and ldd fails on it.
  const libraries = (spawnSync('ldd', [from], text).stdout ?? '').matchAll(/(\/\S+) \(0x/g)
  for (const [, library = ''] of libraries) {
    mkdirSync(join(image, dirname(library)), { recursive: true })
    copyFileSync(library, join(image, library))
  }
}

/** Packages that a running gateway needs. */
function packages(): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  return Object.entries<{ dev?: boolean; optional?: boolean; link?: boolean }>(packages)
    .filter(([path, { dev, optional, link }]) => {
      return path.startsWith('node_modules/') && !dev && !optional && !link
    })
    .map(([path]) => path)
    .filter((path) => existsSync(join(root, path)))
}

const init = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t tmpfs tmp /tmp
/bin/busybox ip link set lo up
for module in /modules/*; do
  /bin/busybox insmod $module || echo "$module does not load"
done
cd /app && /bin/node test/ktls/inside.ts
/bin/busybox poweroff -f
`

/** Unpacked, under names that have their order. */
function addModules(folder: string): void {
  for (const [index, name] of modules.entries()) {
    const [file = ''] = globSync(`${join(folder, name)}.ko*`)
    const to = join(image, 'modules', `${index}-${basename(name)}.ko`)
    const unpack = file.endsWith('.xz') ? 'xz -dc' : 'cat'
    execFileSync('sh', ['-c', `${unpack} < "$0" > "$1"`, file, to])
  }
}

function makeImage(folder: string): string {
  rmSync(image, { recursive: true, force: true })
  for (const name of ['bin', 'proc', 'sys', 'dev', 'tmp', 'modules', 'app/native/build/Release']) {
    mkdirSync(join(image, name), { recursive: true })
  }
  addProgram('/bin/busybox', 'bin/busybox')
  addProgram(join(root, `node_modules/node-linux-${process.arch}/bin/node`), 'bin/node')
  addProgram(join(root, 'native/build/Release/sluice.node'), 'app/native/build/Release/sluice.node')
  execFileSync('strip', [
    join(image, 'bin/node'),
    join(image, 'app/native/build/Release/sluice.node'),
  ])
  addModules(folder)
  const parts = ['package.json', 'src', 'test/ktls', 'test/fixtures/tls', ...packages()]
  for (const part of parts) {
    cpSync(join(root, part), join(image, 'app', part), { recursive: true })
  }
  writeFileSync(join(image, 'init'), init, { mode: 0o755 })
  const file = join(cache, 'initramfs.gz')
  execFileSync('sh', ['-c', `find . | cpio -o -H newc --quiet | gzip -1 > ${file}`], { cwd: image })
  return file
}

/** Passes on what the machine says; whether its last word is good. */
async function boot(kernel: string, initramfs: string): Promise<boolean> {
  const machine = ['-m', '1500', '-cpu', 'max', '-nographic', '-no-reboot', '-nodefaults']
  const parts = ['-kernel', kernel, '-initrd', initramfs, '-serial', 'stdio']
  const child = spawn(
    'qemu-system-x86_64',
    [...machine, ...parts, '-append', 'console=ttyS0 quiet panic=-1'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let said = ''
  const patience = setTimeout(() => child.kill('SIGKILL'), 10 * 60_000)
  child.stdout.on('data', (bytes: Buffer) => {
    said += bytes
    process.stdout.write(bytes)
  })
  await new Promise((resolve, reject) => child.on('exit', resolve).on('error', reject))
  clearTimeout(patience)
  return said.includes('KTLS: all passed')
}

mkdirSync(cache, { recursive: true })
const { kernel, folder } = fetchKernel()
console.log(`booting ${basename(kernel)}`)
const passed = await boot(kernel, makeImage(folder))
console.log(passed ? 'passed' : 'failed')
process.exitCode = passed ? 0 : 1
