// TLS on a listener: who gets in, which certificate is shown, what upstreams learn of it.

import test from 'ava'
import { files, hook, proxy, respond } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { makeSite } from '../support/site.ts'
import { fixture, pair, pem, secure, TlsClient } from '../support/tls.ts'
import { answering, response, startUpstream } from '../support/upstream.ts'
import { until } from '../support/wait.ts'

const routes = { '/*': respond(200, 'ok') }

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`serves over ${version}, several requests on one connection`, async (t) => {
    const { port, gateway, addresses } = await startGateway(t, { listen: secure(), routes })
    const client = await TlsClient.open(t, port, { minVersion: version, maxVersion: version })
    t.is(client.tls.getProtocol(), version)
    for (let i = 0; i < 3; i += 1) {
      const reply = await client.ask(request('/'))
      t.is(reply.status, 200)
      t.is(String(reply.body), 'ok')
    }
    t.is(addresses[0]?.url, `https://127.0.0.1:${port}`)
    const { tls, engines } = gateway.stats().total
    t.is(tls.handshakes, 1)
    t.is(tls.underWay, 0)
    t.is(engines['tls-copy']?.responses, 3)
    t.is(engines['tls-copy']?.bytes, 6)
  })
}

test('refuses what is older than it should be', async (t) => {
  const { port, gateway } = await startGateway(t, { listen: secure({ minVersion: '1.3' }), routes })
  await t.throwsAsync(TlsClient.open(t, port, { maxVersion: 'TLSv1.2' }), { message: /version/ })
  await until('the count', () => gateway.stats().total.errors['tls-failed'] === 1)
  const client = await TlsClient.open(t, port)
  t.is(client.tls.getProtocol(), 'TLSv1.3')
  const older = await startGateway(t, { listen: secure(), routes })
  const options = {
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'ALL:@SECLEVEL=0',
  } as const
  await t.throwsAsync(TlsClient.open(t, older.port, options))
})

test('shows the certificate of the name that is asked for, the first one to others', async (t) => {
  const certificates = [pair('ecdsa'), pair('other')]
  const { port } = await startGateway(t, { listen: secure({ certificates }), routes })
  const shown = async (servername: string) => {
    const client = await TlsClient.open(t, port, { servername, rejectUnauthorized: false })
    return client.shown
  }
  t.is(await shown('localhost'), 'localhost')
  t.is(await shown('other.test'), 'other.test')
  t.is(await shown('OTHER.test'), 'other.test')
  t.is(await shown('a.example.com'), 'localhost')
  t.is(await shown('unknown.test'), 'localhost')
  t.is(await shown(''), 'localhost')
  const client = await TlsClient.open(t, port, { servername: 'a.example.com' })
  t.true(client.tls.authorized)
})

test('a star in a certificate stands for one label', async (t) => {
  const certificates = [pair('other'), pair('ecdsa')]
  const { port } = await startGateway(t, { listen: secure({ certificates }), routes })
  const options = { rejectUnauthorized: false }
  const one = await TlsClient.open(t, port, { servername: 'x.example.com', ...options })
  t.is(one.shown, 'localhost')
  const two = await TlsClient.open(t, port, { servername: 'x.y.example.com', ...options })
  t.is(two.shown, 'other.test')
})

test('RSA and ECDSA stand side by side for one name', async (t) => {
  const certificates = [pair('rsa'), pair('ecdsa')]
  const { port } = await startGateway(t, { listen: secure({ certificates }), routes })
  const kind = async (sigalgs: string) => {
    const client = await TlsClient.open(t, port, { sigalgs })
    t.is((await client.ask(request('/'))).status, 200)
    return client.tls.getPeerCertificate().asn1Curve ?? 'rsa'
  }
  t.is(await kind('ECDSA+SHA256'), 'prime256v1')
  t.is(await kind('RSA-PSS+SHA256:RSA+SHA256'), 'rsa')
})

test('ALPN names http/1.1, and refuses clients that do not speak it', async (t) => {
  const { port } = await startGateway(t, { listen: secure(), routes })
  const client = await TlsClient.open(t, port, { ALPNProtocols: ['h2', 'http/1.1'] })
  t.is(client.tls.alpnProtocol, 'http/1.1')
  await t.throwsAsync(TlsClient.open(t, port, { ALPNProtocols: ['h2'] }), {
    message: /no application protocol/i,
  })
  const without = await TlsClient.open(t, port)
  t.is(without.tls.alpnProtocol, false)
})

test('sessions go on, whichever worker gets the connection', async (t) => {
  const { port, gateway } = await startGateway(t, { listen: secure(), workers: 3, routes })
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const options = { minVersion: version, maxVersion: version } as const
    const first = await TlsClient.open(t, port, options)
    let session = first.tls.getSession()
    first.tls.on('session', (fresh) => {
      session = fresh
    })
    await first.ask(request('/', { Connection: 'close' }))
    for (let i = 0; i < 8; i += 1) {
      const next = await TlsClient.open(t, port, { ...options, session })
      t.true(next.tls.isSessionReused(), `${version}, connection ${i}`)
      t.is((await next.ask(request('/'))).status, 200)
      next.tls.destroy()
    }
  }
  t.is(gateway.stats().total.tls.resumed, 16)
})

test('with TLS 1.3 each resumed session brings the ticket of the next', async (t) => {
  const { port, gateway } = await startGateway(t, { listen: secure(), routes })
  let session: Buffer | undefined
  for (let i = 0; i < 5; i += 1) {
    const client = await TlsClient.open(t, port, { minVersion: 'TLSv1.3', session })
    t.is(client.tls.isSessionReused(), session !== undefined, `connection ${i}`)
    session = undefined
    client.tls.on('session', (fresh) => {
      session = fresh
    })
    await client.ask(request('/'))
    t.truthy(session, `connection ${i}`)
  }
  t.is(gateway.stats().total.tls.resumed, 4)
})

test('a session of one listener does not open another that asks clients for more', async (t) => {
  const mtls = { ca: fixture('ca.pem') }
  const listen = [secure(), secure({ mtls })]
  const { port, addresses } = await startGateway(t, { listen, routes })
  const strict = addresses[1]?.kind === 'tcp' ? addresses[1].port : 0
  const first = await TlsClient.open(t, port, { maxVersion: 'TLSv1.2' })
  const session = first.tls.getSession()
  await t.throwsAsync(TlsClient.open(t, strict, { maxVersion: 'TLSv1.2', session }))
})

test('required client certificates: who has a good one gets in, nobody else does', async (t) => {
  const target = await startUpstream(t, answering(response()))
  const { port } = await startGateway(t, {
    listen: secure({ mtls: { ca: fixture('ca.pem') } }),
    routes: { '/*': proxy(target.url) },
  })
  const own = { cert: pem('client.pem'), key: pem('client.key') }
  const client = await TlsClient.open(t, port, own)
  const forged = { 'X-Client-Subject': 'CN=root', 'X_Client-subject': 'CN=root' }
  t.is((await client.ask(request('/', forged))).status, 200)
  const again = await TlsClient.open(t, port, { ...own, session: client.tls.getSession() })
  t.is((await again.ask(request('/'))).status, 200)
  const stranger = { cert: pem('stranger.pem'), key: pem('stranger.key') }
  const refused = async (options: object) => {
    const refusedClient = await TlsClient.open(t, port, { ...options, maxVersion: 'TLSv1.2' })
    return refusedClient.ask(request('/'))
  }
  await t.throwsAsync(refused({}))
  await t.throwsAsync(refused(stranger))
})

test('the subject goes upstream, and what clients say of it does not', async (t) => {
  const heads: string[][] = []
  const target = await startUpstream(t, async (peer) => {
    for (;;) {
      const { fields } = await peer.request()
      heads.push(fields.map((field) => field.join(': ')).filter((line) => /subject/i.test(line)))
      peer.write(response())
    }
  })
  const mtls = { ca: fixture('ca.pem'), mode: 'optional' } as const
  const { port, addresses, connect } = await startGateway(t, {
    listen: [secure({ mtls }), 0],
    routes: { '/*': proxy(target.url) },
  })
  const own = { cert: pem('client.pem'), key: pem('client.key') }
  const forged = request('/', { 'x-client-subject': 'CN=root', X_Client_Subject: 'CN=root' })
  await (await TlsClient.open(t, port, own)).ask(forged)
  await (await TlsClient.open(t, port)).ask(forged)
  const plain = addresses[1]?.kind === 'tcp' ? addresses[1].port : 0
  await (await connect({ port: plain })).ask(forged)
  t.deepEqual(heads, [['X-Client-Subject: CN=alice\\, \\"the\\" tester,O=Sluice'], [], []])
})

test('hooks see the subject, and not what clients say of it', async (t) => {
  const tell = hook((head) => {
    const told = [
      head.header('X-Client-Subject'),
      head.header('X_Client_Subject'),
      head.header('Host'),
    ]
    return new Response([head.scheme, ...told].join(' '))
  })
  const { port, addresses, connect } = await startGateway(t, {
    listen: [secure({ mtls: { ca: fixture('ca.pem'), mode: 'optional' } }), 0],
    routes: { '/*': respond(200, '', { hooks: tell }) },
  })
  const own = { cert: pem('client.pem'), key: pem('client.key') }
  const forged = request('/', { 'x-client-subject': 'CN=root', X_Client_Subject: 'CN=root' })
  const subject = 'CN=alice\\, \\"the\\" tester,O=Sluice'
  const known = await (await TlsClient.open(t, port, own)).ask(forged)
  t.is(known.body.toString(), `https ${subject}  test`)
  const unknown = await (await TlsClient.open(t, port)).ask(forged)
  t.is(unknown.body.toString(), 'https   test')
  const plain = addresses[1]?.kind === 'tcp' ? addresses[1].port : 0
  const open = await (await connect({ port: plain })).ask(forged)
  t.is(open.body.toString(), 'http   test')
})

test('targets learn that the client spoke TLS', async (t) => {
  const target = await startUpstream(t, async (peer) => {
    const { field } = await peer.request()
    const told = ['x-forwarded-proto', 'x-forwarded-port', 'forwarded'].map((name) => field(name))
    peer.write(response(JSON.stringify(told)))
  })
  const { port } = await startGateway(t, {
    listen: secure(),
    routes: { '/*': proxy(target.url, { forwarded: 'both' }) },
  })
  const client = await TlsClient.open(t, port)
  const reply = await client.ask(request('/'))
  const host = 'for=127.0.0.1;host="test";proto=https'
  t.deepEqual(JSON.parse(String(reply.body)), ['https', String(port), host])
})

test('httpsOnly: port 80 redirects, and browsers are told', async (t) => {
  const target = await startUpstream(
    t,
    answering(response('up', { 'Strict-Transport-Security': 'max-age=1' })),
  )
  const site = makeSite(t, { 'acme-challenge/token': 'proof' })
  const { port, addresses, connect } = await startGateway(t, {
    listen: secure({ httpsOnly: { from: 0, maxAge: '1d', subdomains: true } }),
    routes: { ...routes, '/up': proxy(target.url), '/.well-known/*': files(site.root) },
  })
  const plain = addresses[1]?.kind === 'tcp' ? addresses[1].port : 0
  const client = await connect({ port: plain })
  const redirected = await client.ask(request('/a%20b?c=d', { Host: 'test:80' }))
  t.is(redirected.status, 308)
  t.is(redirected.field('location'), `https://test:${port}/a%20b?c=d`)
  t.is(redirected.field('strict-transport-security'), undefined)
  const proof = await client.ask(request('/.well-known/acme-challenge/token'))
  t.is(String(proof.body), 'proof')
  const safe = await TlsClient.open(t, port)
  const told = 'max-age=86400; includeSubDomains'
  t.is((await safe.ask(request('/'))).field('strict-transport-security'), told)
  t.is((await safe.ask(request('/up'))).field('strict-transport-security'), told)
})

test('the PROXY protocol comes before TLS', async (t) => {
  const target = await startUpstream(t, answering(response()))
  const { port, connect } = await startGateway(t, {
    listen: { ...secure(), proxyProtocol: true },
    trustedProxies: '127.0.0.1',
    routes: { '/*': proxy(target.url) },
  })
  const outer = await connect({ port })
  outer.write('PROXY TCP4 203.0.113.9 127.0.0.1 5555 443\r\n')
  outer.socket.removeAllListeners('data')
  const client = await TlsClient.open(t, port, { socket: outer.socket })
  t.is((await client.ask(request('/'))).status, 200)
  const peer = await target.peer(0)
  t.truthy(peer)
})

test('a listener that passes connections on decrypts them', async (t) => {
  const target = await startUpstream(t, async (peer) => {
    const line = await peer.takeUntil('\n')
    peer.write(`you said ${line}`)
  })
  const { port } = await startGateway(t, {
    listen: { ...secure(), tcp: 'echo' },
    upstreams: { echo: { targets: target.url } },
    routes: {},
  })
  const client = await TlsClient.open(t, port)
  client.write('hello\n')
  t.is(String(await client.takeUntil('\n')), 'you said hello\n')
})
