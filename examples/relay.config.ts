// One upstream stream for any number of clients: events, and a camera whose frames begin with a
// marker. docs/RELAY.md says more.

import { defineGateway, relay } from 'sluice'

export default defineGateway({
  listen: 8080,
  routes: {
    '/events': relay('http://127.0.0.1:3000', { history: 10 }),
    '/camera': relay('http://127.0.0.1:3001', { as: 'raw', marker: '--frame' }),
  },
})
