// What an option may refer to elsewhere in the same configuration: upstreams by their name, and a
// bound that holds for every route. Known before the options are read, so that all that is wrong is
// reported at once. Also collects the upstreams that proxy() routes describe inline.

import { isDeepStrictEqual } from 'node:util'
import { isPlainObject, type Place, type Scope, shown } from './place.ts'
import type { ResolvedUpstream } from './resolved.ts'
import { didYouMean } from './suggest.ts'
import { parseSize } from './units.ts'

export class ConfigScope implements Scope {
  readonly bodyBytes: number | false
  readonly hasNoUseForRoutes: boolean
  readonly #names: readonly string[]
  readonly #inline: ResolvedUpstream[] = []

  /** `config` is as it was written, of any quality. */
  constructor(config: unknown) {
    const { upstreams, limits, listen } = isPlainObject(config) ? config : {}
    this.#names = isPlainObject(upstreams) ? Object.keys(upstreams) : []
    const bound = isPlainObject(limits) ? parseSize(limits.bodyBytes) : undefined
    this.bodyBytes = bound ?? false
    const listeners = Array.isArray(listen) ? listen : [listen]
    this.hasNoUseForRoutes = listeners.every((one) => isPlainObject(one) && one.tcp !== undefined)
  }

  upstreamNamed(name: string, place: Place): string | undefined {
    if (this.#names.includes(name)) return name
    const known =
      this.#names.length === 0
        ? "; 'upstreams' names none"
        : didYouMean(name, this.#names) || `; there are ${this.#names.map(shown).join(', ')}`
    return place.report(`no upstream is called ${shown(name)}${known}`)
  }

  /** Named for its targets. Routes that say exactly the same share it. */
  inlineUpstream(settings: Omit<ResolvedUpstream, 'name'>): string {
    const same = this.#inline.find(({ name: _, ...other }) => isDeepStrictEqual(other, settings))
    if (same !== undefined) return same.name
    const base = urlsOf(settings)
    const twins = this.#inline.filter((other) => urlsOf(other) === base)
    const name = twins.length === 0 ? base : `${base} (${twins.length + 1})`
    this.#inline.push({ name, ...settings })
    return name
  }

  /** All that routes have described so far. */
  get inlineUpstreams(): readonly ResolvedUpstream[] {
    return this.#inline
  }
}

function urlsOf({ targets }: Pick<ResolvedUpstream, 'targets'>): string {
  return targets.map(({ url }) => url).join(', ')
}
