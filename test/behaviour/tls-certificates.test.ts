// Certificates that are replaced on disk: new connections get the new ones, open ones stay.

import { copyFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { respond } from '../../src/index.ts'
import { request } from '../support/client.ts'
import { startGateway } from '../support/gateway.ts'
import { makeFolder } from '../support/site.ts'
import { fixture, pem, secure, TlsClient } from '../support/tls.ts'
import { until } from '../support/wait.ts'

const routes = { '/*': respond(200, 'ok') }

/** As tools do: a new file that takes the name of the old one. */
function replace(path: string, bytes: Uint8Array): void {
  writeFileSync(`${path}.new`, bytes)
  renameSync(`${path}.new`, path)
}

test('new certificates are picked up, and open connections stay', async (t) => {
  const folder = makeFolder(t)
  const paths = { cert: join(folder, 'site.pem'), key: join(folder, 'site.key') }
  copyFileSync(fixture('ecdsa.pem'), paths.cert)
  copyFileSync(fixture('ecdsa.key'), paths.key)
  const { port, log } = await startGateway(t, {
    listen: secure({ certificates: paths }),
    workers: 2,
    routes,
  })
  const before = await TlsClient.open(t, port)
  const serial = before.tls.getPeerCertificate().serialNumber
  const shown = async () => {
    const client = await TlsClient.open(t, port)
    t.is((await client.ask(request('/'))).status, 200)
    const { serialNumber } = client.tls.getPeerCertificate()
    client.tls.destroy()
    return serialNumber
  }

  // A pair that does not fit: the old one stays.
  replace(paths.cert, pem('renewed.pem'))
  await until('the complaint', () => log.some(({ code }) => code === 'certificates-unusable'))
  const complaint = log.find(({ code }) => code === 'certificates-unusable')?.message ?? ''
  t.true(complaint.includes(`${paths.key}: key values mismatch`), complaint)
  t.is(await shown(), serial)

  replace(paths.key, pem('renewed.key'))
  await until('the news', () => log.some(({ code }) => code === 'certificates-replaced'))
  await until('the new certificate', async () => (await shown()) !== serial)
  t.is((await before.ask(request('/'))).status, 200)
  t.is(before.tls.getPeerCertificate().serialNumber, serial)
})

test('a symlink that moves is a change, as in containers', async (t) => {
  const folder = makeFolder(t)
  for (const [version, name] of [
    ['v1', 'ecdsa'],
    ['v2', 'renewed'],
  ] as const) {
    mkdirSync(join(folder, version))
    copyFileSync(fixture(`${name}.pem`), join(folder, version, 'tls.crt'))
    copyFileSync(fixture(`${name}.key`), join(folder, version, 'tls.key'))
  }
  symlinkSync('v1', join(folder, '..data'))
  for (const file of ['tls.crt', 'tls.key']) symlinkSync(`..data/${file}`, join(folder, file))
  const certificates = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }
  const { port, log } = await startGateway(t, { listen: secure({ certificates }), routes })
  symlinkSync('v2', join(folder, '..new'))
  renameSync(join(folder, '..new'), join(folder, '..data'))
  await until('the news', () => log.some(({ code }) => code === 'certificates-replaced'))
  await until('the new certificate', async () => {
    const client = await TlsClient.open(t, port)
    const { subjectaltname } = client.tls.getPeerCertificate()
    client.tls.destroy()
    return subjectaltname?.includes('renewed.test')
  })
  t.false(log.some(({ code }) => code === 'certificates-unusable'))
})
