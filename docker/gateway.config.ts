// The configuration of the image, until one is mounted over it: a page that says so, and a route
// for whoever asks whether it is up.

import { defineGateway, files, respond } from 'sluice'

export default defineGateway({
  listen: { host: '::', port: 8080 },
  // The health check of the image asks here.
  admin: { path: '/run/sluice/admin.sock' },
  routes: {
    '/*': files('/srv/site'),
    'GET /healthz': respond(200, 'ok\n', { headers: { 'Cache-Control': 'no-store' } }),
  },
})
