// Configuration files: found, evaluated apart, and every way in which one can fail named with its
// place.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { ConfigError, problemLine } from '../../src/config/errors.ts'
import { findConfig, loadConfigFile } from '../../src/config/load.ts'
import { makeFolder } from '../support/site.ts'

const fine = `import { defineGateway, respond } from 'sluice'
export default defineGateway({ routes: { '/': respond(200, 'ok') } })
`

/** Writes files into a fresh folder and gives the path of the first. */
function folderWith(t: ExecutionContext, files: Record<string, string>): string {
  const folder = makeFolder(t)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return join(folder, Object.keys(files)[0] ?? '')
}

/** What is wrong with a file, as lines. */
async function problemsOfFile(file: string, timeoutMs = 20_000): Promise<string[]> {
  try {
    await loadConfigFile(file, { timeoutMs })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(problemLine)
  }
}

async function problemsOfText(t: ExecutionContext, text: string, name = 'gateway.config.ts') {
  return problemsOfFile(folderWith(t, { [name]: text }))
}

test('a file anywhere imports sluice, its neighbours and its own dependencies', async (t) => {
  const file = folderWith(t, {
    'deep/gateway.config.ts': `import { defineGateway, files, respond } from 'sluice'
import greeting from 'greeting'
import { path } from './parts/path.ts'
export default defineGateway({ routes: { '/*': files('site'), [path]: respond(200, greeting) } })
`,
    'deep/parts/path.ts': "export const path: '/hello' = '/hello'\n",
    'deep/site/index.html': '<p>',
    'node_modules/greeting/package.json': '{"main": "main.js"}',
    'node_modules/greeting/main.js': "module.exports = 'hello'",
  })
  const resolved = await loadConfigFile(file)
  t.is(resolved.file, file)
  t.true(Object.isFrozen(resolved.routes))
  t.like(resolved.routes[0]?.action, { kind: 'files', root: join(dirname(file), 'site') })
  t.like(resolved.routes[1], { key: '/hello' })
})

test('a package.json beside it that says commonjs changes nothing', async (t) => {
  const commonjs = { 'package.json': '{"type": "commonjs"}' }
  const withPart = fine
    .replace("'/'", '[path]')
    .replace('import', "import { path } from './path.ts'\nimport")
  const part = { 'path.ts': "export const path = '/x' as const\n" }
  for (const ending of ['ts', 'mts', 'js', 'mjs']) {
    const file = folderWith(t, { [`my.${ending}`]: fine, ...commonjs })
    t.is((await loadConfigFile(file)).routes.length, 1, ending)
  }
  const file = folderWith(t, { 'gateway.config.ts': withPart, ...part, ...commonjs })
  t.is((await loadConfigFile(file)).routes[0]?.key, '/x')
})

test('a symbolic link to a file is that file, with roots beside the link', async (t) => {
  const text = fine
    .replace("'/': respond(200, 'ok')", "'/*': files('site')")
    .replace('respond', 'files')
  const file = folderWith(t, { 'real/gateway.config.ts': text, 'link/site/x': '' })
  const link = join(dirname(file), '../link/gateway.config.ts')
  symlinkSync(file, link)
  const resolved = await loadConfigFile(link)
  t.is(resolved.file, link)
  t.like(resolved.routes[0]?.action, { root: join(dirname(link), 'site') })
})

test('the working directory is searched for each of the default names', (t) => {
  const folder = makeFolder(t)
  const error = t.throws(() => findConfig(folder), { instanceOf: ConfigError })
  t.regex(error?.message ?? '', /no gateway\.config\.ts in .*--config/)
  for (const ending of ['mjs', 'js', 'mts', 'ts']) {
    const path = join(folder, `gateway.config.${ending}`)
    writeFileSync(path, fine)
    t.is(findConfig(folder), path)
  }
})

test('files that cannot be a configuration', async (t) => {
  const folder = makeFolder(t)
  t.deepEqual(await problemsOfFile(join(folder, 'none.ts')), ['no such file'])
  t.deepEqual(await problemsOfFile(folder), ['not a file'])
  const wrong = await problemsOfText(t, '{}', 'gateway.config.json')
  t.deepEqual(wrong, ['a configuration file ends in .ts, .mts, .js, .mjs'])
})

test('errors name the line and what was thrown', async (t) => {
  const cases: [string, RegExp][] = [
    [
      "const a: number = 1\nfunction f() {\n  throw new TypeError('boom')\n}\nf()",
      /^line 3: TypeError: boom$/,
    ],
    ['export default nobody', /^line 1: ReferenceError: nobody is not defined$/],
    ["throw 'a word'", /^threw 'a word' instead of an Error$/],
    ["\nawait Promise.reject(new Error('late'))", /^line 2: Error: late$/],
    ['\n\nprocess.exit(0)', /^line 3: calls process\.exit\(0\)/],
    ["import { proxi } from 'sluice'\nexport default proxi", /^line 1: SyntaxError: .*'proxi'/],
    ["import x from 'no-such-package'", /Cannot find package 'no-such-package'.*installed/],
  ]
  for (const [text, expected] of cases) {
    const [problem = '', ...more] = await problemsOfText(t, text)
    t.regex(problem, expected)
    t.deepEqual(more, [])
  }
})

test('syntax errors name the line, those of the engine and in JavaScript too', async (t) => {
  const unclosed = 'export const a = 1\nexport default {{\n'
  t.regex((await problemsOfText(t, unclosed))[0] ?? '', /^line 2: SyntaxError: /)
  t.regex((await problemsOfText(t, unclosed, 'x.mjs'))[0] ?? '', /^line 2: SyntaxError: /)
  const twice = 'const a: number = 1\n\nconst a = await 2\nexport default a\n'
  t.regex(
    (await problemsOfText(t, twice))[0] ?? '',
    /^line 3: SyntaxError: .*already been declared/,
  )
})

test('an error in an imported file names that file', async (t) => {
  const main = { 'gateway.config.ts': "import './part.ts'\nexport default 1\n" }
  const file = folderWith(t, { ...main, 'part.ts': '\nenum Colour { Red }\n' })
  const part = join(dirname(file), 'part.ts')
  t.regex((await problemsOfFile(file))[0] ?? '', new RegExp(`^${part}:2: TypeScript enum`))
})

test('a forgotten ending of an import is suggested', async (t) => {
  const main = { 'gateway.config.ts': "import './part'\nexport default 1\n" }
  const file = folderWith(t, { ...main, 'part.ts': '' })
  t.regex((await problemsOfFile(file))[0] ?? '', /did you mean '.*\/part\.ts'\?/)
})

test('syntax that is more than types names the line and the way out', async (t) => {
  const cases: [string, RegExp][] = [
    ['\nenum Colour { Red }\nexport default Colour', /^line 2: TypeScript enum .*as const/],
    [
      'class A {\n  constructor(private b: number) {}\n}',
      /^line 2: .*parameter property.*declare the field/,
    ],
    ['namespace A { export const b = 1 }', /^line 1: .*namespace.*a module with exports/],
  ]
  for (const [text, expected] of cases) t.regex((await problemsOfText(t, text))[0] ?? '', expected)
})

test('what the file exports is checked like any configuration', async (t) => {
  const none = await problemsOfText(t, 'export const config = {}')
  t.deepEqual(none, ['has no default export: write export default defineGateway({ … })'])
  const wrong = await problemsOfText(t, 'export default async () => ({})')
  t.regex(wrong[0] ?? '', /^expected a configuration such as .*, got a function$/)
  const many = await problemsOfText(t, fine.replace('routes:', 'workers: 0, limit: 1, routes:'))
  t.is(many.length, 2)
})

test('a file that never comes to an end is given up, with the place where it is', async (t) => {
  const spinning = folderWith(t, {
    'gateway.config.ts':
      'const a = 1\nfunction spin() {\n  for (;;) {}\n}\nspin()\nexport default a\n',
  })
  t.regex(
    (await problemsOfFile(spinning, 1_500))[0] ?? '',
    /^line 3: still running here after 1500ms/,
  )
})

test('a file that waits in vain is noticed, at once when nothing could wake it', async (t) => {
  const never = await problemsOfText(t, 'await new Promise(() => {})\nexport default {}')
  t.regex(never[0] ?? '', /^waits for something that never happens/)
  const ticking = folderWith(t, {
    'gateway.config.ts': 'setInterval(() => {}, 1_000_000)\nawait new Promise(() => {})\n',
  })
  t.regex((await problemsOfFile(ticking, 1_000))[0] ?? '', /^still waiting .* after 1s/)
})
