// The differential run of test/behaviour/differential.test.ts at length, on other requests each
// time when SLUICE_SEED says so. Every row of the table of differences must still be needed.

import test from 'ava'
import { explanations } from '../support/differences.ts'
import { compareMany, startPair } from '../support/differential.ts'

const count = 60_000

test('Sluice and node:http agree about many requests, or it is known why not', async (t) => {
  const seed = Number(process.env.SLUICE_SEED ?? 20_261)
  const { accepted, refused, explained, unexplained } = await compareMany(await startPair(t), {
    seed,
    count,
  })
  t.log(`seed ${seed}: ${accepted} accepted and ${refused} refused by both`)
  for (const { rule, why, section } of explanations) {
    t.log(`${explained.get(rule) ?? 0} × ${rule} (${section}): ${why}`)
    t.true(explained.has(rule), rule)
  }
  t.deepEqual(unexplained, [])
  t.true(accepted > count / 5)
})
