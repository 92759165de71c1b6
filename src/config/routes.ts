// Reads the routes of a configuration: keys, the kinds of action (proxy() in config/proxies.ts,
// functions in config/function-routes.ts), and what must hold between a key and its action.
// Everything wrong is reported with the route's own path.

import { readChannel } from './channels.ts'
import { wrongFieldValue } from './fields.ts'
import { readHandler, readMount } from './function-routes.ts'
import { hasQuery, parseLocation, queryBeforeFragment } from './location.ts'
import { readDirectory } from './path-status.ts'
import { type Pattern, parsePattern, shapeOf } from './patterns.ts'
import { isPlainObject, type Place } from './place.ts'
import { readProxy } from './proxies.ts'
import { onlyProxies, routeHooks } from './read-hooks.ts'
import { checkRelays, readRelay } from './relays.ts'
import type { ResolvedFiles, ResolvedRedirect, ResolvedRespond, ResolvedRoute } from './resolved.ts'
import * as schema from './schema-routes.ts'
import { readSection } from './section.ts'

type Action = Record<string, unknown>

const anAction =
  'files(…), proxy(…), relay(…), handler(…), mount(…), channel(…), respond(…) or redirect(…)'

/** The routes in the order of their keys, or as many as could be read. */
export function readRoutes(value: unknown, place: Place): ResolvedRoute[] {
  if (!isPlainObject(value)) {
    place.mismatch('an object of route keys and what they do', value)
    return []
  }
  const keys = Object.keys(value)
  if (keys.length === 0 && !place.scope?.hasNoUseForRoutes) {
    place.report("expected at least one route, such as '/*': files('public')")
  }
  reportTies(keys, place)
  const routes = keys
    .map((key) => readRoute(key, value[key], place.at(key)))
    .filter((route) => route !== undefined)
  checkRelays(routes, place)
  return routes
}

function reportTies(keys: string[], place: Place): void {
  const byShape = new Map<string, string>()
  for (const key of keys) {
    const pattern = parsePattern(key)
    if (typeof pattern === 'string') continue
    const shape = shapeOf(pattern)
    const twin = byShape.get(shape)
    if (twin === undefined) byShape.set(shape, key)
    else place.at(key).report(`takes exactly the same requests as '${twin}'`)
  }
}

const anyPath = parsePattern('/*') as Pattern

function readRoute(key: string, value: unknown, place: Place): ResolvedRoute | undefined {
  const pattern = parsePattern(key)
  if (typeof pattern === 'string') {
    place.report(pattern)
    // What stands behind a wrong key is checked too, but for templates, which need the key.
    const needsKey = ['redirect', 'proxy', 'relay'].includes(
      String(isPlainObject(value) && value.kind),
    )
    if (isPlainObject(value) && !needsKey) readAction(value, key, anyPath, place)
    return undefined
  }
  if (!isPlainObject(value)) {
    const hint = typeof value === 'function' ? ': write handler(…) around it' : ''
    return place.mismatch(anAction, value, hint)
  }
  const { own, written } = hooksApart(value)
  const at = place.at(String(value.kind)).at('hooks')
  const hooks = written === undefined ? [] : routeHooks.kind.read(written, at)
  const action = readAction(own, key, pattern, place)
  if (action === undefined || hooks === undefined) return undefined
  const { method, host, path } = pattern
  if (action.kind !== 'proxy' && hooks.some((hook) => hook.kind === 'hook' && hook.transforms)) {
    return at.report(onlyProxies)
  }
  const route = { key, method, host, path, action }
  return hooks.length === 0 ? route : { ...route, hooks }
}

/** The hooks stand among the options of an action, and belong to the route. */
function hooksApart(value: Action): { own: Action; written: unknown } {
  if (!isPlainObject(value.options)) return { own: value, written: undefined }
  const { hooks: written, ...options } = value.options
  return { own: { ...value, options }, written }
}

function readAction(value: Action, key: string, pattern: Pattern, place: Place) {
  switch (value.kind) {
    case 'files':
      return readFiles(value, pattern, place.at('files'))
    case 'channel':
      return readChannel(value, place.at('channel'))
    case 'relay':
      return readRelay(value, key, pattern, place.at('relay'))
    case 'respond':
      return readRespond(value, place.at('respond'))
    case 'redirect':
      return readRedirect(value, pattern, place.at('redirect'))
    case 'proxy':
      return readProxy(value, pattern, place.at('proxy'))
    case 'handler':
      return readHandler(value, place.at('handler'))
    case 'mount':
      return readMount(value, place.at('mount'))
    default:
      return place.mismatch(anAction, value)
  }
}

function readFiles(value: Action, pattern: Pattern, place: Place): ResolvedFiles | undefined {
  if (!pattern.rest) place.report("the key must end in '*': what that matches is looked up")
  const root = readDirectory(value.root, place.at('root'))
  const options = readSection(schema.files, value.options ?? {}, place)
  if (root === undefined || options === undefined) return undefined
  if (!methodsOf(options).includes(pattern.method)) {
    const others = options.upload.enabled ? ', PUT, POST and DELETE' : ''
    place.report(`files() answers GET and HEAD${others}, and this key says ${pattern.method}`)
    return undefined
  }
  const { otherwise, ...settings } = options
  if (otherwise === undefined) return { kind: 'files', root, ...settings }
  if (settings.fallback !== '') {
    place
      .at('otherwise')
      .report("'fallback' answers what has no file already: use one or the other")
  }
  const other = readOtherwise(otherwise, pattern, place.at('otherwise'))
  return other && { kind: 'files', root, ...settings, otherwise: other }
}

/** What a key of a files() route may name; '' is any. */
function methodsOf({ upload }: schema.FilesSettings): string[] {
  const methods = ['', 'GET', 'HEAD']
  return upload.enabled ? [...methods, 'PUT', 'POST', 'DELETE'] : methods
}

function readOtherwise(value: Action, pattern: Pattern, place: Place) {
  switch (value.kind) {
    case 'proxy':
      return readProxy(value, pattern, place.at('proxy'))
    case 'handler':
      return readHandler(value, place.at('handler'))
    case 'mount':
      return readMount(value, place.at('mount'))
    case 'respond':
      return readRespond(value, place.at('respond'))
    default:
      return readRedirect(value, pattern, place.at('redirect'))
  }
}

const withoutBody = [204, 205, 304]

function readRespond(value: Action, place: Place): ResolvedRespond | undefined {
  const status = readStatus(value.status, place.at('status'))
  const body = readBody(value.body, place.at('body'))
  const options = readSection(schema.respond, value.options ?? {}, place)
  if (status === undefined || body === undefined || options === undefined) return undefined
  if (withoutBody.includes(status) && body.bytes.length > 0) {
    return place.at('body').report(`an answer with status ${status} has no body`)
  }
  const contentType = options.contentType ?? body.type
  const headers = contentType === '' ? {} : { 'Content-Type': contentType }
  return { kind: 'respond', status, headers: { ...headers, ...options.headers }, body: body.bytes }
}

function readStatus(value: unknown, place: Place): number | undefined {
  const fits = Number.isInteger(value) && (value as number) >= 200 && (value as number) <= 599
  return fits ? (value as number) : place.mismatch('a status from 200 to 599', value)
}

function readBody(value: unknown, place: Place) {
  if (value === undefined) return { type: '', bytes: new Uint8Array() }
  if (value instanceof Uint8Array) return { type: 'application/octet-stream', bytes: value.slice() }
  const encoder = new TextEncoder()
  if (typeof value === 'string') {
    return { type: 'text/plain; charset=utf-8', bytes: encoder.encode(value) }
  }
  try {
    const json: string | undefined = JSON.stringify(value)
    if (json === undefined) return place.mismatch('a text, bytes or a JSON value', value)
    return { type: 'application/json', bytes: encoder.encode(json) }
  } catch (error) {
    return place.mismatch('a text, bytes or a JSON value', value, `: ${(error as Error).message}`)
  }
}

const redirectStatuses = [301, 302, 303, 307, 308]

function readRedirect(value: Action, pattern: Pattern, place: Place): ResolvedRedirect | undefined {
  const status = redirectStatuses.find((known) => known === value.status)
  if (status === undefined) {
    place.at('status').mismatch('301, 302, 303, 307 or 308', value.status)
  }
  const at = place.at('location')
  const template = value.location
  const location =
    typeof template === 'string' && wrongFieldValue(template) === undefined
      ? parseLocation(template, pattern, at)
      : at.mismatch('a URL or a path', template)
  const options = readSection(schema.redirect, value.options ?? {}, place)
  if (status === undefined || location === undefined || options === undefined) return undefined
  const ownQuery = hasQuery(location)
  if (options.keepQuery && ownQuery) {
    return place.at('keepQuery').report('the location has a query of its own: use one or the other')
  }
  const { headers } = options
  const keepQuery = options.keepQuery ?? !ownQuery
  const placed = keepQuery ? queryBeforeFragment(location) : undefined
  if (placed) return { kind: 'redirect', status, headers, location: placed, keepQuery: false }
  return { kind: 'redirect', status, headers, location, keepQuery }
}
