// An app that runs: the host of the handlers and the mounted servers, each on its socket. In a
// child process (main.ts), or on the caller's thread for a configuration that is an object
// (local.ts).

import { unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { channelsOf } from '../config/channels.ts'
import { appUpstreams, functionOf, isTransformed } from '../config/compile-app.ts'
import { compileHooks } from '../config/compile-hooks.ts'
import { hasInnerRoutes, wayOf } from '../config/compile-inner.ts'
import { ConfigError, type Problem } from '../config/errors.ts'
import type { ResolvedConfig } from '../config/resolved.ts'
import { type PublishTo, publisher } from '../native/publication.ts'
import type { AppLog, HandlerRoute } from './call.ts'
import { clientAddressBy } from './client-address.ts'
import { type AppSockets, doorSocket, tokenOf } from './contract.ts'
import { dispatcher, server } from './dispatch.ts'
import { Door } from './door.ts'
import { type AppFunctions, transformsOf } from './functions.ts'
import { servedGroups } from './hook-groups.ts'
import { HookServer } from './hook-server.ts'
import type { Host, HostKind } from './host.ts'
import { type Mounted, startMount } from './mounts.ts'
import { nodeHost } from './node-host.ts'
import { paramsOf } from './params.ts'
import { HeldExchanges } from './question-exchange.ts'
import { asError } from './thrown.ts'
import { transformed } from './transform.ts'

export interface AppSettings {
  resolved: ResolvedConfig
  functions: AppFunctions
  /** Directory of the sockets, and how their names begin. */
  runDirectory: string
  generation: number
  secret: string
  /** Milliseconds that a mounted server has to listen. */
  mountPatience: number
  log: AppLog
  /** Hands what handlers publish to the gateway. */
  publish: PublishTo
}

export interface App {
  readonly sockets: AppSockets
  readonly host: string
  /** Takes nothing new; resolves when all that ran has ended. */
  drain(): Promise<void>
  /** Ends at once what it can. */
  destroy(): void
}

/** Starts everything, or nothing: rejects with a ConfigError that says what did not start. */
export async function startApp(settings: AppSettings): Promise<App> {
  const app = new RunningApp(settings)
  try {
    await app.start()
    return app
  } catch (error) {
    app.destroy()
    throw error
  }
}

// Room for the gateway's own fields beside those of the client.
const ownHeadBytes = 16 * 1024

/** The host that is used; another one where it loads and is faster. */
export function chooseHost(): HostKind {
  return nodeHost
}

class RunningApp implements App {
  readonly #settings: AppSettings
  readonly #mounted: Mounted[] = []
  readonly #mounts: { [route: number]: string } = {}
  #handlers = ''
  #hooks = ''
  #routes: ReadonlyMap<number, HandlerRoute> = new Map()
  readonly #held = new HeldExchanges()
  #hookServer: HookServer | undefined
  #host: Host | undefined
  #door: Door | undefined
  readonly host: string

  constructor(settings: AppSettings) {
    this.#settings = settings
    this.host = chooseHost().name
  }

  get sockets(): AppSockets {
    return { handlers: this.#handlers, mounts: { ...this.#mounts }, hooks: this.#hooks }
  }

  async start(): Promise<void> {
    const { resolved } = this.#settings
    if (appUpstreams(resolved).some(({ mount }) => mount === undefined)) await this.#startHandlers()
    await this.#startHooks()
    const mounts = [...this.#settings.functions.mounts.keys()]
    const problems = await Promise.all(mounts.map((route) => this.#startMount(route)))
    const found = problems.filter((problem) => problem !== undefined)
    if (found.length > 0) throw new ConfigError(found, this.#settings.resolved.file)
  }

  async drain(): Promise<void> {
    const closing = this.#mounted.map((mounted) => mounted.close().catch(() => {}))
    await Promise.all([this.#host?.drain(), this.#hookServer?.drain(), ...closing])
    await this.#door?.close()
  }

  destroy(): void {
    this.#host?.destroy()
    this.#hookServer?.destroy()
    this.#door?.destroy()
    for (const mounted of this.#mounted) void mounted.close().catch(() => {})
  }

  async #startHandlers(): Promise<void> {
    const { headBytes } = this.#settings.resolved.limits
    this.#door = this.#openDoor()
    this.#routes = this.#handlerRoutes()
    const byToken = new Map(
      [...this.#routes].map(([index, route]) => [tokenOf(this.#settings.secret, index), route]),
    )
    const serve = dispatcher(byToken, this.#held)
    this.#host = chooseHost().create(serve, { headBytes: headBytes + ownHeadBytes })
    this.#handlers = this.#socket('handlers')
    await this.#host.listen(this.#handlers)
  }

  #openDoor(): Door | undefined {
    const { resolved, secret, runDirectory } = this.#settings
    if (!hasInnerRoutes(resolved)) return undefined
    return new Door({ path: doorSocket(runDirectory), secret, idle: resolved.timeouts.idle })
  }

  async #startHooks(): Promise<void> {
    const { resolved, functions, log } = this.#settings
    const handlers = new Map(
      [...this.#routes].map(([index, route]) => [index, server(route)] as const),
    )
    const groups = servedGroups(resolved, functions, log, handlers)
    if (groups.length === 0) return
    this.#hookServer = new HookServer(groups, compileHooks(resolved).version, this.#held)
    this.#hooks = this.#socket('hooks')
    await this.#hookServer.listen(this.#hooks)
  }

  /** By the index of the route. */
  #handlerRoutes(): Map<number, HandlerRoute> {
    const { resolved, functions, secret, log } = this.#settings
    const publish = publisher(channelsOf(resolved), this.#settings.publish)
    const clientAddress = clientAddressBy(resolved.trustedProxies)
    const upstreamNamed = upstreamsByName(resolved)
    const app = { secret, upstreamNamed, door: this.#door, clientAddress, log, publish }
    const routes = new Map<number, HandlerRoute>()
    for (const [index, handle] of functions.handlers) {
      const route = resolved.routes[index]
      const action = route && functionOf(route)
      if (action?.kind !== 'handler' || route === undefined) continue
      const params = paramsOf(route.path)
      const { key } = route
      routes.set(index, {
        key,
        handle,
        params,
        hasRoot: action.root !== undefined,
        app,
      })
    }
    for (const [index, route] of resolved.routes.entries()) {
      if (!isTransformed(route)) continue
      const hooks = transformsOf(functions, route, index)
      const { key } = route
      const handle = transformed(hooks, wayOf(route))
      const params = paramsOf(route.path)
      routes.set(index, { key, handle, params, hasRoot: false, app })
    }
    return routes
  }

  async #startMount(route: number): Promise<Problem | undefined> {
    const { functions, resolved } = this.#settings
    const start = functions.mounts.get(route)
    if (start === undefined) return undefined
    const path = this.#socket(`mount-${route}`)
    try {
      this.#mounted.push(await startMount(start, path, this.#settings.mountPatience))
      this.#mounts[route] = path
      return undefined
    } catch (error) {
      const { name, message } = asError(error)
      const key = JSON.stringify(resolved.routes[route]?.key)
      const said = name === 'Error' || name === 'MountError' ? message : `${name}: ${message}`
      return { path: `routes[${key}].mount`, message: said }
    }
  }

  /** A socket that is not there yet. */
  #socket(name: string): string {
    const path = join(this.#settings.runDirectory, `app-${this.#settings.generation}-${name}.sock`)
    try {
      unlinkSync(path)
    } catch {
      // It was not there.
    }
    return path
  }
}

/** By name, or by the URL of the only target of one that a route describes. */
function upstreamsByName({ upstreams }: ResolvedConfig): (name: string) => string | undefined {
  const names = new Map(upstreams.map(({ name }) => [name, name]))
  for (const { name, targets } of upstreams) {
    const [target, ...others] = targets
    if (target !== undefined && others.length === 0 && !names.has(target.url)) {
      names.set(target.url, name)
    }
  }
  return (wanted) => names.get(wanted) ?? names.get(wanted.replace(/\/$/, ''))
}
