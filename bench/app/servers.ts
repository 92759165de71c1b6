// The servers that are compared: gateways that differ in what stands before the same answer.

import { writeFileSync } from 'node:fs'
import type { ServerKind } from '../measuring/servers.ts'

const root = new URL('../..', import.meta.url).pathname

/** `hooks`: of the route '/plain', as text. */
function gateway(name: string, hooks: string): ServerKind {
  return {
    name,
    command: `${root}bin/sluice`,
    configure({ folder, port }) {
      const file = `${folder}/gateway.config.ts`
      writeFileSync(
        file,
        `import { defineGateway, hook, rateLimit, respond } from 'sluice'
export default defineGateway({
  listen: ${port},
  workers: 1,
  routes: { '/plain': respond(200, 'hello, world', { hooks: [${hooks}] }) },
})
`,
      )
      return ['run', '--config', file]
    },
  }
}

/** What the others are compared with. */
export const reference = 'no hook'

const looking = `onRequest(head) {
        if (head.header('x-api-key') === 'wrong') return new Response('', { status: 403 })
      }`

export const servers: ServerKind[] = [
  gateway(reference, ''),
  gateway('hook', `hook({ ${looking} })`),
  gateway(
    'remembered hook',
    `hook({ remember: { seconds: 3600, by: ['x-api-key'] }, ${looking} })`,
  ),
  gateway('rate limit', `rateLimit({ limit: 600_000, window: '1m' })`),
]
