// OCSP stapling: clients that ask are told what the authority says of a certificate, as long as it
// is of use; what is wrong with it is no reason not to serve.

import { once } from 'node:events'
import { copyFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import { respond } from '../../src/index.ts'
import { startGateway } from '../support/gateway.ts'
import { makeFolder } from '../support/site.ts'
import { fixture, pair, pem, secure } from '../support/tls.ts'
import { until } from '../support/wait.ts'

const routes = { '/*': respond(200, 'ok') }

/** What a client that asks is told; null: nothing. */
async function told(t: ExecutionContext, port: number, options = {}): Promise<Buffer | null> {
  const socket = connect({
    ...{ port, host: '127.0.0.1', servername: 'localhost', ca: pem('ca.pem') },
    ...{ requestOCSP: true, ...options },
  })
  t.teardown(() => socket.destroy())
  let response: Buffer | null = null
  socket.on('OCSPResponse', (bytes: Buffer | null) => {
    response = bytes
  })
  await once(socket, 'secureConnect')
  socket.destroy()
  return response
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`each certificate has its own answer, ${version}`, async (t) => {
    const certificates = [
      { ...pair('rsa'), ocsp: fixture('rsa-good.der') },
      { ...pair('ecdsa'), ocsp: fixture('ecdsa-good.der') },
      pair('other'),
    ]
    const { port, log } = await startGateway(t, { listen: secure({ certificates }), routes })
    const versions = { minVersion: version, maxVersion: version }
    const ecdsa = await told(t, port, { ...versions, sigalgs: 'ECDSA+SHA256' })
    t.deepEqual(ecdsa, pem('ecdsa-good.der'))
    const rsa = await told(t, port, { ...versions, sigalgs: 'RSA-PSS+SHA256:RSA+SHA256' })
    t.deepEqual(rsa, pem('rsa-good.der'))
    t.falsy(await told(t, port, { ...versions, servername: 'other.test' }))
    t.falsy(await told(t, port, { ...versions, requestOCSP: false }))
    t.deepEqual(
      log.filter(({ level }) => level === 'warn' || level === 'error'),
      [],
    )
  })
}

const useless: [string, string, RegExp][] = [
  ['out of date', 'ecdsa-old.der', /out of date/],
  ['about another certificate', 'rsa-good.der', /about another certificate/],
  ['that a certificate is revoked', 'ecdsa-revoked.der', /revoked/],
  ['in no form', 'ecdsa.pem', /no OCSP response/],
  ['that is not there', 'nowhere.der', /No such file/],
]

for (const [what, file, reason] of useless) {
  test(`an answer ${what} is not told, and the gateway serves`, async (t) => {
    const certificates = { ...pair('ecdsa'), ocsp: fixture(file) }
    const { port, log, gateway } = await startGateway(t, {
      listen: secure({ certificates }),
      routes,
    })
    t.falsy(await told(t, port))
    const [complaint, ...others] = log.filter(({ code }) => code === 'ocsp-unusable')
    t.regex(complaint?.message ?? '', reason)
    t.true(complaint?.message.includes(fixture(file)))
    t.deepEqual(others, [])
    t.is(gateway.stats().certificates[0]?.ocspExpires, 0)
  })
}

test('an answer that is replaced on disk is told, and one that goes is not', async (t) => {
  const path = join(makeFolder(t), 'answer.der')
  const certificates = { ...pair('ecdsa'), ocsp: path }
  const { port, gateway } = await startGateway(t, { listen: secure({ certificates }), routes })
  t.falsy(await told(t, port))
  copyFileSync(fixture('ecdsa-good.der'), `${path}.new`)
  renameSync(`${path}.new`, path)
  await until('the answer', async () => (await told(t, port)) !== null)
  t.deepEqual(await told(t, port), pem('ecdsa-good.der'))
  const [facts] = gateway.stats().certificates
  t.like(facts, { certificate: 'listen[0].tls.certificates[0]', name: 'localhost' })
  t.true((facts?.ocspExpires ?? 0) > Date.now() / 1000)
  t.true((facts?.expires ?? 0) > Date.now() / 1000)
  writeFileSync(path, '')
  await until('nothing to be told', async () => (await told(t, port)) === null)
  rmSync(path)
  await until('the count', () => gateway.stats().certificates[0]?.ocspExpires === 0)
})
