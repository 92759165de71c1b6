// sluice status: asks the admin listener of a running gateway. Also what the image's health check
// runs, so it is quick and says little.

import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { showDuration } from '../config/units.ts'
import { type Command, type Invocation, UsageError } from './command.ts'
import { columns } from './help.ts'

const patienceMs = 4_000

export const status: Command = {
  name: 'status',
  usage: '',
  summary: 'ask a running gateway how it does',
  details: `Exits with 0 when it serves, with 1 when it does not or cannot be reached. ADDRESS is
that of its admin listener: http://127.0.0.1:9180, 9180, or unix:/run/sluice/admin.sock. With the
token (--token-file, or SLUICE_ADMIN_TOKEN in the environment) it tells more.`,
  options: {
    admin: { value: 'ADDRESS', help: 'where to ask (default: SLUICE_ADMIN in the environment)' },
    'token-file': { value: 'FILE', help: 'the file that holds the token' },
  },
  words: [0, 0],
  async run(invocation) {
    const place = placeOf(invocation)
    const ready = await get(place, '/readyz')
    if (ready === undefined) {
      console.error('sluice: nobody answers there')
      return 1
    }
    console.log(ready.body.trim())
    const token = tokenOf(invocation)
    if (token !== '') await showMore(place, token)
    return ready.status === 200 ? 0 : 1
  },
}

type Place = { host: string; port: number } | { socketPath: string }

function placeOf({ options }: Invocation): Place {
  const address = options.admin ?? process.env.SLUICE_ADMIN
  if (address === undefined) throw new UsageError('status needs --admin, or SLUICE_ADMIN')
  if (address.startsWith('unix:')) return { socketPath: address.slice('unix:'.length) }
  const [, host = '127.0.0.1', port] =
    /^(?:http:\/\/)?(?:\[?([^/\]]+?)\]?:)?(\d{1,5})\/?$/.exec(address) ?? []
  if (port === undefined) throw new UsageError(`'${address}' is no address of an admin listener`)
  return { host, port: Number(port) }
}

function tokenOf({ options }: Invocation): string {
  const file = options['token-file']
  if (file === undefined) return process.env.SLUICE_ADMIN_TOKEN ?? ''
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new UsageError(`--token-file: ${(error as Error).message}`)
  }
}

async function get(place: Place, path: string, token = '') {
  const { promise, resolve } = Promise.withResolvers<{ status: number; body: string } | undefined>()
  const headers = { Host: 'localhost', ...(token && { Authorization: `Bearer ${token}` }) }
  const signal = AbortSignal.timeout(patienceMs)
  const asked = request({ ...place, path, headers, signal, agent: false }, async (answer) => {
    try {
      resolve({ status: answer.statusCode ?? 0, body: await text(answer) })
    } catch {
      resolve(undefined)
    }
  })
  asked.on('error', () => resolve(undefined))
  asked.end()
  return promise
}

async function showMore(place: Place, token: string): Promise<void> {
  const answer = await get(place, '/status', token)
  if (answer === undefined) return
  const said = JSON.parse(answer.body)
  if (answer.status !== 200) {
    console.error(`sluice: ${said.error}`)
    return
  }
  const waiting = Object.entries(said.blockedOn as Record<string, number>)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`)
  const rows = [
    ['version', said.version],
    ['process', `${said.pid}, up for ${showDuration(said.uptimeSeconds * 1000)}`],
    ['listening', said.listening.join(', ')],
    ['connections', [said.connections, ...waiting].join(', ')],
    ['requests', String(said.requests)],
    ['files', `${said.cache.files} open or in memory`],
  ]
  console.log(columns(rows))
}
