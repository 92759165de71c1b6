// The configuration of the example: `npm start` serves it. See docs/CONFIGURATION.md for every
// option.

import { defineGateway, files, redirect, respond } from 'sluice'

export default defineGateway({
  listen: 8080,
  routes: {
    '/*': files('examples/site', { cacheControl: 'no-cache' }),
    'GET /healthz': respond(200, 'ok\n', { headers: { 'Cache-Control': 'no-store' } }),
    '/documentation/*': redirect(308, '/docs$rest'),
  },
})
