// The sockets of the admin listener. Bound by the core, which knows whether somebody else is there
// and replaces the unix socket of a dead process; Node is handed the descriptor, so that its close
// does not remove a path that a successor has taken over. Main thread.

import { lstatSync, rmSync } from 'node:fs'
import type { ResolvedAdmin } from '../config/resolved-admin.ts'
import { loadAddon } from '../native/addon.ts'
import { type InheritedSocket, takeFor } from '../native/inheritance.ts'
import type { NativeAddress } from '../native/interface.ts'
import { ListenError } from '../native/listening.ts'

export interface AdminSocket {
  fd: number
  address: NativeAddress
  /** Of a unix socket's path: only that one is ever removed; 0: none. */
  inode: number
  /** Removes the path, if it is still this socket's. */
  hide(): void
}

/** What `admin` asks for, taken out of what was inherited if it is there. Throws a ListenError. */
export function bindAdmin(options: ResolvedAdmin, inherited: InheritedSocket[]): AdminSocket[] {
  const { host = '127.0.0.1', port, path } = options
  const wanted: NativeAddress[] = []
  if (port !== undefined) wanted.push({ kind: 'tcp', host, port })
  if (path !== undefined) wanted.push({ kind: 'unix', path })
  return wanted.map((address) => {
    const [fd] = takeFor(inherited, address)
    return fd === undefined ? bound(address) : socketOf(fd, address)
  })
}

/** A socket that exists already. */
export function socketOf(fd: number, address: NativeAddress): AdminSocket {
  const inode = address.kind === 'unix' ? inodeOf(address.path) : 0
  return {
    fd,
    address,
    inode,
    hide() {
      if (address.kind === 'unix' && this.inode !== 0 && inodeOf(address.path) === this.inode) {
        rmSync(address.path, { force: true })
      }
    },
  }
}

function bound(address: NativeAddress): AdminSocket {
  try {
    const addon = loadAddon()
    const { fd, address: real } =
      address.kind === 'tcp'
        ? addon.bindSocket(address.host, address.port)
        : addon.bindSocket(address.path, null)
    return socketOf(fd, real)
  } catch (error) {
    throw new ListenError([address], error)
  }
}

function inodeOf(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.ino ?? 0
}
