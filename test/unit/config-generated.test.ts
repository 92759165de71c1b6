// What is written from the tables of options is up to date, and the tables can be believed.

import { readFileSync } from 'node:fs'
import test from 'ava'
import { chapters } from '../../scripts/config-chapters.ts'
import { generatedFiles } from '../../scripts/generate-config-docs.ts'
import { Place } from '../../src/config/place.ts'

// When this fails: node scripts/generate-config-docs.ts
test('generated types and documentation are up to date', (t) => {
  for (const { path, text } of generatedFiles()) {
    t.is(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'), text, path)
  }
})

test('every default is a value that the option takes', (t) => {
  for (const { title, options } of chapters) {
    for (const [key, option] of Object.entries(options)) {
      const value = typeof option.default === 'function' ? option.default() : option.default
      if (value === undefined) continue
      const place = new Place(`${title}.${key}`, '/')
      option.kind.read(value, place)
      t.deepEqual(place.problems, [], `${title}.${key}`)
    }
  }
})

test('every option is explained', (t) => {
  for (const { options } of chapters) {
    for (const { doc } of Object.values(options)) t.regex(doc, /^[A-Z'].*\.$/s)
  }
})
