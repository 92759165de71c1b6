// Where the admin listener is: binds, tells who is in the way, removes the unix socket of a process
// that has died. Main thread.

import { lstatSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { type AddressInfo, createConnection } from 'node:net'
import type { ResolvedAdmin } from '../config/resolved-admin.ts'
import type { NativeAddress } from '../native/interface.ts'
import { ListenError } from '../native/listening.ts'

/** The addresses that `admin` asks for. */
export function wantedBy({ host = '127.0.0.1', port, path }: ResolvedAdmin): NativeAddress[] {
  const wanted: NativeAddress[] = []
  if (port !== undefined) wanted.push({ kind: 'tcp', host, port })
  if (path !== undefined) wanted.push({ kind: 'unix', path })
  return wanted
}

/** Listens, and says where. Rejects with a ListenError. */
export async function listenOn(server: Server, address: NativeAddress): Promise<NativeAddress> {
  try {
    if (address.kind === 'unix') await removeDead(address.path)
    await bind(server, address)
  } catch (error) {
    throw new ListenError([address], error)
  }
  if (address.kind === 'unix') return address
  return { ...address, port: (server.address() as AddressInfo).port }
}

function bind(server: Server, address: NativeAddress): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  const { kind: _, ...place } = address
  server.listen(place, () => {
    server.off('error', reject)
    // What goes wrong with one connection is for that connection.
    server.on('error', () => {})
    resolve()
  })
  return promise
}

/** Nothing but a socket that nobody answers on is ever removed. */
async function removeDead(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const probe = createConnection(path)
  probe.on('connect', () => resolve(false))
  probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  const isDead = await promise
  probe.destroy()
  if (isDead) rmSync(path, { force: true })
}
