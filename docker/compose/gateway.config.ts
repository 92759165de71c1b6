// The gateway of compose.yaml: a page, and an API behind it whose replicas share the requests.
// 'api' is a name with an address for each replica; the gateway asks for it again as they change.

import { defineGateway, files, proxy, respond } from 'sluice'

export default defineGateway({
  listen: { host: '::', port: 8080 },
  // The health check of the image asks the socket, Prometheus the port.
  admin: { host: '::', port: 9180, path: '/run/sluice/admin.sock' },
  upstreams: {
    api: {
      targets: ['http://api:3000'],
      balance: 'least-connections',
      health: { path: '/healthz', interval: '2s' },
    },
  },
  routes: {
    '/*': files('/srv/site'),
    '/api/*': proxy('api', { stripPrefix: '/api' }),
    'GET /healthz': respond(200, 'ok\n', { headers: { 'Cache-Control': 'no-store' } }),
  },
})
