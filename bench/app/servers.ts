// The servers that are compared: gateways that differ in what stands before the same answer.

import { gateway } from '../measuring/gateway.ts'
import type { ServerKind } from '../measuring/servers.ts'

/** `hooks`: of the route '/plain', as text. */
function hooked(name: string, hooks: string): ServerKind {
  return gateway(
    name,
    ({ port }) => `import { defineGateway, hook, rateLimit, respond } from 'sluice'
export default defineGateway({
  listen: ${port},
  workers: 1,
  routes: { '/plain': respond(200, 'hello, world', { hooks: [${hooks}] }) },
})
`,
  )
}

/** What the others are compared with. */
export const reference = 'no hook'

const looking = `onRequest(head) {
        if (head.header('x-api-key') === 'wrong') return new Response('', { status: 403 })
      }`

export const servers: ServerKind[] = [
  hooked(reference, ''),
  hooked('hook', `hook({ ${looking} })`),
  hooked('remembered hook', `hook({ remember: { seconds: 3600, by: ['x-api-key'] }, ${looking} })`),
  hooked('rate limit', `rateLimit({ limit: 600_000, window: '1m' })`),
]
