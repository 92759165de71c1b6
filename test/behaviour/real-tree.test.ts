// Packages of this repository served and compared with the disk, file by file. Larger trees are in
// test/long/real-tree.test.ts.

import { fileURLToPath } from 'node:url'
import { testOnBothTwins } from '../support/gateway.ts'
import { compareTree } from '../support/served-tree.ts'

const packages: [name: string, files: number][] = [
  ['swagger-ui-dist', 15],
  ['@types/node', 60],
  ['undici-types', 30],
]

for (const [name, least] of packages) {
  testOnBothTwins(`${name} is served byte for byte`, async (t, transfer) => {
    const root = fileURLToPath(new URL(`../../node_modules/${name}`, import.meta.url))
    t.true((await compareTree(t, root, transfer)) >= least)
  })
}
