// What the admin listener answers, as a table: method, path, whether it needs the token, and the
// function. Main thread. Must never hold a request for long: everything is at hand or refused.

import { ConfigError } from '../config/errors.ts'
import { UpstreamError } from '../proxy/upstreams.ts'
import { logLevels } from '../telemetry/log.ts'
import type { LoopLag } from '../telemetry/loop-lag.ts'
import { renderMetrics } from '../telemetry/metrics.ts'
import { packageInfo } from '../telemetry/package-info.ts'
import type { AdminSubject } from './subject.ts'

/** A worker that is silent for longer than this hangs. */
const longestSilenceMs = 10_000

export interface AdminReply {
  status: number
  /** Text is sent as it is, anything else as JSON. */
  body: unknown
  type?: string
}

export interface AdminCall {
  subject: AdminSubject
  lag: LoopLag
  /** Requests with a wrong token. */
  guesses: number
  /** What the `:name` of the endpoint's path matched, decoded. */
  name: string
  /** The parsed body; {} without one. */
  body: Record<string, unknown>
}

export interface Endpoint {
  method: 'GET' | 'POST' | 'PUT'
  path: string
  isOpen?: boolean
  summary: string
  answer(call: AdminCall): AdminReply | Promise<AdminReply>
}

/** The request is wrong; the message says how. */
export class AdminInputError extends Error {
  readonly code = 'ERR_SLUICE_ADMIN_INPUT'
  override name = 'AdminInputError'
}

const fine: AdminReply = { status: 200, body: { ok: true } }

function textOf(body: Record<string, unknown>, key: string): string {
  const value = body[key]
  if (typeof value === 'string' && value !== '') return value
  throw new AdminInputError(`the body needs "${key}", a string`)
}

function live({ subject }: AdminCall): AdminReply {
  const silentMs = subject.silenceMs()
  if (silentMs < longestSilenceMs) return { status: 200, body: 'ok\n' }
  return { status: 503, body: `a worker has been silent for ${Math.round(silentMs / 1000)} s\n` }
}

function ready({ subject }: AdminCall): AdminReply {
  const phase = subject.phase()
  return { status: phase === 'serving' ? 200 : 503, body: `${phase}\n` }
}

function metrics({ subject, lag, guesses }: AdminCall): AdminReply {
  const phase = subject.phase()
  const body = renderMetrics({
    stats: subject.stats(),
    capabilities: subject.capabilities(),
    version: packageInfo().version,
    isReady: phase === 'serving',
    isDraining: phase === 'leaving' || phase === 'draining',
    mainLag: lag.observations(),
    wrongTokens: guesses,
  })
  return { status: 200, body, type: 'text/plain; version=0.0.4; charset=utf-8' }
}

function status({ subject }: AdminCall): AdminReply {
  const { total, cache, questions, workers, accessLog } = subject.stats()
  const { accepted, connections, requests, bytesIn, bytesOut, blockedOn, pipes, engines } = total
  const body = {
    version: packageInfo().version,
    pid: process.pid,
    phase: subject.phase(),
    uptimeSeconds: Math.round(process.uptime()),
    listening: subject.addresses().map(({ url }) => url),
    workers: workers.length,
    accepted,
    connections,
    blockedOn,
    requests,
    bytesIn,
    bytesOut,
    engines,
    pipes,
    cache,
    questions,
    accessLog,
    capabilities: subject.capabilities(),
  }
  return { status: 200, body }
}

function add({ subject, name, body }: AdminCall): AdminReply {
  const { target } = body
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target)
  if (!isObject) subject.upstreams.add(name, textOf(body, 'target'))
  // What is in it is judged as that of a configuration would be.
  else subject.upstreams.add(name, target as never)
  return fine
}

function steer(verb: 'remove' | 'drain' | 'undrain') {
  return ({ subject, name, body }: AdminCall): AdminReply => {
    subject.upstreams[verb](name, textOf(body, 'target'))
    return fine
  }
}

async function reload({ subject }: AdminCall): Promise<AdminReply> {
  const { generation, changed, warnings } = await subject.reload()
  return { status: 200, body: { generation, changed, warnings } }
}

function evict({ subject, body }: AdminCall): AdminReply {
  const path = textOf(body, 'path')
  if (!path.startsWith('/')) throw new AdminInputError('"path" begins with a slash')
  const host = body.host === undefined ? '' : textOf(body, 'host')
  const { beneath = false } = body
  if (typeof beneath !== 'boolean') throw new AdminInputError('"beneath" is true or false')
  return { status: 200, body: { evicted: subject.evict({ path, host, beneath }) } }
}

function showLevel({ subject }: AdminCall): AdminReply {
  return { status: 200, body: { level: subject.logger.level ?? null } }
}

function setLevel({ subject, body }: AdminCall): AdminReply {
  const level = logLevels.find((known) => known === body.level)
  if (level === undefined) throw new AdminInputError(`"level" is one of ${logLevels.join(', ')}`)
  if (subject.logger.level === undefined) {
    return { status: 409, body: { error: 'the logger of this program has no level' } }
  }
  subject.logger.level = level
  return showLevel({ subject } as AdminCall)
}

export const endpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: '/livez',
    isOpen: true,
    summary: '200 while every thread works',
    answer: live,
  },
  {
    method: 'GET',
    path: '/readyz',
    isOpen: true,
    summary: '200 while requests are welcome',
    answer: ready,
  },
  {
    method: 'GET',
    path: '/metrics',
    isOpen: true,
    summary: 'metrics in the text format of Prometheus',
    answer: metrics,
  },
  { method: 'GET', path: '/status', summary: 'what the gateway is doing', answer: status },
  {
    method: 'GET',
    path: '/upstreams',
    summary: 'targets and their health',
    answer: ({ subject }) => ({ status: 200, body: subject.stats().upstreams }),
  },
  { method: 'POST', path: '/upstreams/:name/add', summary: 'add {"target"}', answer: add },
  {
    method: 'POST',
    path: '/upstreams/:name/remove',
    summary: 'take {"target"} out',
    answer: steer('remove'),
  },
  {
    method: 'POST',
    path: '/upstreams/:name/drain',
    summary: 'no new requests to {"target"}',
    answer: steer('drain'),
  },
  {
    method: 'POST',
    path: '/upstreams/:name/undrain',
    summary: 'requests to {"target"} again',
    answer: steer('undrain'),
  },
  {
    method: 'POST',
    path: '/reload',
    summary: 'read the configuration again',
    answer: reload,
  },
  {
    method: 'POST',
    path: '/evict',
    summary: 'forget {"path", "host", "beneath"}',
    answer: evict,
  },
  {
    method: 'POST',
    path: '/reopen-logs',
    summary: 'open the access log anew',
    answer: ({ subject }) => {
      subject.reopenLogs()
      return fine
    },
  },
  { method: 'GET', path: '/log-level', summary: 'what is logged', answer: showLevel },
  { method: 'PUT', path: '/log-level', summary: 'log from {"level"} on', answer: setLevel },
]

/** The answer for what an endpoint threw; undefined: a fault of ours. */
export function refusal(error: unknown): AdminReply | undefined {
  const isInput = error instanceof AdminInputError || error instanceof ConfigError
  if (isInput) return { status: 400, body: { error: error.message } }
  if (error instanceof UpstreamError) return { status: 404, body: { error: error.message } }
  return undefined
}
