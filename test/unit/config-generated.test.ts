// What is written from the tables of options is up to date, and the tables can be believed.

import { readFileSync } from 'node:fs'
import test from 'ava'
import { generatedFiles } from '../../scripts/generate-config-docs.ts'
import { Place } from '../../src/config/place.ts'
import * as gatewaySchema from '../../src/config/schema.ts'
import * as routesSchema from '../../src/config/schema-routes.ts'
import type { Option } from '../../src/config/section.ts'

// When this fails: node scripts/generate-config-docs.ts
test('generated types and documentation are up to date', (t) => {
  for (const { path, text } of generatedFiles()) {
    t.is(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'), text, path)
  }
})

const schema = { ...gatewaySchema, ...routesSchema }

test('every default is a value that the option takes', (t) => {
  for (const [name, section] of Object.entries(schema)) {
    for (const [key, option] of Object.entries<Option<unknown>>(section)) {
      const value = typeof option.default === 'function' ? option.default() : option.default
      if (value === undefined) continue
      const place = new Place(`${name}.${key}`, '/')
      option.kind.read(value, place)
      t.deepEqual(place.problems, [], `${name}.${key}`)
    }
  }
})

test('every option is explained', (t) => {
  for (const section of Object.values(schema)) {
    for (const option of Object.values<Option<unknown>>(section))
      t.regex(option.doc, /^[A-Z'].*\.$/s)
  }
})
