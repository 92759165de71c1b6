// Targets as people write them: 'http://10.0.0.1:3000', 'unix:/run/app.sock',
// 'srv:_http._tcp.example.com'. Says what is wrong with one, and which of them this gateway cannot
// serve. Pure, but for the directory that relative paths of sockets start from.

import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { longestSocketPath } from './endpoint-kinds.ts'
import type { Place } from './place.ts'
import { shown } from './place.ts'
import type { ResolvedAddress } from './resolved.ts'

const expected = "a URL such as 'http://10.0.0.1:3000' or 'unix:/run/app.sock'"

/** Whether a text is meant as a target; the name of an upstream has no colon. */
export function looksLikeTarget(text: string): boolean {
  return text.includes(':') || text.includes('/')
}

/** A target's address and how it is called, or undefined after reporting what is wrong. */
export interface NamedAddress {
  /** As it is shown: the URL without what says nothing. */
  url: string
  address: ResolvedAddress
  /** host[:port] for the Host field. */
  authority: string
  /** TLS. */
  secure: boolean
}

export function readTargetUrl(value: unknown, place: Place): NamedAddress | undefined {
  if (typeof value !== 'string') return place.mismatch(expected, value)
  if (value.startsWith('unix:')) return readSocketPath(value.slice('unix:'.length), place)
  if (value.startsWith('srv:')) return readService(value.slice('srv:'.length), place)
  const url = value.includes('://') ? URL.parse(value) : null
  if (url === null) {
    const isBare = !value.includes('://') && URL.parse(`http://${value}`) !== null
    const hint = isBare ? `: did you mean 'http://${value}'?` : ''
    return place.mismatch(expected, value, hint)
  }
  const reason = wrongTarget(url)
  if (reason !== undefined) return place.report(`${shown(value)}: ${reason}`)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const secure = url.protocol === 'https:'
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  if (port === 0) return place.report(`${shown(value)}: a port is 1 to 65535`)
  const { origin, host: authority } = url
  return { url: origin, address: { host, port }, authority, secure }
}

function readService(name: string, place: Place): NamedAddress | undefined {
  const bare = name.toLowerCase().replace(/\.$/, '')
  if (!/^[\w-]+(\.[\w-]+)*$/.test(bare) || bare.length > 253 || isIP(bare) !== 0) {
    return place.report(
      `a service is written 'srv:_http._tcp.example.com', got ${shown(`srv:${name}`)}`,
    )
  }
  return { url: `srv:${bare}`, address: { service: bare }, authority: bare, secure: false }
}

function wrongTarget(url: URL): string | undefined {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return `${url.protocol} is not http:, https: or unix:`
  }
  if (url.username !== '' || url.password !== '') {
    return "a target has no user: set the field Authorization by 'headers'"
  }
  if (url.pathname !== '/') {
    return "a target has no path: 'stripPrefix' and 'rewrite' of proxy() change paths"
  }
  if (url.search !== '' || url.hash !== '') return 'a target has no query and no fragment'
  const host = url.hostname
  if (isIP(host) === 0 && !host.startsWith('[') && !/^[\w.-]{1,253}$/.test(host)) {
    return 'that is not the name of a host'
  }
  return undefined
}

function readSocketPath(path: string, place: Place): NamedAddress | undefined {
  if (path.startsWith('//')) {
    return place.report(`a socket is written 'unix:/run/app.sock', got ${shown(`unix:${path}`)}`)
  }
  if (path === '' || path.includes('\0')) return place.mismatch(expected, `unix:${path}`)
  const absolute = resolve(place.directory, path)
  const bytes = Buffer.byteLength(absolute)
  if (bytes > longestSocketPath) {
    return place.report(`${absolute} has ${bytes} bytes; at most ${longestSocketPath} are possible`)
  }
  return {
    url: `unix:${absolute}`,
    address: { path: absolute },
    authority: 'localhost',
    secure: false,
  }
}
