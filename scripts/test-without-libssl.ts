// `npm run test:without-libssl [-- files]`: the two commands of the README on a machine that has no
// libssl-dev. In a mount namespace, where its headers and libraries are hidden from a copy of the
// repository and nobody else misses them. Takes some minutes. As root, or where users may make
// namespaces.

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

process.chdir(new URL('..', import.meta.url).pathname)

const copy = join(process.cwd(), '.cache/without-libssl')
const hidden = [
  '/usr/include/openssl',
  ...globSync('/usr/include/*/openssl'),
  ...globSync('/usr/lib/*/lib{ssl,crypto}.{a,so}'),
]

/** How a command is run where they are not to be seen. */
function without(command: string[]): string[] {
  const hide = hidden.map((path) => {
    return `[ -d ${path} ] && mount -t tmpfs none ${path} || mount --bind /dev/null ${path}`
  })
  const user = process.getuid?.() === 0 ? [] : ['--map-root-user']
  const script = ['set -e', ...hide, `cd ${copy}`, 'exec "$@"'].join('\n')
  return ['unshare', '--mount', ...user, 'sh', '-c', script, 'sh', ...command]
}

function run(command: string[]): string {
  const [program = '', ...args] = without(command)
  const options = { encoding: 'utf8', maxBuffer: 2 ** 28 } as const
  const { status, stdout, stderr } = spawnSync(program, args, options)
  if (status === 0) return stdout + stderr
  console.error(stdout.slice(-5_000), stderr.slice(-5_000))
  throw new Error(`${command.join(' ')}: exit code ${status}`)
}

function expect(what: string, said: string, wanted: RegExp): void {
  if (!wanted.test(said))
    throw new Error(`${what}: nothing like ${wanted} in: ${said.slice(-2_000)}`)
  console.log(`ok: ${what}`)
}

function copyRepository(): void {
  rmSync(copy, { recursive: true, force: true })
  mkdirSync(copy, { recursive: true })
  const list = 'git ls-files -z --cached --others --exclude-standard'
  execFileSync('sh', ['-c', `${list} | xargs -0 cp --parents -t "$0"`, copy])
}

const tls = 'test/fixtures/tls'

/** npm start, until it has answered a request over TLS. */
async function start(): Promise<void> {
  writeFileSync(
    join(copy, 'without.config.ts'),
    `import { defineGateway, respond } from 'sluice'
export default defineGateway({
  listen: { port: 0, tls: { certificates: { cert: '${tls}/ecdsa.pem', key: '${tls}/ecdsa.key' } } },
  routes: { '/*': respond(200, 'ok') },
})
`,
  )
  const [program = '', ...args] = without(['npm', 'start', '--', '--config', 'without.config.ts'])
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const [, port] = /^listening on https:.*:(\d+)/.exec(line) ?? []
      if (port === undefined) continue
      const to = { host: '127.0.0.1', servername: 'localhost', ca: readFileSync(`${tls}/ca.pem`) }
      const [response] = await once(get({ ...to, port }), 'response')
      expect('npm start serves over TLS', String(response.statusCode), /^200$/)
      return
    }
    throw new Error('npm start: it does not listen')
  } finally {
    process.kill(-(child.pid ?? 0), 'SIGTERM')
  }
}

copyRepository()
const sayings = run(['npm', 'ci', '--foreground-scripts'])
expect("npm ci says that it uses Node's OpenSSL", sayings, /libssl-dev is not there.*without kTLS/)
expect('doctor says that there is no kTLS', run(['bin/sluice', 'doctor']), /kTLS +no \(ENOSYS\)/)
await start()
const files = process.argv.slice(2)
const chosen = files.length > 0 ? files : globSync('test/behaviour/*tls*.test.ts')
expect('npm test passes', run(['npm', 'test', '--', ...chosen]), /^\d+ passed, 0 failed$/m)
const units = run(['native/build/Release/unit_tests'])
expect('the C++ units pass', units, /^\d+ passed, 0 failed$/m)
rmSync(copy, { recursive: true, force: true })
