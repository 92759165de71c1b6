// The metrics of targets. Main thread. Names of upstreams and targets come from the configuration
// and from DNS, which bounds how many there are (config and src/proxy/lookup.ts).

import type { Exposition, Labels } from './exposition.ts'
import type { TargetStats, UpstreamStats } from './upstream-stats.ts'

export function addUpstreams(page: Exposition, upstreams: readonly UpstreamStats[]): void {
  page.gauge(
    'sluice_upstream_queued',
    'Requests that wait for a target.',
    upstreams.map(({ name, queued }) => [{ upstream: name }, queued]),
  )
  page.gauge(
    'sluice_upstream_unresolved',
    'Targets whose names have no address.',
    upstreams.map(({ name, unresolved }) => [{ upstream: name }, unresolved.length]),
  )
  const each = (value: (target: TargetStats) => number): [Labels, number][] =>
    upstreams.flatMap(({ name, targets }) =>
      targets.map((target): [Labels, number] => [
        { upstream: name, target: target.url, address: target.address },
        value(target),
      ]),
    )
  page.gauge(
    'sluice_target_healthy',
    'Whether it gets requests as far as active checks say; 1 without them.',
    each(({ health }) => Number(health === 'up' || health === 'unwatched')),
  )
  page.gauge(
    'sluice_target_ejected',
    'Whether it is kept from requests because it failed too many.',
    each(({ ejected }) => Number(ejected)),
  )
  page.gauge(
    'sluice_target_draining',
    'Whether an operator drains it.',
    each(({ draining }) => Number(draining)),
  )
  page.gauge(
    'sluice_target_active',
    'Requests under way.',
    each(({ active }) => active),
  )
  page.gauge(
    'sluice_target_connections',
    'Open connections.',
    each(({ connections }) => connections),
  )
  page.counter(
    'sluice_target_requests',
    'Requests sent.',
    each(({ requests }) => requests),
  )
  page.counter(
    'sluice_target_connects',
    'Connections made.',
    each(({ connects }) => connects),
  )
  page.counter(
    'sluice_target_failures',
    'Requests and connections that failed.',
    each(({ failures }) => failures),
  )
  page.counter(
    'sluice_target_retries',
    'Requests that went on to another target.',
    each(({ retries }) => retries),
  )
}
