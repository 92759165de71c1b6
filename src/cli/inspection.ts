// Asks the core and the file decisions what they would do with a request, without serving anything:
// the real route table and the real decision code, so that `explain` cannot tell a tale of its own.

import { compileConfig } from '../config/compile.ts'
import type { ResolvedConfig, ResolvedFiles, ResolvedRoute } from '../config/resolved.ts'
import { type Decision, decide } from '../files/decide.ts'
import { codings, endings, judged, type Sidecar } from '../files/variants.ts'
import type { LookedEvent, NativeAddon, NativeEvent, NativeMatch } from '../native/interface.ts'
import type { NamedRequest } from './request.ts'

/** What the core says of a request, and every route that could take it, the winner first. */
export interface Matches {
  match: NativeMatch
  routes: ResolvedRoute[]
}

/** Takes the winner out and asks again, until nobody wants the request. */
export function matchesOf(
  addon: NativeAddon,
  config: ResolvedConfig,
  request: NamedRequest,
): Matches {
  const match = matchOnce(addon, config, request)
  const routes: ResolvedRoute[] = []
  let left = config.routes
  let next = left[match.route]
  while (next !== undefined) {
    const winner = next
    routes.push(winner)
    left = left.filter((route) => route !== winner)
    next = left[matchOnce(addon, { ...config, routes: left }, request).route]
  }
  return { match, routes }
}

function matchOnce(addon: NativeAddon, config: ResolvedConfig, request: NamedRequest): NativeMatch {
  const gateway = addon.createGateway(compileConfig(config), () => {})
  try {
    return gateway.match(request.method, request.host, request.target)
  } finally {
    gateway.close()
  }
}

/** The decision on a path of a files() route, and the file that it names. */
export interface FileDecision {
  decision: Decision
  /** Absolute path and what was found there; undefined when no file answers. */
  file: OpenedFile | undefined
  /** Encoded files beside it that were looked at, those that are not sent included. */
  sidecars: Sidecar[]
}

interface OpenedFile {
  path: string
  found: LookedEvent
}

/** Decides `path` (as in QuestionEvent) as a running gateway would. */
export async function decideFile(
  addon: NativeAddon,
  config: ResolvedConfig,
  route: ResolvedFiles,
  path: string,
): Promise<FileDecision> {
  const waiting = new Map<number, (found: LookedEvent) => void>()
  const gateway = addon.createGateway(compileConfig(config), (events: NativeEvent[]) => {
    for (const event of events) if (event.type === 'looked') waiting.get(event.id)?.(event)
  })
  const opened: OpenedFile[] = []
  try {
    const decision = await decide(route, path, async (where) => {
      const { promise, resolve } = Promise.withResolvers<LookedEvent>()
      const id = waiting.size + 1
      waiting.set(id, resolve)
      gateway.look(id, where)
      const found = await promise
      if (found.outcome === 'file') {
        opened.push({ path: `${where.root}/${where.path}`, found })
        gateway.release([found.file])
      }
      return found
    })
    const file = opened.find(({ found }) => found.file === decision.file)
    return { decision, file, sidecars: file ? sidecarsAmong(opened, file) : [] }
  } finally {
    gateway.close()
  }
}

function sidecarsAmong(opened: OpenedFile[], { path, found }: OpenedFile): Sidecar[] {
  const at = (name: string) => opened.find((file) => file.path === name)?.found
  return judged(
    path,
    found,
    codings.map((coding) => at(path + endings[coding])),
  )
}
