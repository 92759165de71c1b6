// Patterns of file names: what fits, what counts as a hash, what is refused.

import test from 'ava'
import { fits, fitsAlong, wrongGlob } from '../../src/config/globs.ts'

const fitting: [glob: string, fits: string[], fitsNot: string[]][] = [
  ['*.html', ['a.html', 'a/b.html', 'A.HTML', '.html'], ['a.html/b', 'a.htm', 'ahtml']],
  ['*', ['a', 'a/b'], []],
  ['a?c', ['abc', 'x/a.c'], ['ac', 'abbc', 'a/c']],
  ['*.{js,css}', ['a.js', 'a.css'], ['a.js,css', 'a.']],
  ['a,b', ['a,b'], ['a', 'b']],
  ['a+(b)^$|\\d', ['a+(b)^$|\\d'], ['aab', 'a+(b)^$|1']],
  ['/assets/*', ['assets/a', 'assets/a/b.js', 'Assets/a'], ['assets', 'b/assets/a', 'assetsx/a']],
  ['/a/*/c', ['a/b/c'], ['a/b/d/c', 'a/c', 'a/b/c/d']],
  ['/index.html', ['index.html'], ['a/index.html']],
  [
    '*[hash].js',
    ['app.3f9a2c1b.js', 'app-B7kQ9x2Z.js', 'a_0a0a0a0a0a.js'],
    ['app.js', 'abcdefgh.js'],
  ],
  [
    '*[hash].*',
    ['main.5d41402abc4b2a76.css', 'a.b.1a2b3c4d.js'],
    ['report-20240131.pdf', 'a-datepicker.js', 'v1.10.2.js', 'a.1a2b3c4.js', 'x3f9a2c1b.js'],
  ],
]

for (const [glob, yes, no] of fitting) {
  test(`'${glob}'`, (t) => {
    t.is(wrongGlob(glob), undefined)
    for (const path of yes) t.true(fits(glob, path), path)
    for (const path of no) t.false(fits(glob, path), path)
  })
}

test('a pattern fits along a path when it fits a directory of it', (t) => {
  t.true(fitsAlong(['node_modules'], 'a/node_modules/b/c'))
  t.true(fitsAlong(['/a/*'], 'a/b/c'))
  t.true(fitsAlong(['x', 'c'], 'a/b/c'))
  t.false(fitsAlong(['b/c'.slice(2)], 'a/b'))
  t.false(fitsAlong([], 'a'))
})

test('what is no pattern', (t) => {
  for (const glob of [
    '',
    'a/b',
    '**',
    '/**/a',
    '[a-z]',
    '{a',
    'a}',
    '{a{b}}',
    '{a/b}',
    '/{a/b}',
    '{a}{b}{c}',
    '/a/[hash',
    '{a}}',
  ]) {
    t.is(typeof wrongGlob(glob), 'string', glob)
  }
})

// In a second at most: as one regular expression each of these would take years.
test('no pattern takes long with a long name', (t) => {
  const names = [`${'a.'.repeat(4000)}x`, 'a'.repeat(255), '-1a'.repeat(80), 'a.'.repeat(127)]
  const globs = ['*.*.*.html', '*[hash].*', '*a*a*a*a*a*a*a*b', '{*a,*b}*{*c,*d}*e']
  for (const glob of globs) {
    for (const name of names) t.false(fits(glob, name))
  }
})
