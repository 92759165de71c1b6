// How one check of a target is made: a connection, and for HTTP a request by undici on a connection
// of its own, so that accepting is checked each time. Main thread. undici is loaded when the first
// such check needs it. Must never keep a socket beyond the check.

import type { Socket } from 'node:net'
import type { ResolvedHealth, ResolvedTargetTls } from '../config/resolved.ts'
import { matchesStatus } from '../config/status-pattern.ts'
import type { NativeEndpoint } from '../native/values.ts'
import type { Probe } from './health-check.ts'
import { open, wayTo } from './relay-connect.ts'

export interface Probed {
  endpoint: NativeEndpoint
  /** For the Host field, unless the check has one. */
  authority: string
  /** The target wants a header of the PROXY protocol first. */
  proxyProtocol: false | 'v1' | 'v2'
  health: ResolvedHealth
  /** TLS is spoken with it, and how. */
  secure: boolean
  tls: ResolvedTargetTls
}

/** What is looked at of an answer's body. */
const mostBodyBytes = 64 * 1024

/** "This connection is the proxy's own": nobody is forwarded for. */
const headers = {
  v1: Buffer.from('PROXY UNKNOWN\r\n'),
  v2: Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'),
}

/** Loads what a check needs, so that loading is not taken for a slow target. */
export async function prepareProbes({ tcp }: ResolvedHealth): Promise<void> {
  if (!tcp) await import('undici')
}

/** The check that `health` asks for. */
export function probeOf(probed: Probed): Probe {
  if (!probed.health.tcp) return (signal) => ask(probed, signal)
  return async (signal) => {
    const socket = await connected(probed, signal)
    socket.destroy()
  }
}

/** A connection, its PROXY header written. */
function connected(probed: Probed, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = open(wayTo(probed, probed), () => {
    if (probed.proxyProtocol !== false) socket.write(headers[probed.proxyProtocol])
    resolve(socket)
  })
  // Stays: an error after the check has got what it wanted is nobody's business.
  socket.on('error', reject)
  const giveUp = () => socket.destroy(new Error('the check was given up'))
  if (signal.aborted) giveUp()
  signal.addEventListener('abort', giveUp, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', giveUp))
  return promise
}

async function ask(probed: Probed, signal: AbortSignal): Promise<void> {
  const { health, authority } = probed
  const { Client } = await import('undici')
  const client = new Client(`http://${authority}`, {
    pipelining: 0,
    connect: (_options, done) => {
      connected(probed, signal).then(
        (socket) => done(null, socket),
        (error) => done(error, null),
      )
    },
  })
  try {
    const { statusCode, body } = await client.request({
      path: health.path,
      method: health.method,
      headers: { host: health.host || authority, 'user-agent': 'sluice-health-check' },
      signal,
    })
    body.on('error', () => {})
    if (!health.status.some((pattern) => matchesStatus(pattern, statusCode))) {
      throw new Error(`status ${statusCode}`)
    }
    if (health.body !== '' && !(await contains(body, health.body))) {
      throw new Error(`the answer lacks ${JSON.stringify(health.body)}`)
    }
  } finally {
    await client.destroy()
  }
}

/** Whether `wanted` is in the first bytes. */
async function contains(body: AsyncIterable<Buffer>, wanted: string): Promise<boolean> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= mostBodyBytes) break
  }
  return Buffer.concat(chunks).subarray(0, mostBodyBytes).includes(wanted)
}
