// A server of uWebSockets.js beside static files: requests, and WebSockets with topics. It comes
// from its own repository, or as a build that npm has; it loads on glibc 2.38 and later, such as
// Debian 13.
//
//   npm install uWebSockets.js@npm:@btc-vision/uwebsockets.js
//   sluice run --config examples/uwebsockets/gateway.config.ts

import { defineGateway, files, mount } from 'sluice'

export default defineGateway({
  listen: 8080,
  routes: {
    '/*': files('../site'),
    '/live/*': mount(async ({ path }) => {
      const name = 'uWebSockets.js'
      const { default: uws } = await import(name)
      const app = uws.App()
      app.get('/live/hello', (response: { end(body: string): void }) => response.end('hello'))
      app.ws('/live/room', {
        open: (socket: Peer) => socket.subscribe('room'),
        message: (_socket: Peer, message: ArrayBuffer) => app.publish('room', message),
      })
      app.listen_unix(() => {}, path)
      return app
    }),
  },
})

interface Peer {
  subscribe(topic: string): void
}
