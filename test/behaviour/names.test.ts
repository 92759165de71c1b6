// Names asked of a real name server: addresses of both families, times to live, and the difference
// between "there is no such name" and "nobody could tell".

import test from 'ava'
import { systemLookup } from '../../src/proxy/lookup.ts'
import { startDnsServer } from '../support/dns-server.ts'

test('addresses and the shortest time to live, by family', async (t) => {
  const { address, names } = await startDnsServer(t)
  const lookup = systemLookup({ servers: [address], hasIpv6: () => true })
  names.set('app.example', [
    { address: '192.0.2.1', ttl: 30 },
    { address: '192.0.2.2', ttl: 7 },
    { address: '2001:db8::5', ttl: 60 },
  ])
  t.deepEqual(await lookup.find('app.example'), {
    v4: { kind: 'found', addresses: ['192.0.2.1', '192.0.2.2'], ttlMs: 7_000 },
    v6: { kind: 'found', addresses: ['2001:db8::5'], ttlMs: 60_000 },
  })
})

test('IPv6 addresses are left out where this machine has none and IPv4 will do', async (t) => {
  const { address, names } = await startDnsServer(t)
  const lookup = systemLookup({ servers: [address], hasIpv6: () => false })
  names.set('both.example', [
    { address: '192.0.2.1', ttl: 9 },
    { address: '2001:db8::5', ttl: 9 },
  ])
  names.set('six.example', [{ address: '2001:db8::6', ttl: 9 }])
  t.like(await lookup.find('both.example'), { v4: { kind: 'found' }, v6: { kind: 'none' } })
  t.like(await lookup.find('six.example'), { v4: { kind: 'none' }, v6: { kind: 'found' } })
})

test('a name that does not exist is not the same as a server that fails', async (t) => {
  const { address, names } = await startDnsServer(t)
  const lookup = systemLookup({ servers: [address], hasIpv6: () => true })
  names.set('broken.invalid', 'fails')
  const missing = await lookup.find('missing.invalid')
  t.deepEqual(missing.v4, { kind: 'none', reason: 'ENOTFOUND' })
  const broken = await lookup.find('broken.invalid')
  t.like(broken.v4, { kind: 'failed', reason: 'ESERVFAIL' })
  t.like(broken.v6, { kind: 'failed', reason: 'ESERVFAIL' })
})

test('the hosts file comes before DNS', async (t) => {
  const { address, names } = await startDnsServer(t)
  const lookup = systemLookup({ servers: [address], hasIpv6: () => true })
  names.set('localhost', [{ address: '192.0.2.9', ttl: 9 }])
  const { v4 } = await lookup.find('localhost')
  t.like(v4, { kind: 'found', addresses: ['127.0.0.1'] })
})

test('the records of a service, without those that say that it is not offered', async (t) => {
  const { address, names, services } = await startDnsServer(t)
  const lookup = systemLookup({ servers: [address] })
  services.set('_http._tcp.app.example', [
    { priority: 10, weight: 60, port: 8080, host: 'One.app.example.' },
    { priority: 20, weight: 0, port: 80, host: 'two.app.example' },
    { priority: 10, weight: 1, port: 0, host: 'nobody.app.example' },
  ])
  services.set('_http._tcp.closed.example', [{ priority: 0, weight: 0, port: 0, host: '.' }])
  names.set('_http._tcp.broken.example', 'fails')
  t.deepEqual(await lookup.findService('_http._tcp.app.example'), {
    kind: 'found',
    records: [
      { host: 'one.app.example', port: 8080, priority: 10, weight: 60 },
      { host: 'two.app.example', port: 80, priority: 20, weight: 0 },
    ],
  })
  const kindOf = async (name: string) => (await lookup.findService(`_http._tcp.${name}`)).kind
  t.is(await kindOf('closed.example'), 'none')
  t.is(await kindOf('missing.example'), 'none')
  t.is(await kindOf('broken.example'), 'failed')
})
