// Packages of this repository served and compared with the disk, file by file. Larger trees are in
// test/long/real-tree.test.ts.

import { fileURLToPath } from 'node:url'
import { testOnBothTwins } from '../support/gateway.ts'
import { compareTree } from '../support/served-tree.ts'

/** Name, files at least, and of those that shrink (TypeScript's own are taken for videos). */
const packages: [name: string, files: number, encoded: number][] = [
  ['swagger-ui-dist', 15, 8],
  ['@types/node', 60, 0],
  ['undici-types', 30, 0],
]

for (const [name, least, leastEncoded] of packages) {
  testOnBothTwins(`${name} is served byte for byte`, async (t, transfer) => {
    const root = fileURLToPath(new URL(`../../node_modules/${name}`, import.meta.url))
    // The quickest coding: all of them are in test/long/real-tree.test.ts.
    const compared = await compareTree(t, root, { transfer, codings: ['gzip'] })
    t.true(compared.files >= least)
    t.true(compared.encoded >= leastEncoded)
  })
}
