// The program of the process that is an app: evaluates the configuration, serves its functions, and
// ends when it is told to, or at once when the gateway is gone. Nothing of the gateway runs here.

import { ConfigError } from '../config/errors.ts'
import type { PublishTo } from '../native/publication.ts'
import { type App, startApp } from './app.ts'
import { importFunctions } from './import-config.ts'
import { installLightRequest } from './light-request.ts'
import { installLightResponse } from './light-response.ts'
import { logChannel } from './log-channel.ts'
import type { FromApp, StartMessage, ToApp } from './messages.ts'
import { asError } from './thrown.ts'

/** Of the time that the app has to start. */
const mountShare = 0.8

let app: App | undefined

function send(message: FromApp, onSent: () => void = () => {}): void {
  // A channel that has closed means that nobody is there to be told.
  if (process.connected) process.send?.(message, onSent)
}

const log = logChannel((lines, onSent) => send({ type: 'log', lines }, onSent))

const publish: PublishTo = (channel, publication) => send({ type: 'publish', channel, publication })

// Its own children are in its process group, and have nobody to serve either.
function endWithGateway(): void {
  process.kill(-process.pid, 'SIGKILL')
}

async function start(message: StartMessage): Promise<void> {
  try {
    const functions = await importFunctions(message)
    // Since the process began; the rest is for saying what did not come up.
    const patience = message.resolved.timeouts.appStart * mountShare - performance.now()
    const mountPatience = Math.max(patience, 0)
    app = await startApp({ ...message, functions, log, publish, mountPatience })
    send({ type: 'ready', sockets: app.sockets, host: app.host })
  } catch (error) {
    const { stack } = error instanceof Error ? error : { stack: String(error) }
    const unknown = [{ path: '', message: stack ?? String(error) }]
    const problems = error instanceof ConfigError ? error.problems : unknown
    send({ type: 'failed', problems }, () => process.exit(1))
  }
}

async function drain(): Promise<void> {
  await app?.drain()
  process.exit(0)
}

installLightRequest()
installLightResponse()
process.on('message', (message: ToApp) => {
  if (message.type === 'ping') send({ type: 'pong', sequence: message.sequence })
  else void start(message)
})
process.on('disconnect', endWithGateway)
process.on('SIGTERM', () => void drain())
// Ctrl-C in a terminal goes to the gateway, which decides.
process.on('SIGINT', () => {})
// A promise that nobody waits for belongs to no request that could be answered with a 500.
process.on('unhandledRejection', (reason) => {
  log('error', { err: asError(reason) }, 'a promise was rejected and nobody handled it')
})
