// TLS and another configuration: listeners that begin to speak it, certificates that change,
// connections that stay, and those that must not.

import { copyFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type GatewayConfig, proxy, respond } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { makeFolder } from '../support/site.ts'
import { fixture, pair, pem, secure, TlsClient } from '../support/tls.ts'
import { startUpstream } from '../support/upstream.ts'
import { until } from '../support/wait.ts'

const routes = { '/*': respond(200, 'ok') }
const mtls = { ca: fixture('ca.pem'), mode: 'required', header: 'X-Client-Subject' } as const

/** The certificate that new connections get, and what a request on one is answered. */
async function shown(t: ExecutionContext, port: number): Promise<string> {
  const client = await TlsClient.open(t, port)
  t.is((await client.ask(request('/'))).status, 200)
  const { serialNumber } = client.tls.getPeerCertificate()
  client.tls.destroy()
  return serialNumber
}

function start(t: ExecutionContext, config: GatewayConfig) {
  return startGateway(t, { workers: 2, ...config })
}

test('a plain listener speaks TLS after a reload, on the same port', async (t) => {
  const { gateway, port, connect } = await start(t, { listen: 0, routes })
  const plain = await connect()
  t.is((await plain.ask(request('/'))).status, 200)
  const { addresses } = await gateway.reload({ listen: secure(), workers: 2, routes })
  t.is(addresses[0]?.url, `https://127.0.0.1:${port}`)
  // Several, so that both workers have had one; sessions go on with either.
  let session: Buffer | undefined
  for (let round = 0; round < 6; round++) {
    const client = await TlsClient.open(t, port, { session })
    t.is((await client.ask(request('/'))).status, 200)
    t.is(client.tls.isSessionReused(), session !== undefined)
    session = client.tls.getSession()
    client.tls.destroy()
  }
  // What was let in without would go round what the listener asks for now.
  t.is((await plain.readToEnd()).length, 0)
  const answered = await (await connect()).ask(request('/'))
  t.is(answered.status, 400)
})

test('a listener that speaks TLS speaks plain HTTP after a reload; connections stay', async (t) => {
  const { gateway, port, get } = await start(t, { listen: secure(), routes })
  const before = await TlsClient.open(t, port)
  t.is((await before.ask(request('/'))).status, 200)
  const { addresses } = await gateway.reload({ listen: 0, workers: 2, routes })
  t.is(addresses[0]?.url, `http://127.0.0.1:${port}`)
  t.is((await get('/')).status, 200)
  t.is((await before.ask(request('/'))).status, 200)
})

test('listeners with TLS that a reload opens have certificates, tickets and routes', async (t) => {
  const { gateway, port } = await start(t, { listen: 0, routes })
  const listen = [{ port: 0 }, secure(), secure({ certificates: [pair('rsa')] })]
  const { addresses } = await gateway.reload({ listen, workers: 2, routes })
  t.is(addresses[0]?.url, `http://127.0.0.1:${port}`)
  const [, one, other] = addresses.map((address) => (address.kind === 'tcp' ? address.port : 0))
  const first = await TlsClient.open(t, one ?? 0)
  t.is((await first.ask(request('/'))).status, 200)
  const again = await TlsClient.open(t, one ?? 0, { session: first.tls.getSession() })
  t.true(again.tls.isSessionReused())
  t.not(await shown(t, one ?? 0), await shown(t, other ?? 0))
})

test('certificates change by a reload; connections go on with those they have', async (t) => {
  const { gateway, port } = await start(t, { listen: secure(), routes })
  const before = await TlsClient.open(t, port)
  const serial = before.tls.getPeerCertificate().serialNumber
  t.is(await shown(t, port), serial)
  const listen = secure({ certificates: [pair('renewed')] })
  await gateway.reload({ listen, workers: 2, routes: { '/*': respond(200, 'new') } })
  const now = await shown(t, port)
  t.not(now, serial)
  t.is((await before.ask(request('/'))).body.toString(), 'new')
  t.is(before.tls.getPeerCertificate().serialNumber, serial)
  for (let round = 0; round < 4; round++) t.is(await shown(t, port), now)
})

test('files that cannot be used refuse the whole configuration, by their key', async (t) => {
  const { gateway, port } = await start(t, { listen: secure(), routes })
  const serial = await shown(t, port)
  const certificates = { cert: fixture('ecdsa.pem'), key: fixture('other.key') }
  const changed = { '/*': respond(200, 'changed') }
  const wrong = { listen: [{ port: 0 }, secure({ certificates })], workers: 2, routes: changed }
  await t.throwsAsync(gateway.reload(wrong), {
    code: 'ERR_SLUICE_CONFIG',
    message: /listen\[1\]\.tls\.certificates\[0\]\.key: .*other\.key: key values mismatch/,
  })
  t.like(gateway.stats().generation, { number: 1, failed: 1 })
  t.is(await shown(t, port), serial)
})

test('files of a listener that a reload opened are watched; those of others no more', async (t) => {
  const folder = makeFolder(t)
  const paths = { cert: join(folder, 'site.pem'), key: join(folder, 'site.key') }
  copyFileSync(fixture('ecdsa.pem'), paths.cert)
  copyFileSync(fixture('ecdsa.key'), paths.key)
  const { gateway, log, port } = await start(t, { listen: [{ port: 0 }, secure()], routes })
  const listen = [secure({ certificates: paths })]
  await gateway.reload({ listen, workers: 2, routes })
  const before = await shown(t, port)
  for (const kind of ['key', 'pem']) {
    writeFileSync(join(folder, 'new'), pem(`renewed.${kind}`))
    renameSync(join(folder, 'new'), join(folder, `site.${kind}`))
  }
  await until('the news', () => log.some(({ code }) => code === 'certificates-replaced'))
  const news = log.filter(({ code }) => code === 'certificates-replaced')
  t.true(news.every(({ message }) => message.startsWith('listen[0].tls: ')))
  await until('the new certificate', async () => (await shown(t, port)) !== before)
})

test('httpsOnly by a reload: the plain port sends everybody to the right one', async (t) => {
  const { gateway } = await start(t, { listen: [{ port: 0 }, { port: 0 }], routes })
  const before = await gateway.reload({ listen: [{ port: 0 }], workers: 2, routes })
  t.is(before.addresses.length, 1)
  const httpsOnly = { from: 0 }
  const listen = [{ port: 0 }, secure({ httpsOnly })]
  const { addresses } = await gateway.reload({ listen, workers: 2, routes })
  const ports = addresses.map((address) => (address.kind === 'tcp' ? address.port : 0))
  t.is(ports.length, 3)
  const answer = await fetch(`http://127.0.0.1:${ports[2]}/a?b`, { redirect: 'manual' })
  t.is(answer.status, 308)
  t.is(answer.headers.get('location'), `https://127.0.0.1:${ports[1]}/a?b`)
  const client = await TlsClient.open(t, ports[1] ?? 0)
  const reply = await client.ask(request('/'))
  t.truthy(reply.field('Strict-Transport-Security'))
})

test('a response is finished when its listener begins to ask for certificates', async (t) => {
  const held = Promise.withResolvers<void>()
  const upstream = await startUpstream(t, async (peer) => {
    await peer.request()
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab')
    await held.promise
    peer.write('cd')
  })
  const forwarding = { '/*': proxy(upstream.url) }
  const { gateway, port } = await start(t, { listen: secure(), routes: forwarding })
  const busy = await TlsClient.open(t, port)
  const idle = await TlsClient.open(t, port)
  const answer = busy.ask(request('/'))
  await upstream.peer(0)
  await gateway.reload({ listen: secure({ mtls }), workers: 2, routes: forwarding })
  t.is((await idle.readToEnd()).length, 0)
  await t.throwsAsync(async () => {
    const stranger = await TlsClient.open(t, port)
    await stranger.ask(request('/'))
  })
  held.resolve()
  t.is((await answer).body.toString(), 'abcd')
  t.is((await busy.readToEnd()).length, 0)
})
