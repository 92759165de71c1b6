// What is wrong with the files and options of TLS is said at load, at the option that names them.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { ConfigError } from '../../src/config/errors.ts'
import { resolveConfig } from '../../src/config/validate.ts'
import { respond } from '../../src/index.ts'
import { makeFolder } from '../support/site.ts'
import { fixture, pair } from '../support/tls.ts'

function problemsOf(listen: unknown): string[] {
  try {
    resolveConfig({ listen, routes: { '/*': respond(200) } }, { file: '', directory: fixture('') })
    return []
  } catch (error) {
    return (error as ConfigError).problems.map(({ path, message }) => `${path}: ${message}`)
  }
}

function filesOf(certificates: unknown, more: object = {}): string[] {
  return problemsOf([{ port: 0, tls: { certificates, ...more } }])
}

test('good files are fine, and paths start at the configuration', (t) => {
  t.deepEqual(filesOf([{ cert: 'ecdsa.pem', key: 'ecdsa.key' }, pair('other')]), [])
  t.deepEqual(filesOf([pair('rsa'), pair('ecdsa')], { mtls: { ca: 'ca.pem' } }), [])
})

test('files that cannot be used are named, with what OpenSSL says of them', (t) => {
  const place = 'listen.tls.certificates'
  const cert = fixture('ecdsa.pem')
  t.deepEqual(filesOf([{ cert: 'none.pem', key: 'ecdsa.key' }]), [
    `${place}[0].cert: ${fixture('none.pem')}: No such file or directory`,
  ])
  t.deepEqual(filesOf([{ cert: 'ecdsa.pem', key: 'rsa.key' }]), [
    `${place}[0].key: ${fixture('rsa.key')}: different key types`,
  ])
  t.deepEqual(filesOf([pair('rsa'), { cert: 'ecdsa.pem', key: 'other.key' }]), [
    `${place}[1].key: ${fixture('other.key')}: key values mismatch`,
  ])
  t.regex(filesOf([{ cert: 'ecdsa.key', key: 'ecdsa.key' }])[0] ?? '', /ecdsa\.key: no start line/)
  t.regex(filesOf([{ cert, key: cert }])[0] ?? '', /key: .*ecdsa\.pem: /)
  t.regex(filesOf([{ cert, key: 'encrypted.key' }])[0] ?? '', /the key is encrypted/)
  t.regex(filesOf([pair('rsa')], { mtls: { ca: 'make.sh' } })[0] ?? '', /tls\.mtls\.ca: .*make\.sh/)
})

test('a file that is cut off is no certificate', (t) => {
  const folder = makeFolder(t)
  const cut = join(folder, 'cut.pem')
  writeFileSync(cut, '-----BEGIN CERTIFICATE-----\nMIIB')
  t.regex(filesOf([{ cert: cut, key: 'ecdsa.key' }])[0] ?? '', /cut\.pem: \w+/)
})

test('options that make no sense are refused', (t) => {
  const tls = { certificates: pair('ecdsa') }
  t.regex(problemsOf({ port: 0, tls: {} })[0] ?? '', /tls\.certificates: expected/)
  t.regex(problemsOf({ port: 0, tls: { ...tls, minVersion: '1.1' } })[0] ?? '', /'1\.2' or '1\.3'/)
  const preload = { httpsOnly: { preload: true } }
  t.regex(problemsOf({ port: 0, tls: { ...tls, ...preload } })[0] ?? '', /httpsOnly\.preload/)
  const both = [{ port: 80 }, { port: 443, tls: { ...tls, httpsOnly: true } }]
  t.regex(problemsOf(both)[0] ?? '', /listen\[1\]\.tls\.httpsOnly\.from: the same address/)
  t.regex(problemsOf({ path: 'x.sock', tls: { ...tls, httpsOnly: true } })[0] ?? '', /unix socket/)
})
