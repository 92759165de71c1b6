// Sluice as a server that is measured: its configuration is a text in the server's folder.

import { writeFileSync } from 'node:fs'
import type { Place, ServerKind } from './servers.ts'

const root = new URL('../..', import.meta.url).pathname

/** `config`: the text of its gateway.config.ts. */
export function gateway<P extends Place>(
  name: string,
  config: (place: P) => string,
): ServerKind<P> {
  return {
    name,
    command: `${root}bin/sluice`,
    configure(place) {
      const file = `${place.folder}/gateway.config.ts`
      writeFileSync(file, config(place))
      return ['run', '--config', file]
    },
  }
}
