// Arguments of commands, and requests as people name them.

import test from 'ava'
import { type Command, parseInvocation, UsageError } from '../../src/cli/command.ts'
import { commands } from '../../src/cli/commands.ts'
import { commandHelp, generalHelp } from '../../src/cli/help.ts'
import { whyBefore } from '../../src/cli/precedence.ts'
import { parseRequest } from '../../src/cli/request.ts'

const example: Command = {
  name: 'example',
  usage: 'ONE [TWO]',
  summary: 'do nothing',
  details: 'At all.',
  options: { file: { value: 'FILE', help: 'a file' }, loud: { help: 'a switch' } },
  words: [1, 2],
  run: async () => 0,
}

test('words and options in any order', (t) => {
  const parsed = parseInvocation(example, ['a', '--file', 'f', 'b', '--loud'])
  t.deepEqual(parsed, { words: ['a', 'b'], options: { file: 'f', loud: '' } })
  t.deepEqual(parseInvocation(example, ['--file=-f', '--', '--x']), {
    words: ['--x'],
    options: { file: '-f' },
  })
})

test('mistakes, each with its sentence', (t) => {
  const cases: [string[], string][] = [
    [[], 'example needs ONE [TWO]'],
    [['a', 'b', 'c'], "unexpected argument 'c'"],
    [['a', '--fiel', 'x'], "unknown option '--fiel'; did you mean '--file'?"],
    [['a', '-f'], "unknown option '-f'"],
    [['a', '--toString'], "unknown option '--toString'"],
    [['a', '--file'], '--file needs FILE'],
    [['a', '--file='], '--file needs FILE'],
    [['a', '--loud=very'], '--loud takes no value'],
  ]
  for (const [args, message] of cases) {
    t.throws(() => parseInvocation(example, args), { instanceOf: UsageError, message })
  }
})

test('a forgotten value does not swallow the next option', (t) => {
  const error = t.throws(() => parseInvocation(example, ['a', '--file', '--loud']))
  t.is(error?.message, '--file needs FILE')
})

test('every command is in the help and has its own, within a terminal', (t) => {
  for (const command of commands) {
    t.true(generalHelp(commands).includes(`  ${command.name} `))
    const own = commandHelp(command)
    t.true(own.startsWith(`Usage: sluice ${command.name}`))
    for (const option of Object.keys(command.options)) t.true(own.includes(`--${option}`))
    for (const line of own.split('\n')) t.true(line.length <= 100, line)
  }
})

test('requests in every spelling', (t) => {
  const cases: [string[], string, string, string][] = [
    [['/'], 'GET', 'localhost', '/'],
    [['/a?b=/c'], 'GET', 'localhost', '/a?b=/c'],
    [['example.com'], 'GET', 'example.com', '/'],
    [['example.com:8080/a'], 'GET', 'example.com', '/a'],
    [['http://example.com'], 'GET', 'example.com', '/'],
    [['HTTPS://u:p@example.com:1/a/../b#c'], 'GET', 'example.com', '/a/../b'],
    [['http://[::1]:80/x'], 'GET', '[::1]', '/x'],
    [['http://[::1]/x'], 'GET', '[::1]', '/x'],
    [['example.com?q'], 'GET', 'example.com', '/?q'],
    [['post', '/a//b'], 'POST', 'localhost', '/a//b'],
  ]
  for (const [words, method, host, target] of cases) {
    t.like(parseRequest(words), { method, host, target })
  }
  t.throws(() => parseRequest(['ftp://example.com/']), { instanceOf: UsageError })
  t.throws(() => parseRequest(['G T', '/']), { instanceOf: UsageError })
})

test('why one route comes before another', (t) => {
  const why = (winner: string, other: string) => {
    const [ours, theirs] = [winner, other].map((text) => {
      const [method = '', host = '', path = ''] = text.split('|')
      return { method, host, path }
    })
    return ours && theirs && whyBefore(ours, theirs)
  }
  t.is(why('|a.b|/*', '||/x'), 'it names the host a.b')
  t.is(why('|a.b|/*', '|*.b|/*'), 'a.b is more specific than *.b')
  t.is(why('||/a/b', '||/a/:c'), "its path has 'b' where the other has ':c'")
  t.is(why('||/a/:c', '||/a/*'), "its path has ':c' where the other has '*'")
  t.is(why('GET||/a', '||/a'), 'it names the method GET')
  t.is(why('||/a', '||/a/*'), "its path ends where the other has '*'")
})
