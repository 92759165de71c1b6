// Where two evaluations of one configuration differ: the gateway's and the app's must not, or the
// functions would belong to other routes than the gateway believes. Pure.

import { shown } from '../config/place.ts'

/** The first difference, as a sentence that names its place; undefined: none. */
export function firstDifference(gateway: unknown, app: unknown, path = ''): string | undefined {
  if (Object.is(gateway, app)) return undefined
  if (!isObject(gateway) || !isObject(app)) {
    return `${path}: ${shown(gateway)} in the gateway, ${shown(app)} in the app`
  }
  if (gateway instanceof Uint8Array && app instanceof Uint8Array) {
    return Buffer.compare(gateway, app) === 0 ? undefined : `${path}: other bytes`
  }
  const keys = Object.keys(gateway)
  const others = Object.keys(app)
  const missing = [...keys, ...others].find((key) => !(key in gateway && key in app))
  if (missing !== undefined) {
    const where = missing in gateway ? 'only in the gateway' : 'only in the app'
    return `${path}${step(missing, path, gateway)}: ${where}`
  }
  // The order of routes is what the core knows them by.
  const moved = keys.findIndex((key, at) => key !== others[at])
  if (moved >= 0) return `${path}: in another order`
  for (const key of keys) {
    const found = firstDifference(gateway[key], app[key], `${path}${step(key, path, gateway)}`)
    if (found !== undefined) return found
  }
  return undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

// Routes and upstreams are lists here, and have names where they were written.
function step(key: string, path: string, holder: object): string {
  if (Array.isArray(holder)) return `[${nameOf(holder[Number(key)]) ?? key}]`
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `[${JSON.stringify(key)}]`
  return path === '' ? key : `.${key}`
}

function nameOf(element: unknown): string | undefined {
  const { key, name } = isObject(element) ? element : {}
  const own = key ?? name
  return typeof own === 'string' ? JSON.stringify(own) : undefined
}
