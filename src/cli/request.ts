// A request as a person names one on the command line: `POST http://host/path`, `host/path`,
// `/path`. The target stays as it was written: what a URL parser tidies away is what one wants to
// ask about.

import { UsageError } from './command.ts'

export interface NamedRequest {
  method: string
  /** When one was written. */
  scheme: 'http' | 'https' | undefined
  /** Without port. */
  host: string
  /** Path and query as they would be sent. */
  target: string
}

/** Reads one or two words. Throws UsageError. */
export function parseRequest(words: string[]): NamedRequest {
  const [method, url] = words.length === 1 ? ['GET', words[0]] : words
  if (method === undefined || !/^[\w-]+$/.test(method)) {
    throw new UsageError(`'${method}' is not a method; write explain [METHOD] URL`)
  }
  const parts = /^(?:https?:\/\/)?([^/?#]*)([^#]*)/i.exec(url ?? '')
  const [, authority = '', rest = ''] = parts ?? []
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url ?? '')?.[1]
  if (scheme !== undefined && !/^https?$/i.test(scheme)) {
    throw new UsageError(`'${url}' is not an http URL`)
  }
  const host = authority.replace(/^.*@/, '').replace(/:\d*$/, '')
  return {
    method: method.toUpperCase(),
    scheme: scheme?.toLowerCase() as NamedRequest['scheme'],
    host: host === '' ? 'localhost' : host,
    target: rest.startsWith('/') ? rest : `/${rest}`,
  }
}
