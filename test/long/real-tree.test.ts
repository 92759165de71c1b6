// Documentation of Debian's packages served and compared with the disk, file by file. A package
// that is not installed is skipped, and the line says how to get it.

import { existsSync } from 'node:fs'
import test from 'ava'
import { compareTree } from '../support/served-tree.ts'

const packages: [name: string, root: string, files: number][] = [
  ['nodejs-doc', '/usr/share/doc/nodejs/api', 100],
  ['cppreference-doc-en-html', '/usr/share/cppreference/doc/html', 4_000],
]

for (const [name, root, least] of packages) {
  for (const transfer of ['auto', 'copy'] as const) {
    if (!existsSync(root)) {
      test.skip(`${name} (transfer: ${transfer}): needs apt-get install -y ${name}`, () => {})
      continue
    }
    test(`${name} is served byte for byte (transfer: ${transfer})`, async (t) => {
      const count = await compareTree(t, root, transfer)
      t.log(`${count} files`)
      t.true(count >= least)
    })
  }
}
