// /metrics: what Prometheus makes of it, and that the figures are those of stats().

import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import test from 'ava'
import { channel, files, proxy, relay, respond } from '../../src/index.ts'
import { startWithAdmin } from '../support/admin.ts'
import { request } from '../support/client.ts'
import { makeSite } from '../support/site.ts'
import { startTarget } from '../support/target.ts'
import { pem, secure, TlsClient } from '../support/tls.ts'

const hasPromtool = spawnSync('promtool', ['--version']).status === 0
const withPromtool = hasPromtool ? test : test.skip

/** The value of a series. */
function figure(page: string, series: string): number {
  const line = page.split('\n').find((candidate) => candidate.startsWith(`${series} `))
  return Number(line?.slice(series.length + 1))
}

withPromtool('promtool finds nothing to say (needs the Debian package prometheus)', async (t) => {
  const target = await startTarget(t, 'app')
  const { root } = makeSite(t, { 'a.txt': 'a', 'large.bin': 'x'.repeat(100_000) })
  const { admin, get } = await startWithAdmin(t, {
    listen: [0, secure()],
    upstreams: { app: { targets: [target.url], health: { path: '/' } } },
    accessLog: { to: { file: `${root}/log` } },
    routes: { '/*': files(root), '/app/*': proxy('app'), '/a"b': respond(200, 'odd') },
  })
  for (const path of ['/a.txt', '/large.bin', '/none', '/app/', '/a%22b']) await get(path)
  const { body } = await admin('/metrics')
  const said = execFileSync('promtool', ['check', 'metrics'], { input: body })
  t.is(said.toString(), '')
})

test('figures are those of stats()', async (t) => {
  const { root } = makeSite(t, { 'a.txt': 'four' })
  const { admin, get, gateway } = await startWithAdmin(t, {
    routes: { '/*': files(root), '/news': channel('news') },
  })
  for (const path of ['/a.txt', '/a.txt', '/none']) await get(path)
  gateway.publish('news', 'something')
  const { body, headers } = await admin('/metrics')
  t.is(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  const kind = 'route="/*",upstream="",status="2xx",engine="memory"'
  t.is(figure(body, `sluice_request_duration_seconds_count{${kind}}`), 2)
  t.is(figure(body, `sluice_request_duration_seconds_bucket{${kind},le="+Inf"}`), 2)
  t.is(figure(body, `sluice_response_body_bytes_total{${kind}}`), 8)
  t.is(figure(body, 'sluice_responses_total{code="404"}'), 1)
  t.is(figure(body, 'sluice_requests_total'), 3)
  t.is(figure(body, 'sluice_questions_total{event="asked"}'), gateway.stats().questions.asked)
  t.true(figure(body, 'sluice_syscalls_total{threads="workers",call="recv"}') > 0)
  t.is(figure(body, 'sluice_channel_messages_total{channel="news"}'), 1)
  t.is(figure(body, 'sluice_ready'), 1)
})

test('TLS: handshakes, engines, and when certificates run out', async (t) => {
  const { admin, port } = await startWithAdmin(t, {
    listen: secure(),
    routes: { '/*': respond(200, 'four') },
  })
  const first = await TlsClient.open(t, port, { maxVersion: 'TLSv1.2' })
  await first.ask(request('/'))
  const session = first.tls.getSession()
  await TlsClient.open(t, port, { maxVersion: 'TLSv1.2', session })
  const { body } = await admin('/metrics')
  t.is(figure(body, 'sluice_tls_handshakes_total'), 2)
  t.is(figure(body, 'sluice_tls_resumed_total'), 1)
  t.is(figure(body, 'sluice_tls_handshakes_under_way'), 0)
  t.is(figure(body, 'sluice_connections{blocked_on="read"}'), 2)
  const kind = 'route="/*",upstream="",status="2xx",engine="tls-copy"'
  t.is(figure(body, `sluice_response_body_bytes_total{${kind}}`), 4)
  const ends = Date.parse(new X509Certificate(pem('ecdsa.pem')).validTo) / 1000
  const certificate = 'certificate="listen[0].tls.certificates[0]",name="localhost"'
  t.is(figure(body, `sluice_tls_certificate_expiry_timestamp_seconds{${certificate}}`), ends)
})

test('a thousand routes are a page that promtool and a scrape can take', async (t) => {
  const names = Array.from({ length: 1000 }, (_, i) => `/r${i}`)
  const { admin, get } = await startWithAdmin(t, {
    routes: Object.fromEntries(names.map((name) => [name, respond(200, name)])),
  })
  const client = async (own: string[]) => {
    for (const name of own) await get(name)
  }
  await Promise.all([0, 1, 2, 3].map((part) => client(names.filter((_, i) => i % 4 === part))))
  const { body, status } = await admin('/metrics')
  t.is(status, 200)
  for (const name of names) {
    const kind = `route="${name}",upstream="",status="2xx",engine="memory"`
    t.is(figure(body, `sluice_request_duration_seconds_count{${kind}}`), 1)
  }
  t.true(body.length < 5_000_000, String(body.length))
  if (hasPromtool) execFileSync('promtool', ['check', 'metrics'], { input: body })
})

test('buckets are cumulative and end with the count', async (t) => {
  const { admin, get } = await startWithAdmin(t, { routes: { '/*': respond(200, 'ok') } })
  for (let i = 0; i < 20; i++) await get('/')
  const { body } = await admin('/metrics')
  const rows = body.split('\n').filter((line) => line.includes('duration_seconds_bucket'))
  const counts = rows.map((line) => Number(line.split(' ').at(-1)))
  t.deepEqual(
    counts,
    counts.toSorted((one, other) => one - other),
  )
  t.is(counts.at(-1), 20)
  t.is(rows.length, 21)
})

test('every metric is documented, and every documented one is there', async (t) => {
  const target = await startTarget(t, 'app')
  const { root } = makeSite(t, { 'a.txt': 'a' })
  const { admin, get } = await startWithAdmin(t, {
    listen: [0, secure()],
    routes: {
      '/*': files(root),
      '/app': proxy(target.url),
      '/news': channel('news'),
      '/live': relay(target.url),
    },
  })
  for (const path of ['/a.txt', '/app', '/none']) await get(path)
  await get('/bad', { Host: 'a b' })
  const { body } = await admin('/metrics')
  const given = [...body.matchAll(/^# TYPE (\S+) /gm)].map((match) => match[1])
  const text = readFileSync(new URL('../../docs/METRICS.md', import.meta.url), 'utf8')
  const documented = [...text.matchAll(/(?<=^\|[^|]*)`((?:sluice|process)_\w+)`/gm)].map(
    (match) => match[1],
  )
  t.deepEqual(given.toSorted(), documented.toSorted())
})
