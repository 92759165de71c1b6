// A directory that clients fill and read: curl -T movie.mp4 localhost:8080/inbox/
// Whoever reaches it may write: it listens on the loopback alone.

import { defineGateway, files } from 'sluice'

export default defineGateway({
  listen: { host: '127.0.0.1', port: 8080 },
  routes: {
    '/inbox/*': files('inbox', {
      list: true,
      upload: { bodyBytes: '2gb', quota: '20gb', delete: true },
      headers: { 'Content-Security-Policy': 'sandbox', 'X-Content-Type-Options': 'nosniff' },
    }),
  },
})
