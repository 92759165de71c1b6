// A front end of files before an application: what there is a file for comes from disk, everything
// else from the application in server.ts. Start it with
//   PORT=3000 node examples/application/server.ts &
//   bin/sluice --config examples/application/gateway.config.ts

import { defineGateway, files, proxy, respond } from 'sluice'

const application = process.env.APPLICATION ?? 'http://127.0.0.1:3000'

export default defineGateway({
  listen: Number(process.env.PORT ?? 8080),
  upstreams: {
    application: {
      targets: application,
      health: { path: '/healthz', interval: '2s' },
    },
  },
  routes: {
    // Pages and scripts; a path without a file is the application's.
    '/*': files('public', {
      cacheControl: { '*.html': 'no-cache', '*.{js,css}': 'max-age=3600' },
      otherwise: proxy('application'),
    }),
    // The application knows its routes without the prefix.
    '/api/*': proxy('application', {
      stripPrefix: '/api',
      headers: { response: { set: { 'Cache-Control': 'no-store' } } },
    }),
    // Events may be silent for long.
    'GET /api/events': proxy('application', {
      stripPrefix: '/api',
      timeout: { between: false },
    }),
    'GET /alive': respond(200, 'ok\n'),
  },
})
