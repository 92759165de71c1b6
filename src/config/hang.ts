// Where a thread is stuck: asks the inspector of a worker thread to stop at the next statement.
// Used once, when the evaluation of a configuration has run out of time; the thread is terminated
// after.

import { setTimeout as delay } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import type { SourcePlace } from './failure.ts'

interface Frame {
  location: { scriptId: string; lineNumber: number }
}

interface Message {
  method?: string
  params?: { scriptId?: string; url?: string; callFrames?: Frame[] }
}

// The inspector answers at once, but a machine may be very busy.
const patienceMs = 20_000
const observedMs = 100

/** The innermost place in a file that the thread is executing; undefined when it waits. */
export async function whereStuck(worker: Worker): Promise<SourcePlace | undefined> {
  return (await isWaiting(worker)) ? undefined : whereRunning(worker)
}

async function isWaiting(worker: Worker): Promise<boolean> {
  const before = worker.performance.eventLoopUtilization()
  await delay(observedMs)
  const { idle } = worker.performance.eventLoopUtilization(before)
  return idle > observedMs / 2
}

async function whereRunning(worker: Worker): Promise<SourcePlace | undefined> {
  const { Session } = await import('node:inspector')
  const session = new Session()
  session.connect()
  const { promise, resolve } = Promise.withResolvers<SourcePlace | undefined>()
  const timer = setTimeout(resolve, patienceMs, undefined)
  const urls = new Map<string, string>()
  let target = ''
  let sent = 0
  const post = (method: string) => {
    const message = JSON.stringify({ id: ++sent, method })
    session.post('NodeWorker.sendMessageToWorker', { sessionId: target, message })
  }
  session.on('NodeWorker.attachedToWorker', ({ params }) => {
    // The title is '[worker 7] name' or 'Worker 7'; the inspector's own ids are others.
    if (/\d+/.exec(params.workerInfo.title)?.[0] !== String(worker.threadId)) return
    target = params.sessionId
    post('Debugger.enable')
    post('Debugger.pause')
  })
  session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
    const { method, params: event }: Message = JSON.parse(params.message)
    if (method === 'Debugger.scriptParsed') urls.set(event?.scriptId ?? '', event?.url ?? '')
    if (method !== 'Debugger.paused') return
    const place = innermost(event?.callFrames ?? [], urls)
    if (place !== undefined) return resolve(place)
    // In Node's own code, on the way to or from a file: look again a little later.
    post('Debugger.resume')
    post('Debugger.pause')
  })
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
  const place = await promise
  clearTimeout(timer)
  // A thread that is still paused could not be terminated.
  if (target !== '') post('Debugger.disable')
  void worker.terminate().then(() => session.disconnect())
  return place
}

function innermost(frames: Frame[], urls: Map<string, string>): SourcePlace | undefined {
  const own = new URL('.', import.meta.url).href
  for (const { location } of frames) {
    const url = urls.get(location.scriptId) ?? ''
    const isTheirs = url.startsWith('file:') && !url.startsWith(own)
    if (isTheirs) return { url, line: location.lineNumber + 1 }
  }
  return undefined
}
