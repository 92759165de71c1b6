// Servers that a configuration mounts: each is started with a unix socket of its own, and has to
// listen there before the app is ready. Runs in the app. What a server is does not matter: that it
// accepts connections is found by connecting.

import { createConnection } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { MountFactory } from '../config/functions.ts'

/** A server that cannot be mounted; `message` says why. */
export class MountError extends Error {
  override name = 'MountError'
}

/** A mounted server that listens. */
export interface Mounted {
  /** Stops taking connections, as far as the server can be told; resolves when it has closed. */
  close(): Promise<void>
}

const retryMs = 20

/** Rejects with MountError, or with what the function throws. */
export async function startMount(
  start: MountFactory,
  path: string,
  patienceMs: number,
): Promise<Mounted> {
  const failed = Promise.withResolvers<never>()
  const late = () => {
    const message = "does not listen on its 'path' in time (timeouts.appStart): call listen(path)"
    failed.reject(new MountError(message))
  }
  const timer = setTimeout(late, patienceMs)
  let isOver = false
  const listening = async () => {
    const server = await start({ path })
    const unwatch = watchErrors(server, failed.reject)
    while (!isOver && !(await accepts(path))) await delay(retryMs)
    unwatch()
    return { close: () => closeServer(server) }
  }
  try {
    return await Promise.race([listening(), failed.promise])
  } finally {
    isOver = true
    clearTimeout(timer)
  }
}

type OnError = (error: Error) => void

// An 'error' while it starts (the path is taken, a directory is missing) is the reason why it does
// not listen; later ones are the server's own business.
function watchErrors(server: unknown, report: OnError): () => void {
  const { once, off } = (server ?? {}) as Record<string, (event: string, then: OnError) => void>
  if (typeof once !== 'function' || typeof off !== 'function') return () => {}
  once.call(server, 'error', report)
  return () => off.call(server, 'error', report)
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path })
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

// node:http and ws call back, Fastify gives a promise, others do neither.
async function closeServer(server: unknown): Promise<void> {
  const { close } = (server ?? {}) as { close?: (done?: () => void) => unknown }
  if (typeof close !== 'function') return
  await new Promise<void>((resolve, reject) => {
    const closed = close.call(server, resolve)
    if (isPromise(closed)) closed.then(() => resolve(), reject)
  })
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | null)?.then === 'function'
}
