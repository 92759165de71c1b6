// Builds the native part. Run by npm at install with whatever Node npm uses, so it is plain
// JavaScript without dependencies. A missing tool is one line that names its Debian package.
//
//   node scripts/build-native.mjs            at install: a prebuilt addon if it loads, else a build
//   node scripts/build-native.mjs --build [--configuration=Release|Asan|Tsan|Fuzz] [target …]
//                                            incremental; default target: the addon, `sluice`
// Output: native/build/<configuration>/sluice.node, unit_tests, <name>_fuzz, …

import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const native = join(root, 'native')
const build = join(native, 'build')
const inCheckout = existsSync(join(root, 'src'))

const debianPackages = {
  make: 'make',
  python3: 'python3',
  'g++': 'g++',
  'clang++': 'clang libclang-rt-dev',
}

class BuildError extends Error {}

function works(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

function requireTools(compiler) {
  const tools = [compiler, 'make', 'python3']
  const missing = tools.filter((tool) => !works(tool, ['--version']))
  if (missing.length === 0) return
  const names = missing.join(', ')
  const packages = missing.map((tool) => debianPackages[tool] ?? tool).join(' ')
  throw new BuildError(`cannot build the native part without ${names}: apt-get install ${packages}`)
}

// The headers of the Node that will load the addon: the pinned one of a checkout, else our own.
function nodeDirectory() {
  const pinned = join(root, 'node_modules', `node-linux-${process.arch}`)
  const candidates = [pinned, dirname(dirname(process.execPath))]
  return candidates.find((path) => existsSync(join(path, 'include', 'node', 'node_api.h')))
}

// npm's own node-gyp: npm names it in the environment; outside npm it is resolved from npm itself.
function nodeGyp() {
  if (process.env.npm_config_node_gyp) return process.env.npm_config_node_gyp
  const folders = (process.env.PATH ?? '').split(':')
  const npm = folders.map((folder) => join(folder, 'npm')).find(existsSync)
  try {
    return createRequire(realpathSync(npm ?? '')).resolve('node-gyp/bin/node-gyp.js')
  } catch {
    throw new BuildError('cannot find the node-gyp of npm: run this through npm (npm run build)')
  }
}

function sourcesUnder(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((name) => name.endsWith('.cc'))
    .sort()
}

// One program per test/fuzz/<name>_fuzz.cc; gyp cannot loop, so its list is written here.
function fuzzTargets() {
  const folder = join(root, 'test', 'fuzz')
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => name.endsWith('_fuzz.cc'))
  return names.map((name) => name.slice(0, -3)).sort()
}

function fuzzDescription(names) {
  // Merged into binding.gyp by gyp; source paths are relative to native/build.
  const main = {
    target_name: 'fuzz_replay_main',
    type: 'static_library',
    sources: ['../../test/fuzz/replay_main.cc'],
  }
  const programs = names.map((name) => ({
    target_name: name,
    type: 'executable',
    dependencies: ['sluice_core', 'fuzz_replay_main'],
    sources: [`../../test/fuzz/${name}.cc`],
  }))
  return names.length === 0 ? {} : { targets: [main, ...programs] }
}

// Which OpenSSL is linked: the one that is there as headers and static libraries and knows kTLS
// ('system'; 'system-compressed' where it wants others, as since Debian 13), or that of Node.
function chooseOpenssl(compiler) {
  const program = '#include <openssl/ssl.h>\nint main() { return SSL_CTX_new(TLS_method()) == 0; }'
  const compiles = (...libraries) => {
    const args = ['-x', 'c++', '-', '-o', '/dev/null', '-pthread', ...libraries]
    const options = { input: program, stdio: ['pipe', 'ignore', 'ignore'] }
    return spawnSync(compiler, args, options).status === 0
  }
  const own = ['-l:libssl.a', '-l:libcrypto.a', '-ldl']
  if (compiles(...own)) return 'system'
  if (compiles(...own, '-l:libzstd.a', '-l:libz.a')) return 'system-compressed'
  return compiles('-fsyntax-only') ? 'node-unlinked' : 'node'
}

const nodesOpenssl = "TLS uses Node's own OpenSSL, without kTLS"
const whyNodes = {
  node: `libssl-dev is not there: ${nodesOpenssl} (apt-get install libssl-dev, then npm rebuild)`,
  'node-unlinked':
    `libssl-dev cannot be linked alone: ${nodesOpenssl} ` +
    '(apt-get install libzstd-dev zlib1g-dev, then npm rebuild)',
}

// Configures again only when the list of files, the build description or the Node changed.
function configure(nodeDir, openssl) {
  const folders = [native, join(root, 'test/native'), join(root, 'bench/native')]
  const sources = folders.flatMap(sourcesUnder).filter((path) => !path.startsWith(build))
  const fuzz = JSON.stringify(fuzzDescription(fuzzTargets()), null, 2)
  const signature = JSON.stringify([
    sources,
    fuzz,
    nodeDir ?? process.version,
    openssl,
    readFileSync(join(native, 'binding.gyp'), 'utf8'),
    readFileSync(fileURLToPath(import.meta.url), 'utf8'),
  ])
  const signatureFile = join(build, 'signature.json')
  if (existsSync(signatureFile) && readFileSync(signatureFile, 'utf8') === signature) return
  mkdirSync(build, { recursive: true })
  const description = join(build, 'fuzz_targets.gypi')
  writeFileSync(description, fuzz)
  const args = [nodeGyp(), 'configure', '--directory', native, '--loglevel=error']
  if (nodeDir) args.push(`--nodedir=${nodeDir}`)
  // node-gyp lets the environment win over its arguments, and npm puts every npmrc there.
  for (const name of Object.keys(process.env)) {
    if (/^npm_config_nodedir$/i.test(name)) delete process.env[name]
  }
  if (whyNodes[openssl]) console.error(`sluice: ${whyNodes[openssl]}`)
  const forGyp = ['--', `-I${description}`, `-Dsluice_openssl=${openssl}`, '-f']
  // Each run writes config.gypi anew, and make looks at its time: the one for make comes last.
  if (inCheckout) publishCompileCommands([...args, ...forGyp, 'compile_commands_json'])
  run(process.execPath, [...args, ...forGyp, 'make'])
  writeFileSync(signatureFile, signature)
}

// For editors; git ignores it. Older versions of gyp cannot write it, and do without.
function publishCompileCommands(nodeGypArguments) {
  const written = join(build, 'Release', 'compile_commands.json')
  if (works(process.execPath, nodeGypArguments) && existsSync(written)) {
    copyFileSync(written, join(root, 'compile_commands.json'))
  }
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { stdio: 'inherit', ...options })
  if (result.error) throw new BuildError(`cannot run ${command}: ${result.error.message}`)
  if (result.status !== 0) {
    throw new BuildError(`building the native part failed (${[command, ...args].join(' ')})`)
  }
}

function buildTargets(configuration, targets) {
  const compiler = configuration === 'Fuzz' ? 'clang++' : (process.env.CXX ?? 'g++')
  if (!existsSync(join(root, 'node_modules', 'node-addon-api')) && inCheckout) {
    throw new BuildError(`not set up yet: run 'npm ci' in ${root}`)
  }
  requireTools(compiler)
  configure(nodeDirectory(), chooseOpenssl(compiler))
  const args = ['--silent', '-C', build, `-j${availableParallelism()}`]
  args.push(`BUILDTYPE=${configuration}`, `CXX=${compiler}`, `LINK=${compiler}`)
  run('make', [...args, ...targets])
}

// npm before 10 forgets the link of a program that two packages offer, one for each CPU. Every npm
// script relies on it: the Node of the repository comes before the one that started npm.
function linkPinnedNode() {
  const link = join(root, 'node_modules/.bin/node')
  const target = `../node-linux-${process.arch}/bin/node`
  if (!existsSync(link) && existsSync(join(dirname(link), target))) symlinkSync(target, link)
}

// An addon that was shipped with the package, when this machine can load it.
function prebuiltLoads() {
  const path = join(root, 'prebuilds', `linux-${process.arch}`, 'sluice.node')
  const script = `process.dlopen({ exports: {} }, ${JSON.stringify(path)})`
  return !inCheckout && existsSync(path) && works(process.execPath, ['-e', script])
}

// One build at a time in one tree: the script runs itself again under a lock.
function relock(args) {
  if (process.env.SLUICE_BUILD_LOCKED || !works('flock', ['--version'])) return undefined
  mkdirSync(build, { recursive: true })
  const command = [join(build, 'lock'), process.execPath, fileURLToPath(import.meta.url), ...args]
  const env = { ...process.env, SLUICE_BUILD_LOCKED: '1' }
  return spawnSync('flock', command, { stdio: 'inherit', env }).status ?? 1
}

function main(args) {
  const atInstall = !args.includes('--build')
  if (atInstall && prebuiltLoads()) return 0
  const locked = relock(args)
  if (locked !== undefined) return locked
  if (atInstall) {
    if (inCheckout) linkPinnedNode()
    rmSync(join(build, 'signature.json'), { force: true })
  }
  const option = args.find((arg) => arg.startsWith('--configuration='))
  const configuration = option?.slice('--configuration='.length) ?? 'Release'
  const targets = args.filter((arg) => !arg.startsWith('--'))
  const all = targets.includes('fuzz') ? fuzzTargets() : []
  const named = targets.filter((target) => target !== 'fuzz')
  const wanted = [...named, ...all]
  buildTargets(configuration, wanted.length === 0 ? ['sluice'] : wanted)
  return 0
}

try {
  process.exitCode = main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof BuildError)) throw error
  console.error(`sluice: ${error.message}`)
  process.exitCode = 1
}
