// Live prices for any number of browsers: whoever has the token publishes by POST, a handler does
// as well, and every client that is connected gets each message once.
//
//   PRICES_TOKEN=a-token-of-some-length sluice run --config examples/channel.config.ts
//   curl -N localhost:8080/prices
//   curl -H 'Authorization: Bearer a-token-of-some-length' -d '{"ore":7}' localhost:8080/prices

import { channel, defineGateway, handler } from 'sluice'

export default defineGateway({
  listen: 8080,
  routes: {
    '/prices': channel('prices', { history: 1, token: process.env.PRICES_TOKEN ?? '' }),
    '/prices.ndjson': channel('prices', { as: 'ndjson' }),
    'POST /trades': handler(async (request, { publish }) => {
      publish('prices', { event: 'trade', data: await request.text() })
      return new Response('published\n')
    }),
  },
})
