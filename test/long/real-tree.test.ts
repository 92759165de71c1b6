// Documentation of Debian's packages, and a package of many tiny files, served and compared with
// the disk, file by file: as it is and in every coding. What is not installed is skipped, and the
// line says how to get it; SLUICE_TREE names a directory of one's own.

import { existsSync } from 'node:fs'
import test from 'ava'
import { compareTree } from '../support/served-tree.ts'

const documentation = (name: string) => `needs apt-get install -y ${name}`

/** Name, root, how many files at least, and how to get it. */
const trees: [name: string, root: string, files: number, remedy: string][] = [
  ['nodejs-doc', '/usr/share/doc/nodejs/api', 100, documentation('nodejs-doc')],
  [
    'cppreference-doc-en-html',
    '/usr/share/cppreference/doc/html',
    4_000,
    documentation('cppreference-doc-en-html'),
  ],
  ['rust-doc', '/usr/share/doc/rust-doc/html', 30_000, documentation('rust-doc')],
  [
    '@mui/icons-material',
    '/tmp/sluice-trees/node_modules/@mui/icons-material',
    40_000,
    'needs npm install --prefix /tmp/sluice-trees --ignore-scripts @mui/icons-material',
  ],
]
const own = process.env.SLUICE_TREE
if (own !== undefined) trees.push([own, own, 1, ''])

for (const [name, root, least, remedy] of trees) {
  for (const transfer of ['auto', 'copy'] as const) {
    if (!existsSync(root)) {
      test.skip(`${name} (transfer: ${transfer}): ${remedy}`, () => {})
      continue
    }
    test.serial(`${name} is served byte for byte (transfer: ${transfer})`, async (t) => {
      t.timeout(60 * 60_000)
      const codings = ['br', 'zstd', 'gzip'] as const
      const compared = await compareTree(t, root, { transfer, codings: [...codings] })
      t.log(`${compared.files} files, ${compared.encoded} answers encoded`)
      t.true(compared.files >= least)
    })
  }
}
