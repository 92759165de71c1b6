// SRV records as targets: who is first, whose share is how large.

import test from 'ava'
import type { ServiceRecord } from '../../src/proxy/lookup.ts'
import { offersOf } from '../../src/proxy/service-watch.ts'

const record = (host: string, priority: number, weight: number, port = 80): ServiceRecord => {
  return { host, port, priority, weight }
}

const shown = (...records: ServiceRecord[]) =>
  offersOf(records).map(({ host, weight, backup }) => `${host} ${weight}${backup ? ' backup' : ''}`)

test('the lowest priority number is first, all others are backups', (t) => {
  t.deepEqual(shown(record('c', 30, 1), record('b', 20, 1), record('a', 10, 1)), [
    'a 1',
    'b 1 backup',
    'c 1 backup',
  ])
})

test('weights keep their ratio within a priority', (t) => {
  t.deepEqual(shown(record('a', 1, 100), record('b', 1, 60), record('c', 2, 9)), [
    'a 5',
    'b 3',
    'c 1 backup',
  ])
  t.deepEqual(shown(record('a', 1, 65_535), record('b', 1, 1)), ['a 1000', 'b 1'])
  t.deepEqual(shown(record('a', 1, 0), record('b', 1, 0)), ['a 1', 'b 1'])
  // Beside others a weight of 0 is the smallest share.
  t.deepEqual(shown(record('a', 1, 0), record('b', 1, 1)), ['a 1', 'b 1000'])
})

test('the same host and port is one target, whatever the order of the answer', (t) => {
  const records = [record('b', 1, 1), record('a', 1, 1), record('a', 1, 1, 81), record('a', 2, 1)]
  t.deepEqual(
    offersOf(records).map(({ host, port }) => `${host}:${port}`),
    ['a:80', 'a:81', 'b:80'],
  )
  t.deepEqual(offersOf(records.toReversed()), offersOf(records))
})
