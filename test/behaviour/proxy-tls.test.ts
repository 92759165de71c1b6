// TLS with targets: whom a gateway believes to be the target, what it shows of itself, and what
// becomes of requests when they cannot agree. The rest of proxy() is in proxy-transports.test.ts.

import { readFileSync } from 'node:fs'
import type { TLSSocket } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import type { InlineProxyOptions } from '../../src/config/actions.ts'
import { proxy } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { type CertificateName, pemPath } from '../support/certificates.ts'
import { startGateway } from '../support/gateway.ts'
import { problemsOf } from '../support/problems.ts'
import { type Answer, startWayTarget, type Way } from '../support/secure-target.ts'
import { startTarget } from '../support/target.ts'
import { until } from '../support/wait.ts'

const ca = pemPath('ca.pem')
const plain: Answer = (_request, response) => void response.end('ok')

interface Asked {
  way: Way
  certificate?: CertificateName
  /** For the target's server. */
  more?: object
  options?: InlineProxyOptions
  answer?: Answer
}

const secureWays = ['HTTPS by workers', 'HTTPS by undici', 'HTTP/2 by undici'] as const

/** A gateway with a route to each of these targets: '/0', '/1' … */
async function start(t: ExecutionContext, asking: Asked[]) {
  const targets = await Promise.all(
    asking.map(({ way, answer = plain, ...how }) => startWayTarget(t, way, answer, how)),
  )
  const routes = asking.map(({ options = {} }, at) => {
    const { url = 'http://x', options: own = {} } = targets[at] ?? {}
    const { tls: _, ...others } = own
    return [`/${at}`, proxy(url, { ...others, ...options })] as const
  })
  return { ...(await startGateway(t, { routes: Object.fromEntries(routes) })), targets }
}

/** Processes of this one whose command has `word`. */
function childrenThat(word: string): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ')
  const ours = children.filter((pid) => pid !== '').map(Number)
  return ours.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word))
}

/** What clients get from targets of every way that show these certificates. */
async function statuses(t: ExecutionContext, asking: Omit<Asked, 'way'>[]) {
  const all = secureWays.flatMap((way) => asking.map((one) => ({ way, ...one })))
  const running = await start(t, all)
  const replies = await Promise.all(all.map((_, at) => ask(running.port, `/${at}`)))
  const found = secureWays.map((way) =>
    replies.flatMap(({ status }, at) => (all[at]?.way === way ? [status] : [])),
  )
  return { ...running, found }
}

test.serial(
  'a certificate is refused that no known authority gave, for another name, or too late',
  async (t) => {
    const tls = { ca }
    const { found, log } = await statuses(t, [
      {},
      { certificate: 'stranger', options: { tls } },
      { certificate: 'misnamed', options: { tls } },
      { certificate: 'expired', options: { tls } },
    ])
    t.deepEqual(found, Array(3).fill([502, 502, 502, 502]))
    const line = /no connection to 127\.0\.0\.1:\d+ of upstream '.*': certificate has expired/
    await until('a line in the log', () => log.find(({ message }) => line.test(message)))
  },
)

test.serial('what tls.ca names is believed, and several may be named', async (t) => {
  const tls = { ca: [ca, pemPath('other-ca.pem')] }
  const both = (['server', 'stranger'] as const).map((certificate) => ({
    certificate,
    options: { tls },
  }))
  t.deepEqual((await statuses(t, both)).found, Array(3).fill([200, 200]))
})

test.serial(
  'tls.servername is what the certificate must have, and what is asked for',
  async (t) => {
    const names: unknown[] = []
    const answer: Answer = (incoming, response) => {
      names.push((incoming.socket as TLSSocket & { servername?: string }).servername)
      response.end('ok')
    }
    const options = { tls: { ca, servername: 'elsewhere.test' } }
    const { found } = await statuses(t, [{ certificate: 'misnamed', options, answer }])
    t.deepEqual(found, Array(3).fill([200]))
    t.deepEqual(names, Array(3).fill('elsewhere.test'))
  },
)

test.serial('any certificate is taken when that is asked for by name', async (t) => {
  const options = { tls: { dangerouslyAcceptAnyCertificate: true } }
  const certificates = ['stranger', 'misnamed', 'expired'] as const
  const all = certificates.map((certificate) => ({ certificate, options }))
  t.deepEqual((await statuses(t, all)).found, Array(3).fill([200, 200, 200]))
})

test.serial('a target may ask for our certificate', async (t) => {
  const more = { requestCert: true, rejectUnauthorized: true, ca: readFileSync(ca) }
  const own = { cert: pemPath('client.pem'), key: pemPath('client.key') }
  const { found } = await statuses(t, [
    { more, options: { tls: { ca } } },
    { more, options: { tls: { ca, ...own } } },
  ])
  t.deepEqual(found, Array(3).fill([502, 200]))
})

test.serial('a target that speaks no TLS is a 502, and sees no request', async (t) => {
  const target = await startTarget(t, 'plain')
  const url = target.url.replace('http:', 'https:') as `https://${string}`
  const { port } = await startGateway(t, {
    routes: {
      '/0': proxy(url, { tls: { ca } }),
      '/1': proxy(url, { tls: { ca }, transport: 'undici' }),
      '/2': proxy(url, { tls: { ca }, allowH2: true }),
    },
  })
  for (const path of ['/0', '/1', '/2']) {
    t.is((await ask(port, path, { method: 'POST', body: 'x' })).status, 502)
  }
  t.is(target.requests.length, 0)
})

test.serial('HTTP/2 is spoken where it is allowed and the target can', async (t) => {
  const answer: Answer = (incoming, response) => void response.end(incoming.httpVersion)
  const { port } = await start(t, [
    { way: 'HTTP/2 by undici', options: { tls: { ca } }, answer },
    { way: 'HTTP/2 by undici', options: { tls: { ca }, allowH2: false }, answer },
    { way: 'HTTPS by workers', options: { tls: { ca }, allowH2: true }, answer },
  ])
  const versions = await Promise.all(['/0', '/1', '/2'].map((path) => ask(port, path)))
  t.deepEqual(
    versions.map(({ body }) => body),
    ['2.0', '1.1', '1.1'],
  )
})

test.serial('targets with and without TLS stand in one upstream', async (t) => {
  const secure = await startWayTarget(t, 'HTTPS by workers', (_request, response) => {
    response.end('secure')
  })
  const open = await startTarget(t, 'open')
  const { port } = await startGateway(t, {
    routes: {
      '/*': proxy([secure.url, open.url as 'http://x'], { tls: { ca }, balance: 'round-robin' }),
    },
  })
  const seen = new Set<string>()
  for (let round = 0; round < 4; round++) seen.add((await ask(port, '/')).body)
  t.deepEqual([...seen].sort(), ['open', 'secure'])
})

test.serial('a connection to a target is used again', async (t) => {
  let connections = 0
  const options = { tls: { ca }, keepAlive: { idle: '1m' as const } }
  const { port, targets } = await start(t, [{ way: 'HTTPS by workers', options }])
  targets[0]?.server.on('secureConnection', () => void connections++)
  for (let round = 0; round < 5; round++) t.is((await ask(port, '/0')).status, 200)
  t.is(connections, 1)
})

test.serial('targets come and go while the gateway runs', async (t) => {
  const first = await startWayTarget(t, 'HTTPS by workers', plain)
  const second = await startWayTarget(t, 'HTTPS by workers', (_request, response) => {
    response.end('second')
  })
  const { port, gateway } = await startGateway(t, {
    upstreams: { app: { targets: first.url, tls: { ca } } },
    routes: { '/*': proxy('app') },
  })
  t.is((await ask(port, '/')).body, 'ok')
  gateway.upstreams.add('app', second.url)
  gateway.upstreams.remove('app', first.url)
  await until('the second target', async () => (await ask(port, '/')).body === 'second')
  t.pass()
})

test.serial(
  'how targets are reached is replaced by a reload, what operators did stays',
  async (t) => {
    const first = await startWayTarget(t, 'HTTP/2 by undici', (request, response) => {
      response.end(`HTTP/${request.httpVersion}`)
    })
    const second = await startWayTarget(t, 'HTTP/2 by undici', plain)
    const configured = (options: object) => ({
      upstreams: { app: { targets: [first.url, second.url], ...options } },
      routes: { '/*': proxy('app', { retry: false }) },
    })
    const { port, gateway } = await startGateway(
      t,
      configured({ tls: { ca: pemPath('other-ca.pem') } }),
    )
    gateway.upstreams.drain('app', second.url)
    t.is((await ask(port, '/')).status, 502)
    await gateway.reload({ listen: 0, ...configured({ tls: { ca } }) })
    t.is((await ask(port, '/')).body, 'HTTP/1.1')
    await gateway.reload({ listen: 0, ...configured({ tls: { ca }, allowH2: true }) })
    for (let round = 0; round < 3; round++) t.is((await ask(port, '/')).body, 'HTTP/2.0')
  },
)

test.serial('what relays say to workers cannot be said by targets', async (t) => {
  const answer: Answer = (_request, response) => {
    response.setHeader('x-sluice-fault', '1')
    response.end('mine')
  }
  const { port } = await start(
    t,
    secureWays.map((way) => ({ way, answer, options: { tls: { ca } } })),
  )
  for (const [at, way] of secureWays.entries()) {
    const { status, body } = await ask(port, `/${at}`, { method: 'POST', body: 'once' })
    t.deepEqual([status, body], [200, 'mine'], way)
  }
})

test.serial('a process of the relays that has ended is replaced', async (t) => {
  const { port, log } = await start(t, [{ way: 'HTTPS by workers', options: { tls: { ca } } }])
  t.is((await ask(port, '/0')).status, 200)
  const relays = childrenThat('relay-main')
  t.is(relays.length, 1)
  process.kill(relays[0] ?? 0, 'SIGKILL')
  await until('a line in the log', () =>
    log.find(({ message }) => message === 'the process of the relays has ended (SIGKILL)'),
  )
  await until('an answer', async () => (await ask(port, '/0')).status === 200)
  t.pass()
})

test.serial('what contradicts itself is an error when the configuration is loaded', (t) => {
  const https = 'https://127.0.0.1'
  const routes = {
    '/a': proxy(https, { proxyProtocol: 'v1' }),
    '/b': proxy('http://127.0.0.1', { allowH2: true }),
    '/c': proxy(https, { allowH2: true, transport: 'splice' }),
    '/d': proxy(https, { tls: { cert: ca } }),
    '/e': proxy(https, { tls: { ca: import.meta.filename } }),
    '/f': proxy(https, { tls: { ca: 'no-such-file' } }),
  }
  const problems = problemsOf({ routes }, import.meta.dirname).map((one) => one.slice(0, 70))
  t.is(problems.length, 6, problems.join('\n'))
  t.true(problems[0]?.startsWith('routes["/a"].proxy.proxyProtocol: only http: and unix:'))
  t.true(problems[1]?.startsWith('routes["/b"].proxy.allowH2: HTTP/2 is agreed on within TLS'))
  t.true(problems[2]?.startsWith('routes["/c"].proxy.allowH2: HTTP/2 is spoken by undici'))
  t.true(problems[3]?.startsWith('routes["/d"].proxy.tls: cert and key belong together'))
  t.true(problems[4]?.startsWith('routes["/e"].proxy.tls.ca: cannot be used: '))
  t.true(problems[5]?.startsWith('routes["/f"].proxy.tls.ca: no such file: '))
})
