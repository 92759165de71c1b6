// The options of the access log, and that both sides of the boundary know the same fields.

import { readFileSync } from 'node:fs'
import test from 'ava'
import { compileConfig } from '../../src/config/compile.ts'
import { resolveConfig } from '../../src/config/validate.ts'
import { respond } from '../../src/index.ts'
import { logFields, usualLogFields } from '../../src/native/access-log.ts'
import { problemsOf } from '../support/problems.ts'

const routes = { '/*': respond(200, 'ok') } as const
const directory = import.meta.dirname

function nativeLog(accessLog: unknown) {
  return compileConfig(resolveConfig({ accessLog, routes }, { file: '', directory })).accessLog
}

test('the core has the same fields in the same order', (t) => {
  const header = readFileSync(new URL('../../native/log/format.h', import.meta.url), 'utf8')
  const [list = ''] = /#define SLUICE_LOG_FIELDS[\s\S]*?\/\//.exec(header) ?? []
  const names = [...list.matchAll(/X\((\w+)\)/g)].map(([, name]) => name)
  t.deepEqual(names, [...logFields])
})

test('off by default, JSON with everything to stdout when it is just on', (t) => {
  t.is(nativeLog(undefined), null)
  t.is(nativeLog(false), null)
  t.deepEqual(nativeLog(true), {
    format: 'json',
    fields: usualLogFields,
    sample: [1, 1, 1, 1, 1, 1],
    to: { kind: 'stdout', path: '' },
    redact: [],
  })
})

test('what is given is read in its spellings', (t) => {
  const log = nativeLog({
    to: { file: 'x.log' },
    sample: { '2xx': 0.5, none: 0, default: 0.25 },
    redact: 'Token',
    fields: 'status',
  })
  t.deepEqual(log?.to, { kind: 'file', path: `${directory}/x.log` })
  t.deepEqual(log?.sample, [0, 1, 0.5, 0.25, 0.25, 0.25])
  t.deepEqual(log?.redact, ['token'])
  t.deepEqual(log?.fields, ['status'])
  t.deepEqual(nativeLog({ sample: 0.5 })?.sample, [0.5, 1, 0.5, 0.5, 0.5, 0.5])
})

test('every mistake is reported with its place', (t) => {
  const problems = (accessLog: unknown) => problemsOf({ accessLog, routes }, directory)
  t.deepEqual(problems('yes'), ["accessLog: expected true or false, or an object, got 'yes'"])
  t.deepEqual(
    problems({
      format: 'xml',
      fields: ['status', 'size'],
      sample: { '2xx': 2, '6xx': 1 },
      to: { file: 'nowhere/x.log' },
      redact: ['a=b'],
    }),
    [
      "accessLog.format: expected 'json' or 'combined', got 'xml'",
      ...problems({ fields: ['status', 'size'] }),
      'accessLog.sample["2xx"]: expected a number from 0 to 1, got 2',
      'accessLog.sample["6xx"]: expected one of 2xx, 3xx, 4xx, 5xx, none, default',
      `accessLog.to.file: ${directory}/nowhere: no such directory`,
      "accessLog.redact[0]: expected the name of a query parameter, got 'a=b': " +
        'no request can have one of that name',
    ],
  )
  t.is(problems({ fields: ['status', 'size'] }).length, 1)
  t.deepEqual(problems({ fields: ['status', 'status'] }), [
    "accessLog.fields: 'status' stands there twice",
  ])
  t.deepEqual(problems({ format: 'combined', fields: ['status'] }), [
    "accessLog.fields: the fields of 'combined' are fixed",
  ])
  t.deepEqual(problems({ to: { file: '.' } }), [`accessLog.to.file: ${directory} is a directory`])
  t.is(problems({ to: { file: 'a', socket: 'b' } }).length, 1)
  t.is(problems({ to: 'syslog' }).length, 1)
  t.is(problems({ to: { socket: 'x'.repeat(200) } }).length, 1)
})
