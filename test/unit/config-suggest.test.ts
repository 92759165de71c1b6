// "Did you mean …?": near words are suggested, far ones are not.

import test from 'ava'
import { didYouMean, nearest } from '../../src/config/suggest.ts'

test('one slip is forgiven: a letter more, less, other, or two swapped', (t) => {
  const known = ['timeouts', 'limits', 'auto', 'port']
  for (const word of ['timeout', 'timeoutss', 'timeoots', 'tiemouts', 'TIMEOUTS']) {
    t.is(nearest(word, known), 'timeouts', word)
  }
  t.is(nearest('atuo', known), 'auto')
  t.is(nearest('prot', known), 'port')
})

test('nothing is suggested for a word that is far from all', (t) => {
  t.is(nearest('proxy', ['listen', 'routes']), undefined)
  t.is(nearest('', ['a', 'listen']), 'a')
  t.is(didYouMean('x', []), '')
})
