// What a server costs that does nothing: memory after its start, memory of its own for each idle
// connection, and how often it wakes up. Every server is started afresh for it.

import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { cpuTime, ownMemory, residentMemory, wakeUps } from './process-tree.ts'
import { type Place, type RunningServer, type ServerKind, start } from './servers.ts'

export interface IdleFigure {
  server: string
  /** Resident and own memory of the process tree after a few requests, in bytes. */
  resident: number
  own: number
  connections: number
  /** Own memory that each idle kept connection adds, in bytes; the kernel's part is not in it. */
  perConnection: number
  /** Voluntary context switches of the whole tree, and its CPU time, while nobody asks. */
  wakeUpsPerSecond: number
  cpuMsPerSecond: number
}

export interface IdleEffort {
  connections: number
  seconds: number
}

/** `warmUp` has the server answer some requests first; `request` is what each connection asks. */
export async function measureIdle<P extends Place>(
  kind: ServerKind<P>,
  place: P,
  effort: IdleEffort,
  request: string,
  warmUp: (server: RunningServer) => Promise<unknown>,
): Promise<IdleFigure> {
  const server = await start(kind, place)
  try {
    await warmUp(server)
    await delay(500)
    const quiet = await whileIdle(server, effort.seconds)
    const resident = residentMemory(server.pid)
    const own = ownMemory(server.pid)
    const before = await settledMemory(server.pid)
    const sockets = await openIdle(request, server.port, effort.connections)
    const perConnection = ((await settledMemory(server.pid)) - before) / sockets.length
    for (const socket of sockets) socket.destroy()
    const connections = sockets.length
    return { server: kind.name, resident, own, connections, perConnection, ...quiet }
  } finally {
    await server.stop()
  }
}

/** Own memory once it changes no more: a garbage collector gives back late what a start took. */
async function settledMemory(pid: number): Promise<number> {
  const [stepMs, calmSteps, mostSteps, tolerance] = [500, 20, 120, 32 * 1024]
  let memory = ownMemory(pid)
  for (let calm = 0, step = 0; calm < calmSteps && step < mostSteps; step += 1) {
    await delay(stepMs)
    const now = ownMemory(pid)
    calm = Math.abs(now - memory) <= tolerance ? calm + 1 : 0
    if (calm === 0) memory = now
  }
  return memory
}

async function whileIdle(server: RunningServer, seconds: number) {
  const wakeUpsBefore = wakeUps(server.pid)
  const cpuBefore = cpuTime(server.pid).usedNs
  await delay(seconds * 1_000)
  return {
    wakeUpsPerSecond: (wakeUps(server.pid) - wakeUpsBefore) / seconds,
    cpuMsPerSecond: (cpuTime(server.pid).usedNs - cpuBefore) / 1e6 / seconds,
  }
}

/** Connections that have had one answer and are kept open. */
async function openIdle(text: string, port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = []
  const atOnce = 100
  while (sockets.length < count) {
    sockets.push(...(await Promise.all(Array.from({ length: atOnce }, () => askOnce(port, text)))))
  }
  return sockets
}

/** Resolves when the answer's last byte is here: 1 KiB comes in one piece. */
function askOnce(port: number, text: string): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(text))
  let got = 0
  socket.on('data', (bytes) => {
    got += bytes.length
    if (got >= 1024) resolve(socket)
  })
  socket.on('error', reject)
  socket.on('close', () => reject(new Error('a connection was closed at once')))
  return promise
}
