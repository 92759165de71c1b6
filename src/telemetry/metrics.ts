// Which metrics there are, from the snapshot that stats() gives. Main thread; every name and label
// stands in docs/METRICS.md, which a test compares.

import type { NativeCapability } from '../native/interface.ts'
import { addChannels, addRelays } from './channel-metrics.ts'
import {
  Exposition,
  type Labels,
  loopBoundsUs,
  type Observations,
  responseBoundsUs,
} from './exposition.ts'
import { addMirrors } from './mirror-metrics.ts'
import { addProcess } from './process-metrics.ts'
import type { GatewayStats, LatencyStats } from './stats.ts'
import { addTls } from './tls-metrics.ts'
import { addUpstreams } from './upstream-metrics.ts'

export interface MetricsSources {
  stats: GatewayStats
  capabilities: readonly NativeCapability[]
  version: string
  isReady: boolean
  isDraining: boolean
  /** How late the main thread's loop is. */
  mainLag: Observations
  /** Requests to the admin listener that had one. */
  wrongTokens: number
}

type Sample = [Labels, number]

/** The text that a scrape gets. */
export function renderMetrics(sources: MetricsSources): string {
  const page = new Exposition()
  const { stats } = sources
  addGateway(page, sources)
  addTraffic(page, stats)
  addConnections(page, stats)
  addTls(page, stats)
  addQuestions(page, stats)
  addCache(page, stats)
  addTransfer(page, stats)
  addChannels(page, stats.channels)
  addRelays(page, stats.relays)
  addUpstreams(page, stats.upstreams)
  addMirrors(page, stats.total.mirrors)
  addLog(page, stats)
  addProcess(page)
  page.histogram(
    'sluice_main_loop_lag_seconds',
    'How late the main thread is, looked at twice a second.',
    loopBoundsUs,
    [[{}, sources.mainLag]],
  )
  return page.toString()
}

const one = (value: number | boolean): Sample[] => [[{}, Number(value)]]

/** A sample for each entry of a record. */
function by(label: string, record: Record<string, number>): Sample[] {
  return Object.entries(record).map(([name, value]) => [{ [label]: name }, value])
}

function addGateway(page: Exposition, { version, isReady, isDraining, ...rest }: MetricsSources) {
  const info: Sample[] = [[{ version, node: process.version }, 1]]
  page.gauge('sluice_build_info', 'Always 1; the versions are labels.', info)
  page.gauge('sluice_ready', 'Whether /readyz says so.', one(isReady))
  page.gauge('sluice_draining', 'Whether the gateway is ending.', one(isDraining))
  page.gauge(
    'sluice_capability',
    'Whether the kernel and its filters allow it here; 0: the fallback is used.',
    rest.capabilities.map(({ name, available }) => [{ name }, Number(available)]),
  )
  const wrong = 'Requests to the admin listener with a wrong token.'
  page.counter('sluice_admin_wrong_tokens', wrong, one(rest.wrongTokens))
}

function kindOf({ route, upstream, status, engine }: LatencyStats): Labels {
  return { route, upstream, status, engine }
}

function addTraffic(page: Exposition, { total, latencies }: GatewayStats) {
  page.counter('sluice_requests', 'Requests that were answered or forwarded.', one(total.requests))
  page.counter('sluice_responses', 'Answers by status.', by('code', total.statuses))
  page.counter(
    'sluice_errors',
    'What made an answer or ended a connection, as in ERRORS.md.',
    by('error', total.errors),
  )
  page.histogram(
    'sluice_request_duration_seconds',
    'From the complete head to the last byte handed to the kernel, of answers that are out.',
    responseBoundsUs,
    latencies.map((latency) => [kindOf(latency), latency]),
  )
  page.counter(
    'sluice_response_body_bytes',
    'Bytes of the bodies of answers that are out.',
    latencies.map((latency) => [kindOf(latency), latency.bytes]),
  )
}

function addConnections(page: Exposition, { total, workers }: GatewayStats) {
  page.counter('sluice_connections_accepted', 'Client connections.', one(total.accepted))
  page.counter(
    'sluice_connections_refused',
    'Client connections closed at once, because of a limit.',
    one(total.refused),
  )
  page.gauge(
    'sluice_connections',
    'Open client connections by what they wait for.',
    by('blocked_on', total.blockedOn),
  )
  page.counter('sluice_received_bytes', 'From clients.', one(total.bytesIn))
  page.counter('sluice_sent_bytes', 'To clients.', one(total.bytesOut))
  page.gauge(
    'sluice_worker_connections',
    'Open client connections of a worker.',
    workers.map(({ connections }, worker) => [{ worker }, connections]),
  )
  page.histogram(
    'sluice_worker_turn_seconds',
    'How long turns of the loops of workers take, which others have to wait for.',
    loopBoundsUs,
    workers.map(({ turnTimes }, worker) => [{ worker }, turnTimes]),
  )
}

function addQuestions(page: Exposition, { total, questions }: GatewayStats) {
  const { pending, ...outcomes } = questions
  page.counter(
    'sluice_questions',
    'Questions of workers about files: all that were asked, and what became of some.',
    by('event', outcomes),
  )
  page.gauge('sluice_questions_pending', 'Questions that are undecided.', one(pending))
  page.gauge('sluice_requests_parked', 'Requests that wait for an answer.', one(total.parked))
  page.counter(
    'sluice_remembered_requests',
    'Requests answered without a question.',
    one(total.remembered),
  )
  page.gauge('sluice_remembered_answers', 'Answers in the tables of workers.', one(total.answers))
}

function addCache(page: Exposition, { cache, files, watched, compression }: GatewayStats) {
  page.gauge('sluice_cache_files', 'Files in the cache.', one(cache.files))
  page.gauge('sluice_cache_bytes', 'Bytes that they hold in memory.', one(cache.heldBytes))
  page.gauge('sluice_cache_answers', 'Answers remembered, absences too.', one(cache.answers))
  page.counter(
    'sluice_cache_events',
    'Looks at the disk, files opened and found open, evictions, closed because idle, out of date.',
    by('event', {
      looked: cache.looks,
      opened: cache.opened,
      shared: cache.shared,
      evicted_file: cache.evictedFiles,
      evicted_answer: cache.evictedAnswers,
      idle_file: cache.idleFiles,
      stale_answer: cache.stale,
    }),
  )
  page.gauge('sluice_file_descriptors', 'Descriptors of served files.', one(files.descriptors))
  page.gauge('sluice_file_bytes', 'Bytes of served files in memory.', one(files.heldBytes))
  const { changes, ...under } = watched
  page.gauge('sluice_watched', 'What inotify watches.', by('kind', under))
  page.counter('sluice_watched_changes', 'Changes that it told.', one(changes))
  const { waiting, bytesIn, bytesOut, ...encodings } = compression
  page.gauge('sluice_compression_waiting', 'Files that wait to be encoded.', one(waiting))
  page.counter('sluice_compression', 'Encodings by outcome.', by('outcome', encodings))
  page.counter('sluice_compression_read_bytes', 'Of files, encoded.', one(bytesIn))
  page.counter('sluice_compression_written_bytes', 'Of their encodings.', one(bytesOut))
}

function addTransfer(page: Exposition, { total, io }: GatewayStats) {
  const engines = Object.entries(total.engines)
  page.counter(
    'sluice_engine_responses',
    'Answers by the engine that moved their body.',
    engines.map(([engine, { responses }]) => [{ engine }, responses]),
  )
  page.counter(
    'sluice_engine_bytes',
    'Body bytes moved by each engine, both ways.',
    engines.map(([engine, { bytes }]) => [{ engine }, bytes]),
  )
  page.gauge('sluice_pipes', 'Pipes that bodies are spliced through.', one(total.pipes.open))
  page.counter('sluice_pipes_made', 'Pipes made.', one(total.pipes.made))
  page.counter(
    'sluice_pipes_refused',
    'Times that no pipe could be had, so that bytes were copied.',
    one(total.pipes.refused),
  )
  const calls = (threads: string, record: Record<string, number>): Sample[] =>
    Object.entries(record).map(([call, count]) => [{ threads, call }, count])
  page.counter('sluice_syscalls', 'System calls by kind.', [
    ...calls('workers', total.syscalls),
    ...calls('io', io.syscalls),
  ])
  page.gauge('sluice_io_threads', 'Threads for what may block on a disk.', one(io.threads))
  page.gauge('sluice_io_jobs_waiting', 'Jobs that wait for one of them.', one(io.waiting))
  page.counter('sluice_io_jobs', 'Jobs done.', one(io.done))
}

function addLog(page: Exposition, { accessLog }: GatewayStats) {
  const { lines, bytes, dropped } = accessLog
  page.counter('sluice_access_log_lines', 'Lines written.', one(lines))
  page.counter('sluice_access_log_bytes', 'Bytes of them.', one(bytes))
  page.counter('sluice_access_log_dropped_lines', 'Lines that nobody took.', one(dropped))
}
