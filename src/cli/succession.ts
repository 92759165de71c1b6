// A process takes over from another without losing a connection: the listening sockets themselves
// pass over a unix socket (SCM_RIGHTS), so that what waits in their queues is not lost.
//
//   successor                                        predecessor
//   connects ───────────────────────────────────────> checks who it is
//   <── one message for each address, with sockets ── goes on serving
//   <──────────────── keys of TLS tickets, as the end
//   starts, listens on them, then 'ready PID' ──────> drains and ends
//
// A successor that fails before 'ready' changes nothing. Main thread.

import { lstatSync, rmSync } from 'node:fs'
import { createServer, type Server, Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { loadAddon } from '../native/addon.ts'
import type { InheritedSocket } from '../native/inheritance.ts'
import { isSameAddress } from '../native/inheritance.ts'
import type { NativeAddress } from '../native/interface.ts'
import { ListenError } from '../native/listening.ts'

const patienceMs = 10_000
/** Of one message. */
const mostDescriptors = 200
const absent = ['ENOENT', 'ECONNREFUSED']

/** What a predecessor gave, and how it is told that it may go. */
export interface Inheritance {
  sockets: InheritedSocket[]
  /** Under which TLS sessions go on; empty: none. */
  ticketKeys: Uint8Array
  /** Of this very rendezvous. */
  rendezvous: number | undefined
  /** Throws when it cannot be told, though it lives. */
  ready(): void
}

/** Asks whoever serves behind the socket at `path`; undefined: there is nobody. */
export function inheritFrom(path: string): Inheritance | undefined {
  const addon = loadAddon()
  const connection = connect(path)
  if (connection === undefined) return undefined
  checkUser(connection, `the process behind ${path}`)
  const sockets: InheritedSocket[] = []
  let ticketKeys: Uint8Array
  let predecessor = 0
  for (;;) {
    const { text, descriptors } = addon.receiveDescriptors(connection)
    if (text === '') throw new Error(`the process behind ${path} gave up`)
    const { address, tickets = '', pid = 0 } = JSON.parse(text.split('\n', 1)[0] ?? '') as Message
    if (address !== undefined) sockets.push(...descriptors.map((fd) => ({ fd, address })))
    addon.sendDescriptors(connection, 'next\n', [])
    if (address !== undefined) continue
    ticketKeys = Buffer.from(tickets, 'base64')
    predecessor = pid
    break
  }
  const own = { kind: 'unix' as const, path }
  const rendezvous = sockets.find(({ address }) => isSameAddress(address, own))
  return {
    sockets: sockets.filter((socket) => socket !== rendezvous),
    ticketKeys,
    rendezvous: rendezvous?.fd,
    ready: () => {
      try {
        addon.sendDescriptors(connection, `ready ${process.pid}\n`, [])
      } catch (error) {
        // Who was killed meanwhile serves nobody: the sockets are this process's alone.
        if (isAlive(predecessor)) throw error
      }
      new Socket({ fd: connection }).destroy()
    },
  }
}

/** The last one has no address. */
interface Message {
  address?: NativeAddress
  tickets?: string
  pid?: number
}

/** 0: unknown, which is taken for alive. */
function isAlive(pid: number): boolean {
  if (pid === 0) return true
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

function connect(path: string): number | undefined {
  try {
    return loadAddon().connectTo(path, patienceMs)
  } catch (error) {
    if (absent.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** Sockets are handed to, and taken from, this user's processes and those of root alone. */
function checkUser(connection: number, who: string): void {
  const user = loadAddon().peerUser(connection)
  if (user === process.geteuid?.() || user === 0) return
  throw new Error(`${who} belongs to user ${user}`)
}

export interface RendezvousOptions {
  path: string
  /** The socket at `path`, where a predecessor gave it. */
  inherited: number | undefined
  sockets(): InheritedSocket[]
  ticketKeys(): Uint8Array
  /** A successor serves; its process id. */
  onSuccessor(pid: number): void
  onFault(message: string): void
}

/** Waits for a successor. */
export class Rendezvous {
  readonly #options: RendezvousOptions
  readonly #server: Server
  readonly #fd: number
  #inode: number

  /** Throws a ListenError. */
  constructor(options: RendezvousOptions) {
    const { path, inherited } = options
    this.#options = options
    try {
      this.#fd = inherited ?? loadAddon().bindSocket(path, null).fd
    } catch (error) {
      throw new ListenError([{ path }], error)
    }
    this.#inode = inodeOf(path)
    this.#server = createServer((socket) => this.#meet(socket))
    this.#server.on('error', () => {})
    this.#server.listen({ fd: this.#fd })
    this.#server.unref()
  }

  /** Nobody is waited for any more. */
  close(): void {
    if (!this.#server.listening) return
    this.#server.close()
    const { path } = this.#options
    if (this.#inode !== 0 && inodeOf(path) === this.#inode) rmSync(path, { force: true })
  }

  #meet(socket: Socket): void {
    socket.on('error', () => {})
    socket.setTimeout(patienceMs * 6, () => socket.destroy())
    // The descriptor of a socket is not in Node's documentation; there is no other way to it.
    const { fd } = (socket as unknown as { _handle: { fd: number } })._handle
    const messages = this.#messages()
    const give = () => {
      const next = messages.shift()
      if (next !== undefined) loadAddon().sendDescriptors(fd, `${next.text}\n`, next.fds)
    }
    try {
      checkUser(fd, 'who wants to take over')
      give()
    } catch (error) {
      this.#options.onFault(`a successor got no sockets: ${(error as Error).message}`)
      socket.destroy()
      return
    }
    createInterface({ input: socket }).on('line', (line) => {
      const [word, pid] = line.split(' ')
      if (word === 'next') give()
      if (word === 'ready') this.#leave(Number(pid))
    })
  }

  #messages(): { text: string; fds: number[] }[] {
    const own = { fd: this.#fd, address: { kind: 'unix' as const, path: this.#options.path } }
    const byAddress = new Map<string, number[]>()
    for (const { fd, address } of [...this.#options.sockets(), own]) {
      const key = JSON.stringify({ address })
      byAddress.set(key, [...(byAddress.get(key) ?? []), fd])
    }
    const parts = [...byAddress].flatMap(([text, fds]) =>
      Array.from({ length: Math.ceil(fds.length / mostDescriptors) }, (_, part) => ({
        text,
        fds: fds.slice(part * mostDescriptors, (part + 1) * mostDescriptors),
      })),
    )
    const tickets = Buffer.from(this.#options.ticketKeys()).toString('base64')
    return [...parts, { text: JSON.stringify({ tickets, pid: process.pid }), fds: [] }]
  }

  #leave(pid: number): void {
    this.#inode = 0
    this.#server.close()
    this.#options.onSuccessor(pid)
  }
}

function inodeOf(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.ino ?? 0
}
