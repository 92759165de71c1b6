// A name server on the loopback that knows what a test tells it: A and AAAA records with their
// times to live, names that do not exist, and questions that get no good answer.

import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { isIP } from 'node:net'
import type { ExecutionContext } from 'ava'

export interface DnsRecord {
  address: string
  ttl: number
}

export interface SrvRecord {
  priority: number
  weight: number
  port: number
  host: string
}

export interface DnsServer {
  /** For Resolver.setServers(). */
  address: string
  /** By name; a name that is not there does not exist, 'fails' is answered with SERVFAIL. */
  names: Map<string, DnsRecord[] | 'fails'>
  /** SRV records, by name; also these names exist. */
  services: Map<string, SrvRecord[]>
}

const codes = { fine: 0, failure: 2, noName: 3 }
const typeA = 1
const typeAaaa = 28
const typeSrv = 33

export async function startDnsServer(t: ExecutionContext): Promise<DnsServer> {
  const names: DnsServer['names'] = new Map()
  const services: DnsServer['services'] = new Map()
  const socket = createSocket('udp4')
  socket.on('message', (query: Buffer, from: RemoteInfo) => {
    socket.send(answerTo(query, names, services), from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => void socket.close())
  return { address: `127.0.0.1:${socket.address().port}`, names, services }
}

function answerTo(
  query: Buffer,
  names: DnsServer['names'],
  services: DnsServer['services'],
): Buffer {
  const { name, end } = nameIn(query)
  const type = query.readUInt16BE(end)
  const known = names.get(name)
  const offers = services.get(name)
  const records =
    type === typeSrv
      ? (offers ?? []).map(srvBytes)
      : Array.isArray(known)
        ? known.filter(({ address }) => typeOf(address) === type).map(recordBytes)
        : []
  const isKnown = known !== undefined || offers !== undefined
  const code = known === 'fails' ? codes.failure : isKnown ? codes.fine : codes.noName
  const head = Buffer.alloc(12)
  query.copy(head, 0, 0, 2)
  head.writeUInt16BE(0x8180 | code, 2) // a response, recursion wanted and there
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(records.length, 6)
  return Buffer.concat([head, query.subarray(12, end + 4), ...records])
}

/** The name of the first question, which begins behind the header, and where it ends. */
function nameIn(query: Buffer): { name: string; end: number } {
  const labels: string[] = []
  let at = 12
  for (let size = query.readUInt8(at); size > 0; size = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + size))
    at += 1 + size
  }
  return { name: labels.join('.'), end: at + 1 }
}

function typeOf(address: string): number {
  return isIP(address) === 4 ? typeA : typeAaaa
}

function recordBytes({ address, ttl }: DnsRecord): Buffer {
  const data = typeOf(address) === typeA ? v4Bytes(address) : v6Bytes(address)
  return withHead(typeOf(address), ttl, data)
}

function srvBytes({ priority, weight, port, host }: SrvRecord): Buffer {
  const numbers = Buffer.alloc(6)
  for (const [at, value] of [priority, weight, port].entries()) numbers.writeUInt16BE(value, 2 * at)
  const labels = host.split('.').filter((label) => label !== '')
  const name = labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)])
  return withHead(typeSrv, 60, Buffer.concat([numbers, ...name, Buffer.from([0])]))
}

function withHead(type: number, ttl: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc00c, 0) // the name of the question
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(ttl, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

function v4Bytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number))
}

/** Written with '::' once at most, without an IPv4 part. */
function v6Bytes(address: string): Buffer {
  const [before = '', after = ''] = address.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':'))
  const [left, right] = [groups(before), groups(after)]
  const all = [...left, ...Array(8 - left.length - right.length).fill('0'), ...right]
  return Buffer.from(all.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]))
}
