// A wrong route key once hid what was wrong behind it.

import test from 'ava'
import { ConfigError } from '../../src/config/errors.ts'
import { resolveConfig } from '../../src/config/validate.ts'

test('a wrong key does not hide what is wrong behind it', (t) => {
  const config = { routes: { 'get /x': { kind: 'respond', status: 99, body: 'x' } } }
  const read = () => resolveConfig(config as never, { file: '', directory: '/' })
  const error = t.throws(read, { instanceOf: ConfigError })
  t.deepEqual(
    error.problems.map(({ path }) => path),
    ['routes["get /x"]', 'routes["get /x"].respond.status'],
  )
})
