// sluice hash-password: a hash for basicAuth(). The password comes from standard input, never from
// the arguments, which other users of the machine can see.

import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { hashPassword as hash } from '../app/password.ts'
import { type Command, UsageError } from './command.ts'

export const hashPassword: Command = {
  name: 'hash-password',
  usage: '',
  summary: 'read a password, print its hash for basicAuth()',
  details: 'The password is read from standard input: typed, unseen, or piped in as one line.',
  options: {},
  words: [0, 0],
  async run() {
    const password = process.stdin.isTTY ? await typed() : (await text(process.stdin)).trimEnd()
    if (password === '') throw new UsageError('there is no password on standard input')
    console.log(await hash(password))
    return 0
  },
}

/** What somebody types until Enter, without showing it. */
async function typed(): Promise<string> {
  const { stdin, stderr } = process
  stderr.write('password: ')
  stdin.setRawMode(true)
  let password = ''
  try {
    for (;;) {
      const [bytes] = (await once(stdin, 'data')) as [Buffer]
      for (const character of bytes.toString()) {
        if (character === '\r' || character === '\n') return password
        if (character === '\u0003') throw new UsageError('no password was given')
        password = character === '\u007f' ? password.slice(0, -1) : password + character
      }
    }
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}
